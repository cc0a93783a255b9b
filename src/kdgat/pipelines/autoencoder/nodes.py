"""The teacher VGAE learns normal traffic."""

import pandas as pd

from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.figures import batch_sizes, learning_curves
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Autoencoder, Compute, OperatingPoint
from kdgat.training.autoencoder import train_autoencoder
from kdgat.training.operating_points import detector_with_operating_point

__all__ = ["batch_sizes", "learning_curves", "train_teacher_autoencoder"]


def train_teacher_autoencoder(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    feature_scaling: dict,
    parameters: Autoencoder,
    operating_point: OperatingPoint,
    compute: Compute,
    seed: int,
) -> tuple[ModelArtifact, pd.DataFrame]:
    """Train the teacher autoencoder on benign training graphs.

    Returns:
        The model, and its history, one row an epoch.
    """
    model, history = train_autoencoder(
        train=train_graphs,
        validation=validation_graphs,
        scaling=FeatureScaling.from_dict(feature_scaling),
        parameters=parameters,
        compute=compute,
        seed=seed,
    )
    model = detector_with_operating_point(
        model, validation_graphs, budgets=operating_point.budgets, compute=compute
    )
    return model, pd.DataFrame(history)
