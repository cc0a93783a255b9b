"""The scorecard: operating points from benign validation, figures from test."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.evaluation import nodes

DETECTORS = {
    "teacher_autoencoder": "teacher_autoencoder",
    "teacher_classifier": "teacher_classifier",
    "student_autoencoder": "student_autoencoder",
    "student_classifier": "student_classifier",
}
MODELS = {**DETECTORS, "teacher_agent": "teacher_agent", "student_agent": "student_agent"}
GRAPHS = {
    "drawn_validation_graphs": "drawn_validation_graphs",
    "test_graphs": "test_graphs",
    "calibrated_test_graphs": "calibrated_test_graphs",
}


def create_pipeline() -> Pipeline:
    """Score every window, fit operating points on benign validation, judge on test, draw."""
    return Pipeline(
        [
            Node(
                nodes.score_windows,
                inputs={**GRAPHS, **MODELS, "compute": "params:compute"},
                outputs=["window_scores", "fusion_states", "model_seconds"],
                name="score_windows",
            ),
            Node(
                nodes.score_baselines,
                inputs={
                    "train_graphs": "train_graphs",
                    "validation_graphs": "validation_graphs",
                    "drawn_train_graphs": "drawn_train_graphs",
                    **GRAPHS,
                    "fusion_states": "fusion_states",
                    "model_seconds": "model_seconds",
                    "parameters": "params:evaluation",
                    "seed": "params:seed",
                },
                outputs=["baseline_scores", "baseline_seconds"],
                name="score_baselines",
            ),
            Node(
                nodes.fit_thresholds,
                inputs={
                    "window_scores": "window_scores",
                    "baseline_scores": "baseline_scores",
                    "operating_point": "params:operating_point",
                    **MODELS,
                },
                outputs="thresholds",
                name="fit_thresholds",
            ),
            Node(
                nodes.build_scorecard,
                inputs={
                    "window_scores": "window_scores",
                    "baseline_scores": "baseline_scores",
                    "thresholds": "thresholds",
                    "test_episodes": "test_episodes",
                    "parameters": "params:evaluation",
                },
                outputs=["scorecard", "capture_scorecard", "verdicts"],
                name="build_scorecard",
            ),
            Node(
                nodes.count_alarms,
                inputs={
                    "window_scores": "window_scores",
                    "baseline_scores": "baseline_scores",
                    "thresholds": "thresholds",
                    "test_episodes": "test_episodes",
                    "model_seconds": "model_seconds",
                    "baseline_seconds": "baseline_seconds",
                    "parameters": "params:evaluation",
                },
                outputs=["alarm_scorecard", "capture_alarm_scorecard", "episode_scorecard"],
                name="count_alarms",
            ),
            Node(
                nodes.score_offenders,
                inputs={
                    "test_graphs": "test_graphs",
                    "calibrated_test_graphs": "calibrated_test_graphs",
                    **DETECTORS,
                    "window_scores": "window_scores",
                    "fusion_states": "fusion_states",
                    "thresholds": "thresholds",
                    "attacked_ids": "attacked_ids",
                    "compute": "params:compute",
                },
                outputs="offender_scorecard",
                name="score_offenders",
            ),
            Node(
                nodes.write_page,
                inputs={
                    "scorecard": "scorecard",
                    "capture_scorecard": "capture_scorecard",
                    "alarm_scorecard": "alarm_scorecard",
                    "offender_scorecard": "offender_scorecard",
                    "verdicts": "verdicts",
                    "thresholds": "thresholds",
                    "prefix_report": "prefix_report",
                    "parameters": "params:evaluation",
                    "compute": "params:compute",
                    "dataset": "params:dataset",
                    "seed": "params:seed",
                },
                outputs="scorecard_page",
                name="write_page",
            ),
            Node(
                nodes.draw_scorecard,
                inputs={"scorecard": "scorecard"},
                outputs="scorecard_chart",
                name="draw_scorecard",
            ),
            Node(
                nodes.draw_scores,
                inputs={
                    "window_scores": "window_scores",
                    "thresholds": "thresholds",
                    "capture_scorecard": "capture_scorecard",
                    "test_episodes": "test_episodes",
                    "parameters": "params:evaluation",
                },
                outputs=[
                    "score_over_time",
                    "scores_to_explore",
                    "roc_low_false_positives",
                    "teacher_against_student",
                ],
                name="draw_scores",
            ),
            Node(
                nodes.draw_fusion_weights,
                inputs={"fusion_states": "fusion_states", "test_episodes": "test_episodes"},
                outputs="fusion_weights",
                name="draw_fusion_weights",
            ),
        ],
        tags=["evaluation"],
        namespace="evaluation",
        prefix_datasets_with_namespace=False,
    )
