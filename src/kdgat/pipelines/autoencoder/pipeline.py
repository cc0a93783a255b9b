"""The teacher VGAE learns normal traffic."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.autoencoder import nodes


def create_pipeline() -> Pipeline:
    """Train the teacher autoencoder on benign training graphs."""
    return Pipeline(
        [
            Node(
                nodes.train_teacher_autoencoder,
                inputs={
                    "train_graphs": "drawn_train_graphs",
                    "validation_graphs": "drawn_validation_graphs",
                    "feature_scaling": "feature_scaling",
                    "parameters": "params:autoencoder",
                    "operating_point": "params:operating_point",
                    "compute": "params:compute",
                    "seed": "params:seed",
                },
                outputs=["teacher_autoencoder", "autoencoder_history"],
                name="train_teacher_autoencoder",
            ),
            Node(
                nodes.learning_curves,
                inputs={"history": "autoencoder_history"},
                outputs="autoencoder_curves",
                name="draw_autoencoder_curves",
            ),
            Node(
                nodes.batch_sizes,
                inputs={"history": "autoencoder_history", "batch_history": "batch_history"},
                outputs="autoencoder_batches",
                name="draw_autoencoder_batches",
            ),
        ],
        tags=["autoencoder"],
        namespace="autoencoder",
        prefix_datasets_with_namespace=False,
    )
