"""Other ways to join two detectors, judged beside the fusion agent."""

import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from kdgat.scores import FUSION_FEATURES

JOINS = ("mean", "maximum", "logistic", "perceptron")
HIDDEN = (32, 32)
EPOCHS = 100


def fusion_baseline_scores(states: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Join both detectors of a size by mean, maximum, logistic regression and a perceptron.

    The two that learn see what the agent sees: the fusion features of the validation windows in
    the earlier half of each capture (column `early`).

    Args:
        states: `window_scores.fusion_states` of one or more sizes.
        seed: of the perceptron.

    Returns:
        One row per window and model: `window_table`, model, score.
    """
    columns = list(states.columns[: states.columns.get_loc("early")])
    parts = []
    for size, rows in states.groupby("size", sort=False):
        learned = rows[(rows["split"] == "validation") & rows["early"]]
        features, labels = _features(learned), learned["label"].to_numpy()
        logistic = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)
        ).fit(features, labels)
        perceptron = _fitted_perceptron(features, labels, seed)
        both = rows[["anomaly_logit", "attack_logit"]].to_numpy()
        scores = {
            "mean": both.mean(axis=1),
            "maximum": both.max(axis=1),
            "logistic": logistic.decision_function(_features(rows)),
            "perceptron": _log_odds(perceptron.predict_proba(_features(rows))[:, 1]),
        }
        parts += [
            rows[columns].assign(model=f"{name} of {size}s", score=score)
            for name, score in scores.items()
        ]
    return pd.concat(parts, ignore_index=True)


def fusion_baseline_seconds(model_seconds: pd.DataFrame) -> pd.DataFrame:
    """Say what these fusions take: as much as both detectors and the agent that joins them.

    Args:
        model_seconds: columns model and computation_seconds; `<size>_fusion` is read.

    Returns:
        One row per model, the same columns.
    """
    fused = model_seconds[model_seconds["model"].str.endswith("_fusion")]
    size = fused["model"].str.removesuffix("_fusion")
    parts = [fused.assign(model=f"{name} of " + size + "s") for name in JOINS]
    return pd.concat(parts, ignore_index=True)


def _fitted_perceptron(features: np.ndarray, labels: np.ndarray, seed: int) -> Pipeline:
    """Train for at most EPOCHS epochs: that it has not converged by then is no news."""
    perceptron = make_pipeline(
        StandardScaler(), MLPClassifier(HIDDEN, max_iter=EPOCHS, random_state=seed)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return perceptron.fit(features, labels)


def _features(rows: pd.DataFrame) -> np.ndarray:
    return rows[list(FUSION_FEATURES)].to_numpy()


def _log_odds(probability: np.ndarray) -> np.ndarray:
    bounded = np.clip(probability, 1e-12, 1.0 - 1e-12)
    return np.log(bounded / (1.0 - bounded))
