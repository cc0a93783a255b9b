"""An agent learns how much to trust each detector."""

import pandas as pd

from kdgat.can.graph_store import GraphStore
from kdgat.figures import learning_curves
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Agent, Compute, Fusion, OperatingPoint, QNetwork
from kdgat.training.dqn import train_agent
from kdgat.training.operating_points import agent_with_operating_point
from kdgat.training.scoring import early_windows, fusion_table

__all__ = ["join_histories", "learning_curves", "train_student_agent", "train_teacher_agent"]


def train_teacher_agent(
    validation_graphs: GraphStore,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    parameters: Fusion,
    operating_point: OperatingPoint,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the agent that weighs the two teachers, on windows that neither was trained on.

    Returns:
        The agent, and its history, one row per look at validation.
    """
    return _train(
        validation_graphs,
        autoencoder,
        classifier,
        parameters.teacher,
        parameters.agent,
        operating_point,
        compute,
        seed,
        "teacher_fusion",
    )


def train_student_agent(
    validation_graphs: GraphStore,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    parameters: Fusion,
    operating_point: OperatingPoint,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the agent that weighs the two students, on windows that neither was trained on.

    Returns:
        The agent, and its history, one row per look at validation.
    """
    return _train(
        validation_graphs,
        autoencoder,
        classifier,
        parameters.student,
        parameters.agent,
        operating_point,
        compute,
        seed,
        "student_fusion",
    )


def join_histories(teacher: pd.DataFrame, student: pd.DataFrame) -> pd.DataFrame:
    """Put both histories into one table."""
    return pd.concat([teacher, student], ignore_index=True)


def _train(
    validation_graphs: GraphStore,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    network: QNetwork,
    agent: Agent,
    operating_point: OperatingPoint,
    compute: Compute,
    seed: int,
    stage: str,
) -> tuple[ModelArtifact, pd.DataFrame]:
    table = fusion_table(autoencoder, classifier, validation_graphs, compute=compute)
    y = validation_graphs.y.numpy()
    early = early_windows(validation_graphs)
    model, history = train_agent(
        train=table[early],
        train_y=y[early],
        validation=table[~early],
        validation_y=y[~early],
        network=network,
        agent=agent,
        compute=compute,
        seed=seed,
        stage=stage,
    )
    model = agent_with_operating_point(
        model, table, validation_graphs, budgets=operating_point.budgets, compute=compute
    )
    return model, pd.DataFrame(history)
