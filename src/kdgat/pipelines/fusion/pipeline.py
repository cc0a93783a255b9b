"""An agent learns how much to trust each detector."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.fusion import nodes

SHARED = {
    "validation_graphs": "drawn_validation_graphs",
    "parameters": "params:fusion",
    "operating_point": "params:operating_point",
    "compute": "params:compute",
    "seed": "params:seed",
}


def create_pipeline() -> Pipeline:
    """Train one agent on the two teachers and one on the two students."""
    return Pipeline(
        [
            Node(
                nodes.train_teacher_agent,
                inputs={
                    **SHARED,
                    "autoencoder": "teacher_autoencoder",
                    "classifier": "teacher_classifier",
                },
                outputs=["teacher_agent", "teacher_agent_history"],
                name="train_teacher_agent",
            ),
            Node(
                nodes.train_student_agent,
                inputs={
                    **SHARED,
                    "autoencoder": "student_autoencoder",
                    "classifier": "student_classifier",
                },
                outputs=["student_agent", "student_agent_history"],
                name="train_student_agent",
            ),
            Node(
                nodes.join_histories,
                inputs=["teacher_agent_history", "student_agent_history"],
                outputs="fusion_history",
                name="join_agent_histories",
            ),
            Node(
                nodes.learning_curves,
                inputs={"history": "fusion_history"},
                outputs="fusion_curves",
                name="draw_fusion_curves",
            ),
        ],
        tags=["fusion"],
        namespace="fusion",
        prefix_datasets_with_namespace=False,
    )
