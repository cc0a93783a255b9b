"""Which windows an episode touches, while it lasts and in the seconds after it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

AFTERMATH = 0.5
"""Seconds after an episode in which an alarm still belongs to it: rhythms have to settle."""


def known_windows(window_scores: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """Leave out the windows that no label describes: those in which an ID is silent; say of the
    others in which stretch of their capture they lie.

    Args:
        window_scores: columns capture, start_time and end_time (s), and any others.
        episodes: columns capture, start, end (s, NaN where nobody says when) and attack_frames.

    Returns:
        The rows that touch no episode without attack frames, nor the `AFTERMATH` of one; of a
        capture with such an episode of unknown bounds, none. Column `stretch` is added.
    """
    unknown = pd.Series(False, index=window_scores.index)
    stretch = pd.Series(0, index=window_scores.index)
    for capture, own in episodes.groupby("capture"):
        rows = window_scores["capture"] == capture
        begin, end = (
            window_scores.loc[rows, name].to_numpy() for name in ("start_time", "end_time")
        )
        bounds, silent = own[["start", "end"]].to_numpy(), own["attack_frames"].to_numpy() == 0
        unknown[rows] = touched(begin, end, bounds[silent])
        stretch[rows] = stretches(begin, end, bounds)
    return window_scores.assign(stretch=stretch)[~unknown]


def stretches(
    begin: NDArray[np.float64], end: NDArray[np.float64], bounds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Number the stretches of a capture: before, in and between its episodes.

    Args:
        begin: first second of each window `[num_windows]`.
        end: last second `[num_windows]`.
        bounds: first and last second of each episode `[num_episodes, 2]`, NaN if unknown.

    Returns:
        int64 `[num_windows]`: twice the number of episodes that have begun, less 1 while one of
        them goes on.
    """
    first, last = np.sort(bounds[~np.isnan(bounds).any(axis=1)], axis=0).T
    begun = np.searchsorted(first, end, side="right")
    over = np.searchsorted(last, begin, side="left")
    return 2 * begun - (over < begun)


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


def seconds_watched(begin: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the seconds of each window that the next one does not see as well.

    Args:
        begin: time of the first frame of each window of one capture, s, ascending `[num_windows]`.
        end: of the last one `[num_windows]`.
    """
    return np.minimum(end, np.append(begin[1:], np.inf)) - begin
