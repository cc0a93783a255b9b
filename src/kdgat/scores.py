"""Scores of a window, from two detectors' outputs to one fused logit: pure numpy, defined once."""

from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

AUTOENCODER_FEATURES = (
    "node_error_mean",
    "node_error_max",
    "edge_error",
    "id_error",
    "kl",
    "latent_norm_mean",
    "latent_norm_max",
    "anomaly_score",
)
CLASSIFIER_FEATURES = (
    "attack_logit",
    "attack_probability",
    "attack_entropy",
    "embedding_mean",
    "embedding_std",
    "embedding_max",
    "embedding_norm",
)
FUSION_FEATURES = AUTOENCODER_FEATURES + CLASSIFIER_FEATURES

# Share of the classifier in the fused logit: 0, .05, ... 1.
FUSION_WEIGHTS = tuple(step / 20 for step in range(21))

INDIFFERENCE = 0.2
"""A reward less by this is as good as the best: docs/fusion.md."""

USUAL_WEIGHT = 0.5
"""What the agent falls back to where it can hardly tell weights apart: docs/fusion.md."""

# The anomaly logit of a benign median window; sigmoid(-5) = .007.
BENIGN_LOGIT = -5.0
BENIGN_QUANTILE = 0.99


class ScoreStatistics(TypedDict):
    """How a score spreads over benign validation windows (JSON-able)."""

    count: int
    median: float
    quantile_99: float
    maximum: float


def score_statistics(benign_score: ArrayLike) -> ScoreStatistics:
    """Sum up the scores of benign windows.

    Args:
        benign_score: float `[num_windows]`, at least one.

    Returns:
        Number, median, .99 quantile and maximum.

    Raises:
        ValueError: no window, or a score that is not finite.
    """
    score = np.asarray(benign_score, dtype=np.float64)
    if score.size == 0 or not np.isfinite(score).all():
        raise ValueError(f"need at least 1 benign score, all finite; got {score.size} scores")
    return ScoreStatistics(
        count=int(score.size),
        median=float(np.median(score)),
        quantile_99=float(np.quantile(score, BENIGN_QUANTILE)),
        maximum=float(score.max()),
    )


def anomaly_logit(anomaly_score: ArrayLike, statistics: ScoreStatistics) -> NDArray[np.float64]:
    """Shift and scale anomaly scores so that they can be averaged with attack logits.

    A straight line through two points of the benign validation windows: their median becomes
    BENIGN_LOGIT and their .99 quantile becomes 0. Order and ties stay as they are.

    Args:
        anomaly_score: float `[num_windows]`.
        statistics: of the same model's scores on benign validation windows.

    Returns:
        float64 `[num_windows]`, unbounded.
    """
    spread = max(statistics["quantile_99"] - statistics["median"], 1e-9)
    score = np.asarray(anomaly_score, dtype=np.float64)
    return -BENIGN_LOGIT * (score - statistics["quantile_99"]) / spread


def attack_probability(attack_logit: ArrayLike) -> NDArray[np.float64]:
    """Turn logits `[num_windows]` into probabilities in [0, 1], without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(attack_logit, dtype=np.float64)))


def binary_entropy(attack_logit: ArrayLike) -> NDArray[np.float64]:
    """Give the entropy in nat, 0 to log 2, of the Bernoulli distribution of a logit."""
    size = np.abs(np.asarray(attack_logit, dtype=np.float64))
    return np.logaddexp(0.0, -size) + size * attack_probability(-size)


def fused_logit(
    anomaly_logit: ArrayLike, attack_logit: ArrayLike, fusion_weight: ArrayLike
) -> NDArray[np.float64]:
    """Mix both detectors: (1 - w) * anomaly_logit + w * attack_logit.

    Args:
        anomaly_logit: float `[num_windows]`.
        attack_logit: float `[num_windows]`.
        fusion_weight: w, float `[num_windows]` or one number, 0 to 1.

    Returns:
        float64 `[num_windows]`; above 0 the window reads as an attack.
    """
    weight = np.asarray(fusion_weight, dtype=np.float64)
    return (1.0 - weight) * np.asarray(anomaly_logit) + weight * np.asarray(attack_logit)


def chosen_weight(
    value: ArrayLike, usual: float, *, indifference: float = INDIFFERENCE
) -> NDArray[np.float64]:
    """Choose the fusion weight of each window: of those all but as good as the best, the usual one.

    The mixture is linear in the weight, so the best one is nearly always 0 or 1, also where the
    agent can hardly tell them apart and one detector's noise would decide alone.

    Args:
        value: of each weight of FUSION_WEIGHTS, the expected reward, float `[num_windows, 21]`.
        usual: the weight to fall back to, 0 to 1; the nearest one that is good is chosen.
        indifference: reward, at least 0; with 0 the best weight.

    Returns:
        float64 `[num_windows]`, 0 to 1; of two weights as far from the usual one, the smaller.
    """
    value, weight = np.asarray(value), np.asarray(FUSION_WEIGHTS)
    good = value >= value.max(axis=1, keepdims=True) - indifference
    distance = np.abs(weight - usual).round(9)
    return weight[np.where(good, distance, np.inf).argmin(axis=1)]


def reward(y: ArrayLike, logit: ArrayLike, *, scale: float) -> NDArray[np.float64]:
    """Reward a verdict: (2y - 1) * tanh(logit / (2 * scale)).

    At a scale of 1 that is (2y - 1) * (2 sigmoid(logit) - 1).

    Args:
        y: label 0 or 1 `[num_windows]`.
        logit: fused logit, float `[num_windows]`.
        scale: logit, above 0; from about five times as much on a verdict cannot get any surer.

    Returns:
        float64 `[num_windows]`, -1 (surely wrong) to 1 (surely right).
    """
    sign = 2.0 * np.asarray(y, dtype=np.float64) - 1.0
    return sign * np.tanh(np.asarray(logit) / (2.0 * scale))
