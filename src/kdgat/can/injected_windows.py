"""Windows of attacks injected into one attack-free recording."""

from typing import NamedTuple

import numpy as np

from kdgat.can.injections import Attacked, attack_traffic
from kdgat.can.recording import Recording
from kdgat.can.traffic import Traffic
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
        recording: The frames.
        starts: int64 `[num_windows]`, ascending.
        y: uint8 `[num_windows]`, 1 where the window shows the attack.
    """

    recording: Recording
    starts: np.ndarray
    y: np.ndarray


def attacked_windows(
    traffic: Traffic,
    attack: str,
    generator: np.random.Generator,
    *,
    number: int,
    window: int,
    stride: int,
    rates_beyond: float,
) -> AttackedWindows:
    """Attack a recording in many short episodes and draw windows of it.

    A window is an attack if it holds a frame of the attacker. `suppress` has no such frame: there
    a window is an attack if it lies in an episode, after the ID's frame has been due for
    `MISSED_FRAMES` of its gaps; other windows of the episode are left out.

    Args:
        traffic: The benign recording.
        attack: One of `injections.ATTACKS`.
        generator: Source of all randomness.
        number: Attack windows wanted; as many as there are if fewer.
        window: Frames in a window.
        stride: Frames from one start to the next.
        rates_beyond: As `injections.attack_traffic` takes it.

    Raises:
        DataError: The recording is too short to be attacked.
    """
    first, last = traffic.recording.timestamp[[0, -1]]
    bounds = draw_short_episodes(first, last, generator)
    attacked = attack_traffic(traffic, attack, generator, bounds, rates_beyond)
    recording = attacked.recording
    starts = window_starts(len(recording), window, stride)
    y = window_labels(recording.attack, starts, window)
    taken = np.ones(len(starts), bool)
    if attack == "suppress":
        y, taken = _missing(traffic, attacked, starts, window)
    attacks = _some(np.flatnonzero(taken & (y == 1)), number, generator)
    benign = np.flatnonzero(taken & (y == 0))
    kept = np.union1d(attacks, _some(benign, round(BENIGN_PER_ATTACK * number), generator))
    return AttackedWindows(recording, starts[kept], y[kept])


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
    benign: Traffic, attacked: Attacked, starts: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Label the windows that lack a silenced ID, and say which windows are clear either way."""
    time = attacked.recording.timestamp
    begin, end = time[starts], time[starts + window - 1]
    codes, ids = benign.recording.numbers
    counts = np.bincount(codes)
    duration = benign.recording.timestamp[-1] - benign.recording.timestamp[0]
    y, clear = np.zeros(len(starts), np.uint8), np.ones(len(starts), bool)
    for _, first, last, silenced in attacked.episodes:
        count = counts[np.searchsorted(ids, int(silenced, 16))]
        due = first + MISSED_FRAMES * duration / count
        inside = slice(np.searchsorted(begin, due), np.searchsorted(end, last, side="right"))
        touched = slice(np.searchsorted(end, first), np.searchsorted(begin, last, side="right"))
        y[inside] = 1
        before = clear[inside].copy()
        clear[touched] = False
        clear[inside] = before
    return y, clear


def _some(places: np.ndarray, number: int, generator: np.random.Generator) -> np.ndarray:
    return np.sort(generator.permutation(places)[:number])
