"""The teacher GAT learns known attacks."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.teacher import nodes


def create_pipeline() -> Pipeline:
    """Train the teacher classifier, with or without a curriculum from the autoencoder."""
    return Pipeline(
        [
            Node(
                nodes.train_teacher_classifier,
                inputs={
                    "train_graphs": "drawn_train_graphs",
                    "validation_graphs": "drawn_validation_graphs",
                    "feature_scaling": "feature_scaling",
                    "teacher_autoencoder": "teacher_autoencoder",
                    "parameters": "params:teacher",
                    "operating_point": "params:operating_point",
                    "compute": "params:compute",
                    "seed": "params:seed",
                },
                outputs=["teacher_classifier", "teacher_history"],
                name="train_teacher_classifier",
            ),
            Node(
                nodes.learning_curves,
                inputs={"history": "teacher_history"},
                outputs="teacher_curves",
                name="draw_teacher_curves",
            ),
            Node(
                nodes.batch_sizes,
                inputs={"history": "teacher_history", "batch_history": "batch_history"},
                outputs="teacher_batches",
                name="draw_teacher_batches",
            ),
        ],
        tags=["teacher"],
        namespace="teacher",
        prefix_datasets_with_namespace=False,
    )
