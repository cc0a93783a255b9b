"""Operating points: where a score becomes an alarm, fitted on benign windows alone.

The windows that are asked to give few false alarms are fewer than the false alarms are rare: a
budget of one in ten thousand cannot be read off a thousand benign windows. So the tail above a
high quantile is described by a generalised Pareto distribution (Pickands 1975; Coles: An
Introduction to Statistical Modeling of Extreme Values, 2001, chapter 4) and the threshold is its
quantile at the budget, but just above the highest benign score at most: what so few windows say of
scores beyond it costs attacks and saves hardly an alarm (docs/decisions/0004-operating-point.md).
Labels of attacks are not looked at.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from kdgat.errors import DataError

LOGGER = logging.getLogger(__name__)

ZERO_SHOT, CALIBRATED = "zero_shot", "calibrated"
PROTOCOLS = (ZERO_SHOT, CALIBRATED)

TAIL_SHARE = 0.05
"""Share of the benign windows whose scores make the tail."""

FEWEST_IN_TAIL = 20
LARGEST_SHAPE = 0.5
"""A heavier tail has no variance: what so few windows say of it is noise."""

FEWEST_WINDOWS = 4

BENIGN_TAIL = "extreme-value quantile of benign validation windows"
ABOVE_ALL = (
    "just above the highest benign validation window, as the extreme-value quantile is higher"
)
FIXED = "fixed"


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """An operating point with where it came from.

    Attributes:
        value: windows with `score >= value` alarm; in the unit of the score (logit or anomaly).
        rule: how the value was chosen.
        budget: false-positive rate asked for; of a point that is part of a rule, the rate found.
        n: benign windows it was fitted on.
        n_tail: those in the tail.
        shape: of the tail; above 0 heavier than exponential.
        scale: of the tail, in the score's unit.
        highest: largest benign score.
        f1: on the validation windows with attacks, 0 to 1: to compare models by, not fitted.
        n_attack: attack windows behind `f1`.
        captures: captures, drawn cars among them, that the benign windows are of; 0 if unnamed.
        tail_captures: those of them that the tail is of.
        highest_capture: the one with the highest benign score; empty if unnamed.
    """

    value: float
    rule: str
    budget: float
    n: int
    n_tail: int
    shape: float
    scale: float
    highest: float
    f1: float
    n_attack: int
    captures: int = 0
    tail_captures: int = 0
    highest_capture: str = ""

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


def fit_threshold(labels: ArrayLike, scores: ArrayLike, *, budget: float) -> Threshold:
    """Fit an operating point on the benign ones of some validation windows.

    Args:
        labels: 0 or 1 `[num_windows]`; attack windows are left out.
        scores: raw scores, higher = attack `[num_windows]`.
        budget: share of benign windows that may alarm, above 0, at most .5.

    Returns:
        The operating point, in the scores' unit; above every score where they are all equal.

    Raises:
        DataError: too few benign windows, a score is not finite, or lengths differ.
    """
    labels, scores = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    benign = np.sort(checked_benign(labels, scores))
    tail = round(max(TAIL_SHARE, budget) * benign.size)
    n_tail = int(min(max(FEWEST_IN_TAIL, tail), benign.size // 2))
    start = benign[-n_tail - 1]
    shape, scale = fit_tail(benign[-n_tail:] - start)
    extrapolated = start + tail_quantile(shape, scale, budget * benign.size / n_tail)
    value = min(extrapolated, np.nextafter(benign[-1], np.inf))
    value = np.nextafter(value, np.inf) if value <= start else value
    return _threshold(
        labels,
        scores,
        value=value,
        rule=BENIGN_TAIL if value <= benign[-1] else ABOVE_ALL,
        budget=budget,
        n=int(benign.size),
        n_tail=n_tail,
        shape=shape,
        scale=scale,
        highest=float(benign[-1]),
    )


def fixed_threshold(labels: ArrayLike, scores: ArrayLike, value: float) -> Threshold:
    """Keep an operating point that is part of a rule; arguments as `fit_threshold`."""
    labels, scores = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    benign = checked_benign(labels, scores)
    share = float(np.mean(benign >= value))
    return _threshold(
        labels, scores, value=value, rule=FIXED, budget=share, n=int(benign.size), n_tail=0,
        shape=0.0, scale=0.0, highest=float(benign.max()),
    )  # fmt: skip


def fit_tail(excess: NDArray[np.float64]) -> tuple[float, float]:
    """Fit a generalised Pareto distribution by probability-weighted moments.

    Hosking, Wallis: Parameter and Quantile Estimation for the Generalized Pareto Distribution,
    Technometrics 29 (1987): closed form, and steadier than maximum likelihood in small samples.

    Args:
        excess: ascending, at least 0 `[n_tail]`, at least 2.

    Returns:
        Shape, limited to +-LARGEST_SHAPE, and scale.
    """
    n = excess.size
    first = float(excess.mean())
    if first == 0.0:
        return 0.0, 0.0
    second = float((excess * (n - 1 - np.arange(n))).sum() / (n * (n - 1)))
    shape = 2.0 - first / (first - 2.0 * second) if first > 2.0 * second else -LARGEST_SHAPE
    shape = float(np.clip(shape, -LARGEST_SHAPE, LARGEST_SHAPE))
    return shape, first * (1.0 - shape)


def tail_quantile(shape: float, scale: float, share: float) -> float:
    """Give the excess that a share of the tail's windows exceed, 0 where that is all of them."""
    share = min(1.0, share)
    if abs(shape) < 1e-9:
        return -scale * float(np.log(share))
    return scale / shape * (share**-shape - 1.0)


def protocol_windows(windows: pd.DataFrame, protocol: str) -> tuple[pd.DataFrame, str]:
    """Take the windows judged by a protocol, or all where it has no benign one.

    Without windows of its own (a model trained without any profile) a protocol shares the
    operating point of the other one.

    Returns:
        The windows, and the protocol of the benign ones.
    """
    own = windows[windows["protocol"] == protocol]
    if (own["label"] == 0).any():
        return own, protocol
    (other,) = set(PROTOCOLS) - {protocol}
    return windows, other


def warn_of_shared_points(validation: pd.DataFrame, models: Collection[str]) -> None:
    """Log a warning for each protocol without benign windows of a model.

    Args:
        validation: columns protocol, model and label.
        models: those whose operating points should come from windows of each protocol.
    """
    benign = validation[validation["label"] == 0]
    for protocol in PROTOCOLS:
        found = set(benign[benign["protocol"] == protocol]["model"])
        elsewhere = set(benign["model"]) - found
        without = [model for model in models if model in elsewhere]
        if without:
            LOGGER.warning(
                "no benign validation window is %s for %s: the operating point there is fitted on "
                "windows of the other protocol",
                *(protocol, ", ".join(without)),
            )


def fit_thresholds(
    window_scores: pd.DataFrame,
    *,
    budgets: Mapping[str, float],
    fixed: dict[str, float],
    shared: Collection[str] = (),
) -> dict[str, dict[str, Threshold]]:
    """Fit one threshold per model and protocol on the validation windows of a table.

    A model without benign windows of a protocol is judged there at the other one's point; a
    warning names it.

    Args:
        window_scores: columns split, protocol, model, capture, label, score; one row per window
            and model.
        budgets: protocol -> false-positive rate asked for.
        fixed: operating points that are part of a model's rule.
        shared: models that are meant to have one point for both protocols: no warning names them.

    Returns:
        Model -> protocol -> threshold, models in order of first appearance.

    Raises:
        DataError: a model's validation lacks benign windows, or a score is not finite.
    """
    validation = window_scores[window_scores["split"] == "validation"]
    fitted: dict[str, dict[str, Threshold]] = {}
    models = [str(model) for model in pd.unique(window_scores["model"])]
    warn_of_shared_points(validation, [x for x in models if x not in (*fixed, *shared)])
    for model in models:
        own = validation[validation["model"] == model]
        for protocol in PROTOCOLS:
            chosen, source = protocol_windows(own, protocol)
            labels, scores = chosen["label"].to_numpy(), chosen["score"].to_numpy()
            point = (
                fixed_threshold(labels, scores, fixed[model])
                if model in fixed
                else fit_threshold(labels, scores, budget=budgets[source])
            )
            fitted.setdefault(model, {})[protocol] = replace(point, **_rests_on(chosen, point))
    return fitted


def _rests_on(windows: pd.DataFrame, point: Threshold) -> dict[str, int | str]:
    """Name the captures behind a point: where few make its tail, it is a matter of these."""
    benign = windows[windows["label"] == 0].sort_values("score", kind="stable")
    return {
        "captures": benign["capture"].nunique(),
        "tail_captures": benign["capture"].tail(point.n_tail).nunique(),
        "highest_capture": str(benign["capture"].iloc[-1]),
    }


def point_values(thresholds: dict[str, dict[str, dict]]) -> dict[str, dict[str, float]]:
    """Take the values alone of stored points: model -> protocol -> threshold."""
    return {
        model: {protocol: point["value"] for protocol, point in points.items()}
        for model, points in thresholds.items()
    }


def checked_benign(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the benign scores; refuse windows that no threshold can be fitted on."""
    if labels.shape != scores.shape:
        raise DataError(f"{labels.size} labels came with {scores.size} scores: one per window.")
    if not np.isfinite(scores).all():
        raise DataError(
            f"{(~np.isfinite(scores)).sum()} of {scores.size} validation scores are not finite."
        )
    benign = scores[~labels]
    if benign.size < FEWEST_WINDOWS:
        raise DataError(
            f"Validation holds {benign.size} benign windows:"
            f" an operating point needs at least {FEWEST_WINDOWS}."
        )
    return benign


def _threshold(labels: NDArray[np.bool_], scores: NDArray[np.float64], **fields) -> Threshold:
    hits = scores >= fields["value"]
    found, attacks, alarms = int((labels & hits).sum()), int(labels.sum()), int(hits.sum())
    f1 = 2 * found / (attacks + alarms) if attacks + alarms else 0.0
    return Threshold(**{**fields, "value": float(fields["value"])}, f1=float(f1), n_attack=attacks)
