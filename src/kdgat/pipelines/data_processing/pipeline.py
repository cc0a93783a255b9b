"""Captures to graphs."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.data_processing import nodes

RECORDED = {
    "train_graphs": "built_train_graphs",
    "validation_graphs": "built_validation_graphs",
    "test_graphs": "built_test_graphs",
}
DRAWN = {
    "drawn_train_graphs": "built_drawn_train_graphs",
    "drawn_validation_graphs": "built_drawn_validation_graphs",
    "calibrated_test_graphs": "built_calibrated_test_graphs",
}
BUILT = {**RECORDED, **DRAWN}


def create_pipeline() -> Pipeline:
    """Read captures, turn windows into graphs, and let them go if nothing leaks."""
    return Pipeline(
        [
            Node(
                nodes.read_captures,
                inputs={
                    "files": "raw_captures",
                    "parameters": "params:data_processing",
                },
                outputs=["captures", "capture_summary", "bad_rows"],
                name="read_captures",
            ),
            Node(
                nodes.read_further_vehicles,
                inputs={
                    "captures": "captures",
                    "captures_of": "captures_of_any_dataset",
                    "parameters": "params:data_processing",
                },
                outputs="further_captures",
                name="read_further_vehicles",
            ),
            Node(
                nodes.build_graph_stores,
                inputs={
                    "captures": "captures",
                    "further_captures": "further_captures",
                    "workspace": "graph_workspace",
                    "parameters": "params:data_processing",
                },
                outputs=[*BUILT.values(), "prefix_report"],
                name="build_graph_stores",
            ),
            Node(
                nodes.collect_truth,
                inputs={"captures": "captures", "parameters": "params:data_processing"},
                outputs=["test_episodes", "attacked_ids"],
                name="collect_truth",
            ),
            Node(
                nodes.report_leaks,
                inputs={
                    "captures": "captures",
                    "further_captures": "further_captures",
                    **RECORDED,
                    "captures_of": "captures_of_any_dataset",
                    "parameters": "params:data_processing",
                },
                outputs=["leak_report", "leak_page"],
                name="report_leaks",
            ),
            Node(
                nodes.release_graphs,
                inputs={**BUILT, "leak_report": "leak_report"},
                outputs=list(BUILT),
                name="release_graphs",
            ),
            Node(
                nodes.fit_feature_scaling,
                inputs={"drawn_train_graphs": "drawn_train_graphs"},
                outputs="feature_scaling",
                name="fit_feature_scaling",
            ),
        ],
        tags=["data_processing"],
        namespace="data_processing",
        prefix_datasets_with_namespace=False,
    )
