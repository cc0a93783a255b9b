"""Attacks on benign recordings: frames added, silenced or forged, each with its label.

All injectors take any frame table without attacks, simulated or real, and leave it untouched.

Added frames go through bus arbitration with the recorded ones (`kdgat.can.merging`). Removed frames
leave a gap: the frames that waited for them are not moved.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.attackers import ADDERS, Added, draw_target, forge
from kdgat.can.merging import merge
from kdgat.can.recording import Recording
from kdgat.can.traffic import Traffic, on_bus
from kdgat.errors import DataError, ParameterError

EPISODE_COLUMNS = ("attack_type", "start", "end", "arbitration_ids")
"""Columns of an episode table: type, first and last time (s), IDs as `0x1a0 0x2c0` or `any`."""

ATTACK_SHARE = {
    "dos": (0.22, 0.36),
    "fuzzing": (0.25, 0.40),
    "spoofing_dense": (0.30, 0.45),
    "spoofing_sparse": (0.45, 0.60),
    "replay": (0.25, 0.40),
    "suppress": (0.30, 0.45),
    "masquerade": (0.30, 0.45),
}
"""Share of a capture's time that its episodes cover, least and most.

Set so that 30 to 50 % of the windows of 100 frames hold an attack frame: floods fill more
windows a second, sparse spoofing leaves some windows of its episodes without an attack frame.
"""

ATTACKS = tuple(ATTACK_SHARE)

LEAD_SHARE = 0.2
"""Share of a capture before its first episode, at least: a benign stretch to learn from."""

EPISODES_PER_MINUTE = (2, 5)
MASQUERADE_SHARE = (0.1, 0.4)
"""Share of the bytes that masquerade forges."""

Bounds = list[tuple[int, int]]
"""Start and end of episodes, µs."""


class Injection(NamedTuple):
    """An attacked frame table, and an episode table with `EPISODE_COLUMNS`."""

    frames: pd.DataFrame
    episodes: pd.DataFrame


class Episode(NamedTuple):
    """What one episode does.

    Attributes:
        attack_type: One of `ATTACKS`.
        start: First time, s.
        end: Last time, s.
        arbitration_ids: IDs attacked, `0x1a0 0x2c0` or `any`.
    """

    attack_type: str
    start: float
    end: float
    arbitration_ids: str


class Attacked(NamedTuple):
    """An attacked recording.

    Attributes:
        recording: The frames.
        episode: int32 `[num_frames]`, as in a frame table.
        episodes: What each does.
    """

    recording: Recording
    episode: np.ndarray
    episodes: list[Episode]


def inject(
    frames: pd.DataFrame,
    attack: str,
    generator: np.random.Generator,
    *,
    bitrate: int,
    episodes: Sequence[tuple[float, float]] | None = None,
) -> Injection:
    """Attack a benign recording.

    Args:
        frames: Frame table without attacks, timestamps not descending.
        attack: One of `ATTACKS`.
        generator: Source of all randomness: targets, rates, payloads, and times if not given.
        bitrate: Speed of the bus, bit/s.
        episodes: Start and end (s, bus time) of each episode, ascending, not overlapping; drawn
            by `draw_episodes` if not given.

    Returns:
        The attacked frames, label 1 on every frame of the attacker and on no other, and the
        episodes, which cover them. `suppress` has no frame to label.

    Raises:
        ParameterError: `attack` is not one of `ATTACKS`.
        DataError: `frames` is empty, holds attacks, or its timestamps step back.
    """
    _check_attack(attack)
    traffic = on_bus(Recording.of(frames), bitrate)
    if episodes is None:
        first, last = traffic.time[[0, -1]] / 1e6
        episodes = draw_episodes(float(first), float(last), attack, generator)
    attacked = attack_traffic(traffic, attack, generator, episodes)
    return Injection(
        attacked.recording.frames(attacked.episode),
        pd.DataFrame(attacked.episodes, columns=list(EPISODE_COLUMNS)),
    )


def attack_traffic(
    traffic: Traffic,
    attack: str,
    generator: np.random.Generator,
    episodes: Sequence[tuple[float, float]],
    rates_beyond: float = 0.0,
) -> Attacked:
    """Attack a benign recording, see `inject`.

    Args:
        traffic: The recording.
        attack: One of `ATTACKS`.
        generator: Source of targets, rates and payloads.
        episodes: Start and end (s, bus time) of each episode, ascending, not overlapping.
        rates_beyond: How far beyond both ends of a range rates are drawn, as a share of it.

    Raises:
        ParameterError: `attack` is not one of `ATTACKS`.
        DataError: No frame would be attacked.
    """
    _check_attack(attack)
    bounds = [(round(start * 1e6), round(end * 1e6)) for start, end in episodes]
    if attack == "suppress":
        return _suppress(traffic, bounds, generator)
    if attack == "masquerade":
        return _masquerade(traffic, bounds, generator)
    return _add(traffic, attack, bounds, rates_beyond, generator)


def draw_episodes(
    first: float, last: float, attack: str, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """Draw when an attack goes on: 2 to 5 episodes per started minute, benign in between.

    Args:
        first: First timestamp of the capture, s.
        last: Last timestamp, s.
        attack: One of `ATTACKS`, sets the share of time attacked.
        generator: Source of randomness.

    Returns:
        Start and end of each episode, s, ascending; the first begins after `LEAD_SHARE` of the
        capture at the earliest, and a benign stretch follows the last.
    """
    least, most = EPISODES_PER_MINUTE
    minutes = max(1, int(np.ceil((last - first) / 60.0)))
    number = int(generator.integers(least, most + 1, size=minutes).sum())
    attacked = generator.uniform(*ATTACK_SHARE[attack])
    lengths = generator.uniform(0.5, 1.5, number)
    pauses = generator.uniform(0.5, 1.5, number + 1)
    lengths *= attacked / lengths.sum()
    pauses *= (1.0 - LEAD_SHARE - attacked) / pauses.sum()
    ends = LEAD_SHARE + np.cumsum(pauses[:-1]) + np.cumsum(lengths)
    starts = ends - lengths
    span = last - first
    return [
        (first + span * float(start), first + span * float(end))
        for start, end in zip(starts, ends, strict=True)
    ]


def _add(
    traffic: Traffic,
    attack: str,
    bounds: Bounds,
    rates_beyond: float,
    generator: np.random.Generator,
) -> Attacked:
    """Add the frames of one of the attacks of `ADDERS`."""
    add = ADDERS[attack]
    parts = [(bound, add(traffic, *bound, rates_beyond, generator)) for bound in bounds]
    parts = [(bound, added) for bound, added in parts if len(added.ready)]
    _check_effect(attack, parts)
    columns = zip(*(added for _, added in parts), strict=True)
    merged = merge(traffic, Added(*(np.concatenate(column) for column in columns)))
    attacked = np.flatnonzero(merged.attack)
    sent = np.rint(merged.timestamp[attacked] * 1e6).astype(np.int64)
    episode = np.zeros(len(merged), np.int32)
    episode[attacked] = np.searchsorted([start for (start, _), _ in parts], sent, side="right")
    episodes = []
    for place, ((start, end), added) in enumerate(parts):
        # A frame that had to wait may be sent after the attacker has stopped.
        following = parts[place + 1][0][0] if place + 1 < len(parts) else sent[-1] + 1
        last = sent[np.searchsorted(sent, following) - 1]
        ids = "any" if attack == "fuzzing" else _id_list(added.arbitration_id)
        episodes.append(Episode(attack, start / 1e6, max(end, last) / 1e6, ids))
    return Attacked(merged, episode, episodes)


def _suppress(traffic: Traffic, bounds: Bounds, generator: np.random.Generator) -> Attacked:
    """Silence one of the car's IDs in each episode."""
    heard = np.ones(len(traffic.time), bool)
    episodes = []
    for start, end in bounds:
        target, own = _target_frames(traffic, start, end, generator)
        if len(own):
            heard[own] = False
            episodes.append(Episode("suppress", start / 1e6, end / 1e6, _id_list(target)))
    _check_effect("suppress", episodes)
    left = replace(traffic.recording, timestamp=traffic.time / 1e6).part(heard)
    return Attacked(left, np.zeros(len(left), np.int32), episodes)


def _masquerade(traffic: Traffic, bounds: Bounds, generator: np.random.Generator) -> Attacked:
    """Silence one of the car's IDs and send it in its own rhythm, with some bytes forged."""
    episode = np.zeros(len(traffic.time), np.int32)
    data = traffic.payload.copy()
    episodes = []
    for start, end in bounds:
        target, own = _target_frames(traffic, start, end, generator)
        if len(own):
            episodes.append(Episode("masquerade", start / 1e6, end / 1e6, _id_list(target)))
            episode[own] = len(episodes)
            data[own] = forge(data[own], traffic.num_bytes[own], MASQUERADE_SHARE, generator)
    _check_effect("masquerade", episodes)
    forged = replace(
        traffic.recording,
        timestamp=traffic.time / 1e6,
        payload=data,
        attack=(episode > 0).astype(np.uint8),
    )
    return Attacked(forged, episode, episodes)


def _target_frames(
    traffic: Traffic, start: int, end: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw an ID: the ID, int64 `[1]`, and the rows it sends from start to end, both included."""
    target = draw_target(traffic, generator)
    every = traffic.recording.range_of(target)
    first, last = np.searchsorted(traffic.time_by_id[every], [start, end + 1])
    own = traffic.recording.by_id[0][every][first:last]
    return np.array([target]), own[~traffic.recording.is_remote[own]]


def _id_list(arbitration_id: np.ndarray) -> str:
    return " ".join(f"{number:#05x}" for number in np.unique(arbitration_id))


def _check_effect(attack: str, effects: list) -> None:
    if not effects:
        raise DataError(f"The recording is too short for {attack}: no frame would be attacked.")


def _check_attack(attack: str) -> None:
    if attack not in ATTACKS:
        raise ParameterError(f"Attack {attack!r} is unknown; allowed: {', '.join(ATTACKS)}.")
