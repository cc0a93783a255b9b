"""The time of a recording: its timestamps may step back, and ahead where it has paused."""

import logging

import numpy as np
import pandas as pd

LOGGER = logging.getLogger(__name__)

PAUSE = 10.0
"""For longer, s, no bus that is awake is without a frame: the recording has paused."""


def bus_time(timestamp: np.ndarray) -> np.ndarray:
    """Make timestamps that run on with the traffic: float64 `[num_frames]`, s.

    A step back counts as no time, and so does one ahead by more than `PAUSE`; what comes after it
    is later, or earlier, by as much.

    Args:
        timestamp: float64 `[num_frames]`, s, in recorded order.
    """
    steps = np.diff(timestamp)
    runs_on = (steps >= 0.0) & (steps <= PAUSE)
    if runs_on.all():
        return timestamp
    return timestamp[0] + np.concatenate([[0.0], np.cumsum(np.where(runs_on, steps, 0.0))])


def without_jumps(timestamp: np.ndarray) -> np.ndarray:
    """Take steps of over `PAUSE`, ahead or back, out of timestamps: float64 `[num_frames]`, s.

    There a recording has paused, or its clock was set, or another log begins. Smaller steps back
    are frames out of order, and stay.

    Args:
        timestamp: float64 `[num_frames]`, s, in recorded order.
    """
    steps = np.diff(timestamp)
    jumps = np.where(np.abs(steps) > PAUSE, steps, 0.0)
    return timestamp - np.concatenate([[0.0], np.cumsum(jumps)]) if jumps.any() else timestamp


def steps_back(frames: pd.DataFrame) -> np.ndarray:
    """Find the frames whose timestamp lies before that of the frame they follow: int64."""
    return np.flatnonzero(np.diff(frames["timestamp"].to_numpy()) < 0) + 1


def report_clock(name: str, frames: pd.DataFrame) -> None:
    """Log where the timestamps of a capture do not run on as the traffic does."""
    steps = np.diff(frames["timestamp"].to_numpy())
    back, ahead = np.flatnonzero(steps < 0.0), np.flatnonzero(steps > PAUSE)
    if len(back):
        LOGGER.warning(
            "%s: timestamps step back %d times, first by %.6f s at frame %d; the order is kept, "
            "and it counts as no time",
            *(name, len(back), -steps[back[0]], back[0] + 1),
        )
    if len(ahead):
        LOGGER.warning(
            "%s: timestamps step ahead by over %g s %d times, first by %.1f s at frame %d; "
            "it counts as a pause of the recording, as no time",
            *(name, PAUSE, len(ahead), steps[ahead[0]], ahead[0] + 1),
        )
