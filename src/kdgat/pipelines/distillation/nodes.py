"""Two students learn from the two teachers."""

import pandas as pd

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.figures import batch_sizes, learning_curves
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute, Distillation, OperatingPoint
from kdgat.training import distillation
from kdgat.training.operating_points import detector_with_operating_point

__all__ = [
    "batch_sizes",
    "join_histories",
    "learning_curves",
    "train_student_autoencoder",
    "train_student_classifier",
]


def train_student_autoencoder(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    feature_scaling: dict,
    teacher: ModelArtifact,
    parameters: Distillation,
    operating_point: OperatingPoint,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the student autoencoder on benign training graphs and its teacher's view of them.

    Returns:
        The model, and its history, one row an epoch.
    """
    model, history = distillation.train_student_autoencoder(
        train=train_graphs,
        validation=validation_graphs,
        scaling=FeatureScaling.from_dict(feature_scaling),
        teacher=teacher,
        parameters=parameters,
        compute=compute,
        seed=seed,
    )
    model = detector_with_operating_point(
        model, validation_graphs, budgets=operating_point.budgets, compute=compute
    )
    return model, pd.DataFrame(history)


def train_student_classifier(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    feature_scaling: dict,
    teacher: ModelArtifact,
    autoencoder: ModelArtifact,
    parameters: Distillation,
    operating_point: OperatingPoint,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the student classifier on labels and its teacher's soft targets.

    Returns:
        The model, and its history, one row an epoch.
    """
    model, history = distillation.train_student_classifier(
        train=train_graphs,
        validation=validation_graphs,
        scaling=FeatureScaling.from_dict(feature_scaling),
        teacher=teacher,
        autoencoder=autoencoder,
        parameters=parameters,
        compute=compute,
        seed=seed,
    )
    model = detector_with_operating_point(
        model, validation_graphs, budgets=operating_point.budgets, compute=compute
    )
    return model, pd.DataFrame(history)


def join_histories(autoencoder: pd.DataFrame, classifier: pd.DataFrame) -> pd.DataFrame:
    """Put both histories into one table."""
    return pd.concat([autoencoder, classifier], ignore_index=True)
