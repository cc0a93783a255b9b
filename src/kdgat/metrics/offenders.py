"""Whether the arbitration IDs that a model names are those under attack."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import comb

from kdgat.metrics.scorecards import margins

PLACES = (1, 3)
NAMED_COLUMNS = ("named_1", "named_2", "named_3")
WINDOW_KEYS = ["protocol", "capture", "start", "model"]
OFFENDER_COLUMNS = (
    "model",
    "protocol",
    "scenario",
    "n_alarmed",
    "hit_at_1",
    "hit_at_3",
    "chance_at_1",
    "chance_at_3",
)


def offender_scorecard(
    named: pd.DataFrame,
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, Mapping[str, float]],
    attacked_ids: pd.DataFrame,
) -> pd.DataFrame:
    """Say how often an ID under attack is among those named, in attack windows that alarm.

    Args:
        named: one row per attack window and model: WINDOW_KEYS, scenario, ids (in the window) and
            NAMED_COLUMNS, the most suspicious first, -1 where there is none.
        window_scores: `scorecards.WINDOW_SCORE_COLUMNS`.
        thresholds: model -> protocol -> operating point.
        attacked_ids: one row per window and ID with attack frames: capture, start, arbitration_id.

    Returns:
        OFFENDER_COLUMNS, one row per model, protocol and scenario: windows counted, the share in
        which the first ID named is under attack, or one of the first three, and the shares that
        naming IDs at random would reach; NaN where no attack window alarms.
    """
    test = window_scores[window_scores["split"] == "test"]
    truth = attacked_ids.groupby(["capture", "start"])["arbitration_id"].agg(set)
    rows = []
    for keys, windows in named.groupby(["model", "protocol", "scenario"], sort=False):
        scores = test[test["model"] == keys[0]].merge(windows, on=[*WINDOW_KEYS, "scenario"])
        alarmed = scores[margins(scores, thresholds[keys[0]]) >= 0.0]
        names = dict(zip(("model", "protocol", "scenario"), keys, strict=True))
        rows.append({**names, **hit_rates(alarmed, truth)})
    return pd.DataFrame(rows, columns=list(OFFENDER_COLUMNS))


def hit_rates(windows: pd.DataFrame, truth: pd.Series) -> dict[str, float | int]:
    """Compare the IDs named with those under attack; figures as above.

    Args:
        windows: columns capture, start, ids and NAMED_COLUMNS.
        truth: capture and start -> the set of IDs under attack.
    """
    figures: dict[str, float | int] = {"n_alarmed": len(windows)}
    found = truth.reindex(pd.MultiIndex.from_frame(windows[["capture", "start"]]))
    named = windows[list(NAMED_COLUMNS)].to_numpy()
    is_hit = np.array(
        [[one in ids for one in row] for row, ids in zip(named.tolist(), found, strict=True)],
        dtype=bool,
    ).reshape(len(windows), len(NAMED_COLUMNS))
    under_attack = np.array([len(ids) for ids in found], dtype=np.int64)
    in_window = windows["ids"].to_numpy(dtype=np.int64)
    for place in PLACES:
        by_chance = chance_of_hit(in_window, under_attack, place)
        figures[f"hit_at_{place}"] = _mean(is_hit[:, :place].any(axis=1))
        figures[f"chance_at_{place}"] = _mean(by_chance)
    return figures


def chance_of_hit(
    in_window: NDArray[np.int64], under_attack: NDArray[np.int64], draws: int
) -> NDArray[np.float64]:
    """Give the chance that of some IDs drawn at random, at least one is under attack.

    Args:
        in_window: IDs of the window `[num_windows]`, at least 1.
        under_attack: those under attack `[num_windows]`.
        draws: IDs drawn, all different; all of them where there are fewer.
    """
    drawn = np.minimum(draws, in_window)
    return 1.0 - comb(in_window - under_attack, drawn) / comb(in_window, drawn)


def _mean(values: NDArray) -> float:
    return float(values.mean()) if values.size else np.nan
