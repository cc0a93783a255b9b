"""When an ID falls silent, as the frames of a capture tell it.

A capture in which an attacker suppresses an ID has no attack frame, and few publishers say when the
ID was silent. On recorded cars an ID that sends without pauses keeps its rhythm so well that its
silence cannot be mistaken: `benchmarks/silences.py`.
"""

import logging
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.clock import bus_time

LOGGER = logging.getLogger(__name__)

LEAST_FRAMES = 20
"""An ID with fewer frames has no rhythm to miss."""

LONG, USUAL = 10.0, 0.9
"""A silence is so many times as long as this quantile of the ID's gaps."""

LEAST_ACTIVE = 0.25
"""Share of the capture that its frames must span at their usual distance: an ID that sends in short
bursts, or in a diagnostic session, is silent otherwise."""

LEAST_RATE = 0.5
"""What the other IDs send meanwhile, in their usual rate: else the recording pauses."""

SHOWN = 3
"""Silences of a capture that the log names."""


class Silence(NamedTuple):
    """A time without a frame of an ID that sends regularly otherwise.

    Attributes:
        start: Last second (bus time) with a frame of it; the capture's first if it begins silent.
        end: First second with a frame again; the capture's last if none comes.
        arbitration_id: The ID.
    """

    start: float
    end: float
    arbitration_id: int


def find_silences(frames: pd.DataFrame) -> list[Silence]:
    """Find the silences of all IDs of a capture, by start; labels are not looked at.

    Of an ID without any frame nothing can be said.

    Args:
        frames: Frame table.
    """
    time = bus_time(frames["timestamp"].to_numpy())
    found = [
        Silence(start, end, int(arbitration_id))
        for arbitration_id, places in frames.groupby("arbitration_id").indices.items()
        for start, end in _of_one_id(places, time)
    ]
    return sorted(found)


def _of_one_id(places: np.ndarray, time: np.ndarray) -> list[tuple[float, float]]:
    """Bound the silences of the ID with the frames at `places` of a capture."""
    duration = time[-1] - time[0]
    gaps = np.diff(time[places])
    if len(places) < LEAST_FRAMES or len(places) * np.median(gaps) < LEAST_ACTIVE * duration:
        return []
    edges = np.concatenate([[0], places, [len(time) - 1]])
    lengths, others = np.diff(time[edges]), np.diff(edges) - 1
    usual_rate = (len(time) - len(places)) / duration
    is_silent = lengths > LONG * np.quantile(gaps, USUAL)
    is_silent &= others >= LEAST_RATE * usual_rate * lengths
    return [
        (float(time[edges[gap]]), float(time[edges[gap + 1]])) for gap in np.flatnonzero(is_silent)
    ]


def joined(silences: list[Silence]) -> list[tuple[float, float]]:
    """Give the bounds of the times in which at least one ID is silent, by start."""
    bounds: list[tuple[float, float]] = []
    for start, end, _ in sorted(silences):
        if bounds and start <= bounds[-1][1]:
            start, end = bounds[-1][0], max(end, bounds.pop()[1])
        bounds.append((start, end))
    return bounds


def report_silences(name: str, found: list[Silence], begin: float) -> None:
    """Log when IDs of a capture are silent, in s since `begin`, its first second."""
    if not found:
        LOGGER.warning(
            "%s: nothing declares when an ID is silent, and its frames tell of no such time: "
            "it has no episode",
            name,
        )
        return
    shown = [
        f"{arbitration_id:#05x} from {start - begin:.1f} to {end - begin:.1f} s"
        for start, end, arbitration_id in found[:SHOWN]
    ]
    more = len(found) - len(shown)
    LOGGER.info(
        "%s: nothing declares when an ID is silent; by its frames %s%s",
        *(name, ", ".join(shown), f" and {more} times more" if more else ""),
    )
