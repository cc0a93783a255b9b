"""What this kdgat measures on some fixed frames, so that a model knows its features again.

A name says what a feature is about, not how it is measured. So a model keeps the means of its
features on these frames, and is asked only where they are what it was trained with.
"""

from collections.abc import Sequence
from functools import cache
from itertools import zip_longest

import numpy as np
import pandas as pd

from kdgat.can.feature_names import EDGE_FEATURES, NODE_FEATURES
from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graphs import build_graphs
from kdgat.can.profile import Profile

SECONDS, LEARNED, WINDOW = 4.0, 2.0, 50
RELATIVE, ABSOLUTE = 1e-3, 1e-4
"""Differences that processors make; a feature that is measured otherwise differs by more."""


@cache
def feature_sample() -> tuple[tuple[str, float], ...]:
    """Give each feature and its mean over nodes, or edges, of windows of the frames' second half.

    The profile has learned the first half.
    """
    frames = _frames()
    later = int(np.searchsorted(frames["timestamp"], LEARNED))
    starts = np.arange(later, len(frames) - WINDOW + 1, WINDOW)
    graphs = build_graphs(frames, starts, WINDOW, Profile.empty().update(frames[:later]))
    return tuple(
        (name, float(f"{value:.7g}"))
        for names, table in ((NODE_FEATURES, graphs.x), (EDGE_FEATURES, graphs.edge_attr))
        for name, value in zip(names, np.asarray(table, np.float64).mean(axis=0), strict=True)
    )


def differing_features(sample: Sequence[tuple[str, float]]) -> list[str]:
    """Name the features that another kdgat lacked, had in another place, or measured otherwise.

    Args:
        sample: its `feature_sample`.
    """
    pairs = zip_longest(feature_sample(), sample, fillvalue=("", np.nan))
    return [
        name or former
        for (name, value), (former, before) in pairs
        if name != former or not np.isclose(value, before, RELATIVE, ABSOLUTE)
    ]


def _frames() -> pd.DataFrame:
    """Make six timers that jitter, their bytes counting, resting and wandering.

    In the second half one falls silent, one is forged, one freezes, one sends too few bytes, and
    two come that nobody knows.
    """
    periods = (0.005, 0.01, 0.013, 0.02, 0.05, 0.1)
    fast, silenced, frozen, cut, spoofed, slow = (
        _sent(0x100 + 0x40 * place, period) for place, period in enumerate(periods)
    )
    silenced = silenced[(silenced["time"] < 2.6) | (silenced["time"] > 3.4)]
    frozen.loc[frozen["time"] > 3.0, "fourth"] = 9
    cut.loc[(cut["time"] > LEARNED) & (cut["first"] % 4 == 0), ["dlc", "fourth"]] = 3, ABSENT
    forged = _sent(spoofed["id"].iloc[0], 0.047).assign(second=255)
    pair = [_sent(each, 0.11).assign(second=1, fourth=2) for each in (0x7F0, 0x7F1)]
    attack = pd.concat([forged, *pair])
    sent = [fast, silenced, frozen, cut, spoofed, slow, attack[attack["time"] > LEARNED]]
    bus = pd.concat(sent).sort_values("time", kind="stable", ignore_index=True)
    payload = np.full((len(bus), 8), ABSENT, np.int16)
    payload[:, :4] = bus[["first", "second", "third", "fourth"]]
    return frame_table(
        timestamp=bus["time"].to_numpy(),
        arbitration_id=bus["id"].to_numpy(),
        dlc=bus["dlc"].to_numpy(),
        payload=payload,
        attack=np.zeros(len(bus), np.uint8),
    )


def _sent(arbitration_id: int, period: float) -> pd.DataFrame:
    number = np.arange(int(SECONDS / period))
    jitter = (number * 0.618034) % 1.0 - 0.5
    return pd.DataFrame(
        {
            "time": period * (number + 0.5 + 0.06 * jitter),
            "id": arbitration_id,
            "dlc": 4,
            "first": number % 16,
            "second": arbitration_id % 251,
            "third": np.abs(number % 200 - 100),
            "fourth": (number * 37 + arbitration_id) % 256,
        }
    )
