"""Lets a trained model carry where its score becomes an alarm."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from kdgat.calibration import fit_threshold
from kdgat.can.graph_store import GraphStore
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute
from kdgat.training.scoring import score_agent, score_autoencoder, score_classifier


def detector_with_operating_point(
    model: ModelArtifact, validation: GraphStore, *, compute: Compute
) -> ModelArtifact:
    """Fit the operating point of an autoencoder or a classifier.

    Args:
        model: a trained VGAE or GAT.
        validation: windows that it was not trained on.
        compute: device, threads, batch size.

    Returns:
        The same model with `operating_point` in its metadata: a `calibration.Threshold` as a
        dictionary, or None where validation lacks a class.
    """
    if model.kind == "vgae":
        score = score_autoencoder(model, validation, compute=compute)["anomaly_score"]
    else:
        score = score_classifier(model, validation, compute=compute)["attack_logit"]
    return _with_point(model, validation.y.numpy(), score)


def agent_with_operating_point(
    model: ModelArtifact, validation: pd.DataFrame, y: ArrayLike, *, compute: Compute
) -> ModelArtifact:
    """Fit the operating point of a fusion agent, likewise.

    Args:
        model: a trained Q-network.
        validation: scores of the windows, columns FUSION_COLUMNS.
        y: their labels, 0 or 1 `[num_windows]`.
        compute: threads.
    """
    verdicts = score_agent(model, validation, compute=compute)
    return _with_point(model, np.asarray(y), verdicts["fused_logit"])


def _with_point(model: ModelArtifact, y: np.ndarray, score: pd.Series) -> ModelArtifact:
    has_both = 0 < y.sum() < len(y)
    point = fit_threshold(y, score.to_numpy()).to_dict() if has_both else None
    return replace(model, metadata=model.metadata | {"operating_point": point})
