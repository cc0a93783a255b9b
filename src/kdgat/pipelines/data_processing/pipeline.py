"""Captures to graphs."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.data_processing import nodes


def create_pipeline() -> Pipeline:
    """Read and check captures, cut them into windows, turn windows into graphs."""
    return Pipeline(
        [
            Node(
                nodes.read_captures,
                inputs={
                    "readers": "raw_captures",
                    "parameters": "params:data_processing",
                },
                outputs=["captures", "capture_summary", "bad_rows"],
                name="read_captures",
            ),
            Node(
                nodes.build_graph_stores,
                inputs={"captures": "captures", "parameters": "params:data_processing"},
                outputs=["train_graphs", "validation_graphs", "test_graphs"],
                name="build_graph_stores",
            ),
            Node(
                nodes.fit_feature_scaling,
                inputs={"train_graphs": "train_graphs"},
                outputs="feature_scaling",
                name="fit_feature_scaling",
            ),
        ],
        tags=["data_processing"],
    )
