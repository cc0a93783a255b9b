"""Lets a trained model carry where its score becomes an alarm."""

import logging
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from kdgat.calibration import CALIBRATED, ZERO_SHOT, fit_thresholds
from kdgat.can.graph_store import GraphStore
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute
from kdgat.training.scoring import score_agent, score_autoencoder, score_classifier
from kdgat.training.window_scores import Part, window_table

LOGGER = logging.getLogger(__name__)

CARRIED = {ZERO_SHOT: "operating_point", CALIBRATED: "calibrated_operating_point"}
"""Protocol -> where a model's metadata has its point."""


def detector_with_operating_point(
    model: ModelArtifact, validation: GraphStore, *, budgets: Mapping[str, float], compute: Compute
) -> ModelArtifact:
    """Fit the operating points of an autoencoder or a classifier, one for each protocol.

    Args:
        model: a trained VGAE or GAT.
        validation: windows that it was not trained on, with and without a profile.
        budgets: protocol -> false-positive rate asked for.
        compute: device, threads, batch size.

    Returns:
        The same model with `operating_point` in its metadata, of windows without a profile, and
        `calibrated_operating_point`: each a `calibration.Threshold` as a dictionary.

    Raises:
        DataError: validation lacks benign windows.
    """
    if model.kind == "vgae":
        score = score_autoencoder(model, validation, compute=compute)["anomaly_score"]
    else:
        score = score_classifier(model, validation, compute=compute)["attack_logit"]
    return _with_points(model, validation, score, budgets)


def agent_with_operating_point(
    model: ModelArtifact,
    table: pd.DataFrame,
    validation: GraphStore,
    *,
    budgets: Mapping[str, float],
    compute: Compute,
) -> ModelArtifact:
    """Fit the operating points of a fusion agent, likewise.

    Args:
        model: a trained Q-network.
        table: scores of the windows, columns FUSION_COLUMNS.
        validation: the windows.
        budgets: protocol -> false-positive rate asked for.
        compute: threads.
    """
    verdicts = score_agent(model, table, compute=compute)
    return _with_points(model, validation, verdicts["fused_logit"], budgets)


def _with_points(
    model: ModelArtifact, validation: GraphStore, score: pd.Series, budgets: Mapping[str, float]
) -> ModelArtifact:
    windows = window_table(Part(validation, "validation"))
    windows = windows.assign(model=model.kind, score=np.asarray(score))
    fitted = fit_thresholds(windows, budgets=budgets, fixed={})[model.kind]
    points = {CARRIED[protocol]: point.to_dict() for protocol, point in fitted.items()}
    return replace(model, metadata=model.metadata | points)


def warn_of_other_points(
    models: Mapping[str, ModelArtifact], thresholds: Mapping[str, Mapping[str, dict]]
) -> None:
    """Log a warning for each model that carries other points than it is judged at.

    Args:
        models: as the scorecard calls them -> the model.
        thresholds: model -> protocol -> a `calibration.Threshold` as a dictionary.
    """
    for name, model in models.items():
        for protocol, key in CARRIED.items():
            own, judged = model.metadata.get(key), thresholds[name][protocol]
            if own and not math.isclose(own["value"], judged["value"], rel_tol=1e-3):
                LOGGER.warning(
                    "%s is judged at %.4g %s (budget %g), but carries %.4g (budget %g), as `kedro "
                    "score` and exports use it: other windows or another budget gave it",
                    *(name, judged["value"], protocol, judged["budget"]),
                    *(own["value"], own["budget"]),
                )
