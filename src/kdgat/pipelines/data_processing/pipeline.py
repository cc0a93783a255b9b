"""Captures to graphs."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.data_processing import nodes

BUILT = {
    "train_graphs": "built_train_graphs",
    "validation_graphs": "built_validation_graphs",
    "test_graphs": "built_test_graphs",
}


def create_pipeline() -> Pipeline:
    """Read captures, turn windows into graphs, and let them go if nothing leaks."""
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
                inputs={
                    "captures": "captures",
                    "workspace": "graph_workspace",
                    "parameters": "params:data_processing",
                },
                outputs=["built_train_graphs", "built_validation_graphs", "built_test_graphs"],
                name="build_graph_stores",
            ),
            Node(
                nodes.report_leaks,
                inputs={
                    "captures": "captures",
                    **BUILT,
                    "captures_of": "captures_of_any_dataset",
                    "parameters": "params:data_processing",
                },
                outputs=["leak_report", "leak_page"],
                name="report_leaks",
            ),
            Node(
                nodes.release_graphs,
                inputs={**BUILT, "leak_report": "leak_report"},
                outputs=["train_graphs", "validation_graphs", "test_graphs"],
                name="release_graphs",
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
