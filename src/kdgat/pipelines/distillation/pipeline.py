"""Two students learn from the two teachers."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.distillation import nodes

GRAPHS = {
    "train_graphs": "drawn_train_graphs",
    "validation_graphs": "drawn_validation_graphs",
    "feature_scaling": "feature_scaling",
    "parameters": "params:distillation",
    "operating_point": "params:operating_point",
    "compute": "params:compute",
    "seed": "params:seed",
}


def create_pipeline() -> Pipeline:
    """Train the student autoencoder and the student classifier."""
    return Pipeline(
        [
            Node(
                nodes.train_student_autoencoder,
                inputs={**GRAPHS, "teacher": "teacher_autoencoder"},
                outputs=["student_autoencoder", "student_autoencoder_history"],
                name="train_student_autoencoder",
            ),
            Node(
                nodes.train_student_classifier,
                inputs={
                    **GRAPHS,
                    "teacher": "teacher_classifier",
                    "autoencoder": "student_autoencoder",
                },
                outputs=["student_classifier", "student_classifier_history"],
                name="train_student_classifier",
            ),
            Node(
                nodes.join_histories,
                inputs=["student_autoencoder_history", "student_classifier_history"],
                outputs="distillation_history",
                name="join_student_histories",
            ),
            Node(
                nodes.learning_curves,
                inputs={"history": "distillation_history"},
                outputs="distillation_curves",
                name="draw_distillation_curves",
            ),
            Node(
                nodes.batch_sizes,
                inputs={"history": "distillation_history", "batch_history": "batch_history"},
                outputs="distillation_batches",
                name="draw_distillation_batches",
            ),
        ],
        tags=["distillation"],
        namespace="distillation",
        prefix_datasets_with_namespace=False,
    )
