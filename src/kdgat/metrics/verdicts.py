"""Who wins: kdgat against the best baseline, its fusion against its detectors and other ways."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.metrics.detection import detection_metrics
from kdgat.metrics.intervals import Resampling, f1_difference_interval
from kdgat.metrics.scorecards import margins

SIZES = ("teacher", "student")
WINS, LOSES, LEVEL, UNCLEAR = "wins", "loses", "level", "unclear"
BASELINES, DETECTORS, WAYS_TO_JOIN = "baselines", "detectors", "fusions"
VERDICT_COLUMNS = (
    "contest",
    "protocol",
    "scenario",
    "model",
    "f1",
    "rival",
    "rival_f1",
    "margin",
    "margin_low",
    "margin_high",
    "verdict",
)


class Contest(NamedTuple):
    """A model of ours, and those whose best it has to beat."""

    name: str
    model: str
    rivals: list[str]


def contests(models: list[str]) -> list[Contest]:
    """Say who meets whom.

    Args:
        models: `<size>_<kind>` are ours, `<way> of <size>s` join our detectors another way, all
            others are baselines.

    Returns:
        For each size its fusion against the baselines, against its two detectors alone, and
        against every other way to join them.
    """
    found = []
    for size in SIZES:
        fusion = f"{size}_fusion"
        alone = [name for name in models if name.startswith(f"{size}_") and name != fusion]
        joined = [name for name in models if name.endswith(f" of {size}s")]
        found.append(Contest(BASELINES, fusion, [name for name in models if is_baseline(name)]))
        found.append(Contest(DETECTORS, fusion, alone))
        found.append(Contest(WAYS_TO_JOIN, fusion, joined))
    return [one for one in found if one.model in models and one.rivals]


def is_baseline(model: str) -> bool:
    """Say whether a model is neither ours nor another way to join our detectors."""
    ours = model.startswith(tuple(f"{size}_" for size in SIZES))
    return not ours and not model.endswith(tuple(f" of {size}s" for size in SIZES))


def verdicts(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, Mapping[str, float]],
    resampling: Resampling,
) -> pd.DataFrame:
    """Compare F1 with that of the best rival, on test, at the stored operating points.

    The best rival is the one with the highest F1 on test itself: it is favoured.

    Args:
        window_scores: `scorecards.WINDOW_SCORE_COLUMNS`, windows with a known label.
        thresholds: model -> protocol -> operating point.
        resampling: of the intervals.

    Returns:
        VERDICT_COLUMNS, one row per contest, protocol and scenario in which F1 is defined. The
        verdict is `level` where the interval of the margin holds 0, `unclear` where attacks are
        too few for an interval.
    """
    test = window_scores[window_scores["split"] == "test"]
    meetings = contests([str(name) for name in pd.unique(test["model"])])
    rows = []
    for (protocol, scenario), windows in test.groupby(["protocol", "scenario"], sort=False):
        if not (windows["label"] == 1).any():
            continue
        sides = dict(_sides(windows, thresholds))
        for contest, model, rivals in meetings:
            one = sides[model]
            other = max((sides[name] for name in rivals), key=lambda side: side.f1)
            low, high = f1_difference_interval(
                one.windows["label"],
                one.alarms,
                other.alarms,
                captures=one.windows["capture"],
                stretches=one.windows["stretch"],
                resampling=resampling,
            )
            rows.append(
                {
                    "contest": contest,
                    "protocol": protocol,
                    "scenario": scenario,
                    "model": model,
                    "f1": one.f1,
                    "rival": other.model,
                    "rival_f1": other.f1,
                    "margin": one.f1 - other.f1,
                    "margin_low": low,
                    "margin_high": high,
                    "verdict": verdict_of(low, high),
                }
            )
    return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS))


def verdict_of(low: float, high: float) -> str:
    """Read a verdict off the interval of a margin."""
    if np.isnan(low):
        return UNCLEAR
    return WINS if low > 0 else LOSES if high < 0 else LEVEL


class _Side(NamedTuple):
    model: str
    windows: pd.DataFrame
    alarms: np.ndarray
    f1: float


def _sides(
    windows: pd.DataFrame, thresholds: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[str, _Side]]:
    """Judge each model on the same windows, in the same order."""
    for model, rows in windows.groupby("model", sort=False):
        ordered = rows.sort_values(["capture", "start"])
        margin = margins(ordered, thresholds[model])
        f1 = detection_metrics(ordered["label"].to_numpy(), margin, 0.0)["f1"]
        yield model, _Side(model, ordered, margin >= 0.0, float(f1))
