"""Pictures of what the detectors do on test."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.pictures import nodes

JUDGED = {name: name for name in ("window_scores", "thresholds", "test_episodes")}


def create_pipeline() -> Pipeline:
    """Draw what alarms cost, what each kind of attack meets, and what the networks see."""
    return Pipeline(
        [
            Node(
                nodes.draw_alarms,
                inputs=JUDGED,
                outputs=["precision_recall", "false_alarms_and_recall"],
                name="draw_alarms",
            ),
            Node(
                nodes.draw_confusion,
                inputs={**JUDGED, "capture_summary": "capture_summary"},
                outputs="confusion_by_attack",
                name="draw_confusion",
            ),
            Node(
                nodes.draw_latent_space,
                inputs={
                    "calibrated_test_graphs": "calibrated_test_graphs",
                    "teacher_autoencoder": "teacher_autoencoder",
                    "test_episodes": "test_episodes",
                    "compute": "params:compute",
                },
                outputs="latent_space",
                name="draw_latent_space",
            ),
            Node(
                nodes.draw_window_graphs,
                inputs={
                    "calibrated_test_graphs": "calibrated_test_graphs",
                    "student_classifier": "student_classifier",
                    "window_scores": "window_scores",
                    "test_episodes": "test_episodes",
                    "compute": "params:compute",
                },
                outputs="window_graphs",
                name="draw_window_graphs",
            ),
        ],
        tags=["pictures"],
        namespace="pictures",
        prefix_datasets_with_namespace=False,
    )
