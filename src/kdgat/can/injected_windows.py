"""Windows of attacks injected into one attack-free recording."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.injections import EPISODE_COLUMNS, Injection, inject
from kdgat.can.windows import window_labels, window_starts

LEAD = (0.2, 1.0)
"""Benign beginning: a share of the recording, and at most so many s."""

EPISODE_SECONDS = (0.3, 2.0)
PAUSE_SECONDS = (0.2, 1.0)
"""Many short episodes: each draws its own rate, target and payload."""

BENIGN_PER_ATTACK = 0.25
"""Benign windows kept of an injected recording: traffic just before and after an attack."""

MISSED_FRAMES = 2.0
"""A suppressed ID is missed once it has been silent for so many of its mean gaps."""

EVIDENCE_IN_PROFILE = ("suppress", "masquerade")
"""Attacks of which a window shows nothing unless it is measured against a profile."""


class AttackedWindows(NamedTuple):
    """An attacked recording and the windows to take from it.

    Attributes:
        frames: Frame table.
        starts: int64 `[num_windows]`, ascending.
        y: uint8 `[num_windows]`, 1 where the window shows the attack.
    """

    frames: pd.DataFrame
    starts: np.ndarray
    y: np.ndarray


def attacked_windows(
    frames: pd.DataFrame,
    attack: str,
    generator: np.random.Generator,
    *,
    number: int,
    window: int,
    stride: int,
    bitrate: int,
) -> AttackedWindows:
    """Attack a recording in many short episodes and draw windows of it.

    A window is an attack if it holds a frame of the attacker. `suppress` has no such frame: there
    a window is an attack if it lies in an episode, after the ID's frame has been due for
    `MISSED_FRAMES` of its gaps; other windows of the episode are left out.

    Args:
        frames: Benign frame table, timestamps not descending.
        attack: One of `injections.ATTACKS`.
        generator: Source of all randomness.
        number: Attack windows wanted; as many as there are if fewer.
        window: Frames in a window.
        stride: Frames from one start to the next.
        bitrate: Speed of the bus, bit/s.

    Raises:
        DataError: The recording is too short to be attacked.
    """
    time = frames["timestamp"].to_numpy()
    bounds = draw_short_episodes(time[0], time[-1], generator)
    injection = inject(frames, attack, generator, bitrate=bitrate, episodes=bounds)
    starts = window_starts(len(injection.frames), window, stride)
    y = window_labels(injection.frames["attack"].to_numpy(), starts, window)
    taken = np.ones(len(starts), bool)
    if attack == "suppress":
        y, taken = _missing(frames, injection, starts, window)
    attacks = _some(np.flatnonzero(taken & (y == 1)), number, generator)
    benign = np.flatnonzero(taken & (y == 0))
    kept = np.union1d(attacks, _some(benign, round(BENIGN_PER_ATTACK * number), generator))
    return AttackedWindows(injection.frames, starts[kept], y[kept])


def draw_short_episodes(
    first: float, last: float, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """Draw episodes of `EPISODE_SECONDS` with pauses of `PAUSE_SECONDS`: start and end, s."""
    share, seconds = LEAD
    end = first + min(share * (last - first), seconds)
    episodes = []
    while True:
        start = end + generator.uniform(*PAUSE_SECONDS)
        end = start + generator.uniform(*EPISODE_SECONDS)
        if end >= last:
            return episodes
        episodes.append((start, end))


def _missing(
    benign: pd.DataFrame, injection: Injection, starts: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Label the windows that lack a silenced ID, and say which windows are clear either way."""
    time = injection.frames["timestamp"].to_numpy()
    begin, end = time[starts], time[starts + window - 1]
    counts = benign["arbitration_id"].value_counts()
    duration = benign["timestamp"].iloc[-1] - benign["timestamp"].iloc[0]
    y, clear = np.zeros(len(starts), np.uint8), np.ones(len(starts), bool)
    for _, first, last, ids in injection.episodes[list(EPISODE_COLUMNS)].itertuples(index=False):
        due = first + MISSED_FRAMES * duration / counts[int(ids, 16)]
        missed = (begin >= due) & (end <= last)
        y[missed] = 1
        clear[(end >= first) & (begin <= last) & ~missed] = False
    return y, clear


def _some(places: np.ndarray, number: int, generator: np.random.Generator) -> np.ndarray:
    return np.sort(generator.permutation(places)[:number])
