"""Operating points: where a score becomes an alarm, and what that was decided on."""

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kdgat.errors import DataError

MAXIMUM_F1 = "maximum F1 on validation"


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """An operating point with where it came from.

    Attributes:
        value: windows with `score >= value` alarm; in the unit of the score (logit or anomaly).
        rule: how the value was chosen.
        f1: reached on the windows it was fitted on, 0 to 1.
        low: cut-offs above `low` and up to `high` do equally well on those windows.
        high: the lowest score that must alarm to do equally well.
        n: windows it was fitted on.
        n_attack: attack windows among them.
    """

    value: float
    rule: str
    f1: float
    low: float
    high: float
    n: int
    n_attack: int

    def alarms(self, scores: ArrayLike) -> NDArray[np.bool_]:
        """Say which windows alarm, bool `[num_windows]`.

        The comparison is in float64: in float32 the threshold could round onto a benign score.
        """
        return np.asarray(scores, dtype=np.float64) >= self.value

    def to_dict(self) -> dict[str, float | int | str]:
        """Give the fields as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, float | int | str]) -> Self:
        """Build the threshold that `to_dict` described."""
        return cls(**fields)


def fit_threshold(labels: ArrayLike, scores: ArrayLike) -> Threshold:
    """Find the cut-off with the highest F1, in the middle of the widest interval that reaches it.

    Every cut-off between two neighbouring scores gives the same alarms. Adjacent intervals that
    reach the highest F1 count as one; the middle gives a score that separates the classes a
    margin on both sides. "Everything alarms" has no middle: its cut-off is the lowest score.

    Args:
        labels: 0 or 1 `[num_windows]`, of validation.
        scores: raw scores, higher = attack `[num_windows]`.

    Returns:
        The operating point, in the scores' unit.

    Raises:
        DataError: a class is missing, a score is not finite, or lengths differ.
    """
    labels, scores = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    check_validation(labels, scores)
    cuts, first = np.unique(np.sort(scores), return_index=True)
    attack_above, alarms_above = counts_above(labels, scores, first)
    f1 = 2 * attack_above / (alarms_above + labels.sum())
    low, high = widest_best_interval(cuts, f1)
    return Threshold(
        value=middle(low, high),
        rule=MAXIMUM_F1,
        f1=float(f1.max()),
        low=low,
        high=high,
        n=int(labels.size),
        n_attack=int(labels.sum()),
    )


def fit_thresholds(window_scores: pd.DataFrame) -> dict[str, Threshold]:
    """Fit one threshold per model on the validation windows of a table of window scores.

    Args:
        window_scores: columns split, model, label, score; one row per window and model.

    Returns:
        Threshold per model, in order of first appearance.

    Raises:
        DataError: a model's validation lacks a class, or a score is not finite.
    """
    validation = window_scores[window_scores["split"] == "validation"]
    models = pd.unique(window_scores["model"])
    return {
        str(model): fit_threshold(windows["label"].to_numpy(), windows["score"].to_numpy())
        for model in models
        for windows in [validation[validation["model"] == model]]
    }


def check_validation(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> None:
    """Refuse validation windows that no threshold can be fitted on."""
    if labels.shape != scores.shape:
        raise DataError(f"{labels.size} labels came with {scores.size} scores: one per window.")
    if not np.isfinite(scores).all():
        raise DataError(
            f"{(~np.isfinite(scores)).sum()} of {scores.size} validation scores are not finite."
        )
    if labels.all() or not labels.any():
        raise DataError(
            f"Validation holds {labels.sum()} attack windows among {labels.size}:"
            f" a threshold needs attack and benign windows."
        )


def counts_above(
    labels: NDArray[np.bool_], scores: NDArray[np.float64], first: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the attack windows, and all windows, at or above each distinct score.

    Args:
        labels: bool `[num_windows]`.
        scores: float64 `[num_windows]`.
        first: position of each distinct score in the sorted scores `[num_cuts]`.

    Returns:
        int64 `[num_cuts]` each.
    """
    ordered = labels[np.argsort(scores, kind="stable")]
    attack_below = np.concatenate([[0], np.cumsum(ordered)])[first]
    return labels.sum() - attack_below, labels.size - first


def widest_best_interval(cuts: NDArray[np.float64], f1: NDArray[np.float64]) -> tuple[float, float]:
    """Find the widest (low, high] in which every cut-off reaches the highest F1.

    Cut-offs in `(cuts[i - 1], cuts[i]]` reach `f1[i]`; below `cuts[0]` the interval has no end,
    so `cuts[0]` stands for it. Of equally wide ones the highest wins: fewer alarms.

    Args:
        cuts: distinct scores, ascending `[num_cuts]`.
        f1: F1 of the cut-off at each `[num_cuts]`.

    Returns:
        low and high, in the scores' unit; equal only where everything must alarm.
    """
    best = np.concatenate([[False], f1 == f1.max(), [False]]).astype(np.int8)
    begin, end = np.flatnonzero(np.diff(best) == 1), np.flatnonzero(np.diff(best) == -1) - 1
    low, high = cuts[np.maximum(begin - 1, 0)], cuts[end]
    # Halved before the difference, so that two huge scores do not overflow.
    width = high / 2 - low / 2
    widest = np.flatnonzero(width == width.max())[-1]
    return float(low[widest]), float(high[widest])


def middle(low: float, high: float) -> float:
    """Give the middle of (low, high]; `high` where no float lies between the two."""
    value = low / 2 + high / 2
    return value if low < value <= high else high
