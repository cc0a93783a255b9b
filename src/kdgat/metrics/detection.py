"""Rates at a threshold and ranking without one.

A score is compared with its threshold in float64 and in the space the model left it in (logit or
anomaly score); a window alarms where `score >= threshold`. A figure that the windows do not
define is NaN, never a made-up 0 or 1:

| figure | formula | NaN where |
|---|---|---|
| precision | TP / (TP + FP) | no window alarms |
| recall | TP / (TP + FN) | no attack window |
| false_positive_rate | FP / (FP + TN) | no benign window |
| f1 | 2 TP / (2 TP + FP + FN) | no attack window |
| mcc | Matthews' correlation of label and alarm | label or alarm has one value only |
| auroc, average_precision | ranking alone, tied scores shared | one class is missing |
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdgat.errors import DataError

COUNT_METRICS = ("f1", "precision", "recall", "false_positive_rate", "mcc")


def checked_labels_and_scores(
    labels: ArrayLike, scores: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Check labels and scores of the same windows.

    Args:
        labels: 0 or 1 `[num_windows]`.
        scores: raw scores, higher = attack `[num_windows]`.

    Returns:
        bool labels and float64 scores.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, or a score is not finite.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise DataError(
            f"Labels have shape {labels.shape} and scores {scores.shape}: one of each per window."
        )
    strange = np.flatnonzero((labels != 0) & (labels != 1))
    if strange.size:
        raise DataError(f"Label {labels[strange[0]]} of window {strange[0]} is not 0 or 1.")
    strange = np.flatnonzero(~np.isfinite(scores))
    if strange.size:
        raise DataError(
            f"Score {scores[strange[0]]} of window {strange[0]} is not finite"
            f" ({strange.size} of {scores.size} are not)."
        )
    return labels.astype(bool), scores


def confusion_counts(labels: NDArray[np.bool_], alarms: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Mark the cell of each window: columns TP, FP, FN, TN, int64 `[num_windows, 4]`."""
    cells = (labels & alarms, ~labels & alarms, labels & ~alarms, ~labels & ~alarms)
    return np.stack(cells, axis=-1).astype(np.int64)


def rates(counts: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Turn confusion counts into COUNT_METRICS.

    Args:
        counts: TP, FP, FN, TN on the last axis, int64 `[..., 4]`.

    Returns:
        float64 `[...]` per metric, each 0 to 1 (mcc -1 to 1) or NaN as the module's table says.
    """
    true_positive, false_positive, false_negative, true_negative = np.moveaxis(
        np.asarray(counts, dtype=np.float64), -1, 0
    )
    attack, benign = true_positive + false_negative, false_positive + true_negative
    alarm, quiet = true_positive + false_positive, false_negative + true_negative
    # 0 / 0 is the NaN wanted here, except for F1, whose formula gives 0 for false alarms alone.
    with np.errstate(invalid="ignore"):
        f1 = 2 * true_positive / (2 * true_positive + false_positive + false_negative)
        covariance = true_positive * true_negative - false_positive * false_negative
        return {
            "f1": np.where(attack > 0, f1, np.nan),
            "precision": true_positive / alarm,
            "recall": true_positive / attack,
            "false_positive_rate": false_positive / benign,
            "mcc": covariance / np.sqrt(attack * benign * alarm * quiet),
        }


def detection_metrics(
    labels: ArrayLike, scores: ArrayLike, threshold: float
) -> dict[str, float | int]:
    """Judge the scores of some windows at a threshold, and their ranking without one.

    Args:
        labels: 0 or 1 `[num_windows]`.
        scores: raw scores, higher = attack `[num_windows]`.
        threshold: windows at or above it alarm; in the scores' unit.

    Returns:
        COUNT_METRICS, `auroc`, `average_precision` (NaN as the module's table says), and the
        numbers of windows `n` and of attack windows `n_attack`.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, or a score is not finite.
    """
    labels, scores = checked_labels_and_scores(labels, scores)
    counts = confusion_counts(labels, scores >= float(threshold)).sum(axis=0)
    auroc, average_precision = _ranking(labels, scores)
    return {
        **{name: float(value) for name, value in rates(counts).items()},
        "auroc": auroc,
        "average_precision": average_precision,
        "n": int(labels.size),
        "n_attack": int(labels.sum()),
    }


def _ranking(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Give AUROC and average precision as sklearn does, whose checks cost a hundred times as much.

    A scorecard asks for them once per model, protocol and capture.
    """
    if labels.all() or not labels.any():
        return np.nan, np.nan
    order = np.argsort(-scores, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), labels.size - 1)
    attacks = np.cumsum(labels[order])[last_of_tie]
    benign = last_of_tie + 1 - attacks
    recall = np.append(0, attacks) / attacks[-1]
    auroc = np.trapezoid(recall, np.append(0, benign) / benign[-1])
    average_precision = np.sum(np.diff(recall) * attacks / (last_of_tie + 1))
    return float(auroc), float(average_precision)
