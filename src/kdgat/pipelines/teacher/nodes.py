"""The teacher GAT learns known attacks."""

import pandas as pd

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.figures import batch_sizes, learning_curves
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute, OperatingPoint, Teacher
from kdgat.training.classifier import train_classifier
from kdgat.training.operating_points import detector_with_operating_point

__all__ = ["batch_sizes", "learning_curves", "train_teacher_classifier"]


def train_teacher_classifier(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    feature_scaling: dict,
    teacher_autoencoder: ModelArtifact,
    parameters: Teacher,
    operating_point: OperatingPoint,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the teacher classifier; the autoencoder's scores order its curriculum.

    Returns:
        The model, and its history, one row an epoch.
    """
    model, history = train_classifier(
        train=train_graphs,
        validation=validation_graphs,
        scaling=FeatureScaling.from_dict(feature_scaling),
        autoencoder=teacher_autoencoder,
        parameters=parameters,
        compute=compute,
        seed=seed,
    )
    model = detector_with_operating_point(
        model, validation_graphs, budgets=operating_point.budgets, compute=compute
    )
    return model, pd.DataFrame(history)
