"""Which windows an episode touches, while it lasts and in the seconds after it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

AFTERMATH = 0.5
"""Seconds after an episode in which an alarm still belongs to it: rhythms have to settle."""


def known_windows(window_scores: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """Leave out the windows that no label describes: those in which an ID is silent.

    Args:
        window_scores: columns capture, start_time and end_time (s), and any others.
        episodes: columns capture, start, end (s, NaN where nobody says when) and attack_frames.

    Returns:
        The rows that touch no episode without attack frames, nor the `AFTERMATH` of one; of a
        capture with such an episode of unknown bounds, none.
    """
    silent = episodes[episodes["attack_frames"] == 0]
    unknown = pd.Series(False, index=window_scores.index)
    for capture, bounds in silent.groupby("capture"):
        rows = window_scores["capture"] == capture
        begin, end = (
            window_scores.loc[rows, name].to_numpy() for name in ("start_time", "end_time")
        )
        unknown[rows] = touched(begin, end, bounds[["start", "end"]].to_numpy())
    return window_scores[~unknown]


def touched(
    begin: NDArray[np.float64], end: NDArray[np.float64], bounds: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Mark windows that touch an episode or its aftermath; all where its bounds are unknown.

    Args:
        begin: first second of each window `[num_windows]`.
        end: last second `[num_windows]`.
        bounds: first and last second of each episode `[num_episodes, 2]`, NaN if unknown.
    """
    if np.isnan(bounds).any():
        return np.ones(len(begin), dtype=bool)
    first, last = bounds[:, :1], bounds[:, 1:]
    return ((begin <= last + AFTERMATH) & (end >= first)).any(axis=0)
