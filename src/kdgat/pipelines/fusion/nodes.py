"""An agent learns how much to trust each detector."""

import pandas as pd

from kdgat.can.graph_store import GraphStore
from kdgat.figures import learning_curves
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Agent, Compute, Fusion, QNetwork
from kdgat.training.dqn import train_agent
from kdgat.training.operating_points import agent_with_operating_point
from kdgat.training.scoring import fusion_table

__all__ = ["join_histories", "learning_curves", "train_student_agent", "train_teacher_agent"]


def train_teacher_agent(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    parameters: Fusion,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the agent that weighs the two teachers.

    Returns:
        The agent, and its history, one row per look at validation.
    """
    return _train(
        train_graphs,
        validation_graphs,
        autoencoder,
        classifier,
        parameters.teacher,
        parameters.agent,
        compute,
        seed,
        "teacher_fusion",
    )


def train_student_agent(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    parameters: Fusion,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the agent that weighs the two students.

    Returns:
        The agent, and its history, one row per look at validation.
    """
    return _train(
        train_graphs,
        validation_graphs,
        autoencoder,
        classifier,
        parameters.student,
        parameters.agent,
        compute,
        seed,
        "student_fusion",
    )


def join_histories(teacher: pd.DataFrame, student: pd.DataFrame) -> pd.DataFrame:
    """Put both histories into one table."""
    return pd.concat([teacher, student], ignore_index=True)


def _train(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    network: QNetwork,
    agent: Agent,
    compute: Compute,
    seed: int,
    stage: str,
) -> tuple[ModelArtifact, pd.DataFrame]:
    train, validation = (
        fusion_table(autoencoder, classifier, graphs, compute=compute)
        for graphs in (train_graphs, validation_graphs)
    )
    model, history = train_agent(
        train=train,
        train_y=train_graphs.y.numpy(),
        validation=validation,
        validation_y=validation_graphs.y.numpy(),
        network=network,
        agent=agent,
        compute=compute,
        seed=seed,
        stage=stage,
    )
    model = agent_with_operating_point(
        model, validation, validation_graphs.y.numpy(), compute=compute
    )
    return model, pd.DataFrame(history)
