"""What an attacker sends in one episode, and when: rates, targets and payloads.

Rates come from the ranges below, or from a little `beyond` both of their ends, as a share of them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kdgat.can.bus import frame_time
from kdgat.can.frames import ABSENT, MAX_DLC, STANDARD_IDS
from kdgat.can.traffic import Traffic

FLOOD_SHARE = (0.4, 0.9)
"""Share of the bus time left free by the car that a DoS attack takes."""

FUZZING_SHARE = (0.01, 0.5)
"""The same for fuzzing: two frames in a window of 100 to most of it."""

JITTER = (0.0, 0.3)
"""Largest deviation of an attacker's interval, as a share of the interval."""

DENSE_SPACING = (6, 30)
"""Recorded frames per frame of dense spoofing, on average: 3 to 15 in a window of 100."""

SPARSE_SPACING = (100, 200)
"""Recorded frames between two of sparse spoofing: never two in a window of 100."""

REPLAY_SECONDS = (0.3, 2.0)
REPLAY_SHARE = (0.3, 0.9)
"""Share of the bus time left free by the car that replayed frames take, at most."""

PLAUSIBLE_SHARE, REPEATED_SHARE = 1 / 3, 1 / 3
"""How often spoofed frames carry values that their ID has sent at any time (speed 0, say, in a
moving car), and how often those that it has just sent, which nothing but their time gives away."""


class Added(NamedTuple):
    """Frames of an attacker: when each wants the bus (µs), ID, dlc and payload as above."""

    ready: np.ndarray
    arbitration_id: np.ndarray
    dlc: np.ndarray
    payload: np.ndarray


def _instants(start: int, end: int, interval: float, generator: np.random.Generator) -> np.ndarray:
    """Draw when an attacker sends: every `interval` µs with jitter, int64, within [start, end)."""
    jitter = generator.uniform(*JITTER)
    regular = np.arange(start, end, interval)
    shift = interval * jitter * generator.uniform(0.0, 1.0, len(regular))
    instants = np.rint(regular + shift).astype(np.int64)
    return instants[instants < end]


def draw_rate(least: float, most: float, beyond: float, generator: np.random.Generator) -> float:
    """Draw uniformly from a range, or from one that reaches beyond both ends.

    Args:
        least: Of the range.
        most: Of the range.
        beyond: How far beyond each end, as a share of the range; 0 to stay within.
        generator: Source of randomness.
    """
    margin = beyond * (most - least)
    return generator.uniform(least - margin, most + margin)


def _interval(
    share: tuple[float, float],
    beyond: float,
    time_on_bus: float,
    free: float,
    generator: np.random.Generator,
) -> float:
    """Draw the interval (µs) at which frames take a share of the free time, log-uniformly."""
    least, most = np.log(share)
    return time_on_bus / (np.exp(draw_rate(least, most, beyond, generator)) * free)


def _random_payload(dlc: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    data = generator.integers(0, 256, (len(dlc), MAX_DLC))
    return np.where(np.arange(MAX_DLC) < dlc[:, None], data, ABSENT).astype(np.int16)


def draw_target(traffic: Traffic, generator: np.random.Generator) -> int:
    """Draw one of the IDs that an attack on it would matter for.

    Raises:
        DataError: No frame has data.
    """
    return int(generator.choice(traffic.targets))


def forge(
    genuine: np.ndarray,
    dlc: np.ndarray,
    changed_share: tuple[float, float],
    generator: np.random.Generator,
    sent: np.ndarray | None = None,
) -> np.ndarray:
    """Replace some bytes of genuine payloads, the same ones in all frames.

    The bytes are each frame's own values, or the same values in all frames.

    Args:
        genuine: int16 `[num_frames, 8]`.
        dlc: int64 `[num_frames]`.
        changed_share: Share of the bytes that are replaced, least and most; at least one is.
        generator: Source of randomness.
        sent: int16 `[num_frames, 8]`, payloads to take the values from; random values without.
    """
    num_bytes = int(dlc.max(initial=1))
    number = max(1, round(generator.uniform(*changed_share) * num_bytes))
    columns = generator.choice(num_bytes, number, replace=False)
    rows = len(genuine) if generator.random() < 0.5 else 1
    values = generator.integers(0, 256, (rows, number)) if sent is None else sent[:rows, columns]
    forged = genuine.copy()
    forged[:, columns] = np.where(values == ABSENT, genuine[:, columns], values)
    return np.where(np.arange(MAX_DLC) < dlc[:, None], forged, ABSENT).astype(np.int16)


def _dos(
    traffic: Traffic, start: int, end: int, beyond: float, generator: np.random.Generator
) -> Added:
    """Flood the bus with one frame of the highest priority: ID 0, or any below the car's own."""
    _, ids = traffic.recording.numbers
    lowest = min(int(ids[0]), STANDARD_IDS)
    number = 0 if generator.random() < 0.5 else int(generator.integers(0, max(1, lowest)))
    dlc = generator.choice(traffic.num_bytes, 1)
    data = _random_payload(dlc, generator)
    if generator.random() < 0.5:
        data = np.where(data == ABSENT, ABSENT, 0).astype(np.int16)
    time_on_bus = frame_time(np.array([number]), dlc, data, traffic.bitrate)[0]
    interval = _interval(FLOOD_SHARE, beyond, time_on_bus, traffic.free, generator)
    ready = _instants(start, end, interval, generator)
    num_frames = len(ready)
    return Added(
        ready,
        np.full(num_frames, number),
        np.repeat(dlc, num_frames),
        np.repeat(data, num_frames, axis=0),
    )


def _fuzzing(
    traffic: Traffic, start: int, end: int, beyond: float, generator: np.random.Generator
) -> Added:
    """Send random IDs (11 bits, the car's own among them) with random payloads."""
    mean = 1e6 * 120 / traffic.bitrate
    interval = _interval(FUZZING_SHARE, beyond, mean, traffic.free, generator)
    ready = _instants(start, end, interval, generator)
    arbitration_id = generator.integers(0, STANDARD_IDS, len(ready))
    dlc = generator.choice(traffic.num_bytes, len(ready))
    return Added(ready, arbitration_id, dlc, _random_payload(dlc, generator))


def _spoof(traffic: Traffic, ready: np.ndarray, generator: np.random.Generator) -> Added:
    """Send frames of one of the car's IDs: its latest payload with forged bytes.

    The bytes are random, or what the ID sends at other times, or none: an attacker who knows the
    signal sends values that the car takes for real, or holds the one that it has.
    """
    target = draw_target(traffic, generator)
    own = traffic.recording.range_of(target)
    latest = np.maximum(0, np.searchsorted(traffic.time_by_id[own], ready) - 1)
    every = traffic.recording.by_id[0][own]
    latest = every[latest]
    dlc = traffic.num_bytes[latest]
    data, sent, kind = traffic.payload[latest], None, generator.random()
    if kind < PLAUSIBLE_SHARE:
        sent = traffic.payload[generator.choice(every, len(ready))]
    if kind < 1.0 - REPEATED_SHARE:
        data = forge(data, dlc, (0.2, 1.0), generator, sent)
    return Added(ready, np.full(len(ready), target), dlc, data)


def _spoofing_dense(
    traffic: Traffic, start: int, end: int, beyond: float, generator: np.random.Generator
) -> Added:
    span = max(1, int(traffic.time[-1] - traffic.time[0]))
    interval = draw_rate(*DENSE_SPACING, beyond, generator) * span / len(traffic.time)
    return _spoof(traffic, _instants(start, end, interval, generator), generator)


def _spoofing_sparse(
    traffic: Traffic, start: int, end: int, _beyond: float, generator: np.random.Generator
) -> Added:
    first, last = np.searchsorted(traffic.time, [start, end])
    least, most = SPARSE_SPACING
    steps = generator.integers(least, most + 1, size=1 + max(0, last - first) // least)
    before = first + generator.integers(0, least) + np.cumsum(steps) - steps[0]
    before = before[(before < last) & (before + 1 < len(traffic.time))]
    gap = traffic.time[before + 1] - traffic.time[before]
    ready = traffic.time[before] + np.rint(gap * generator.random(len(gap))).astype(np.int64)
    return _spoof(traffic, ready[(ready >= start) & (ready < end)], generator)


def _replay(
    traffic: Traffic, start: int, end: int, beyond: float, generator: np.random.Generator
) -> Added:
    """Play an earlier stretch of some of the car's IDs again and again."""
    past = start - int(traffic.time[0])
    length = int(min(1e6 * generator.uniform(*REPLAY_SECONDS), past))
    begin = int(traffic.time[0]) + int(generator.integers(0, past - length + 1))
    first, last = np.searchsorted(traffic.time, [begin, begin + length])
    allowed = draw_rate(*REPLAY_SHARE, beyond, generator) * traffic.free * length
    source = first + _replayed(traffic, first, last, allowed, generator)
    rounds = np.arange(start, end, max(1, length))
    ready = (rounds[:, None] + (traffic.time[source] - begin)).ravel()
    source = np.tile(source, len(rounds))
    keep = ready < end
    source = source[keep]
    return Added(
        ready[keep],
        traffic.arbitration_id[source],
        traffic.num_bytes[source],
        traffic.payload[source],
    )


def _replayed(
    traffic: Traffic, first: int, last: int, allowed: float, generator: np.random.Generator
) -> np.ndarray:
    """Choose frames of [first, last): one random ID's, and more IDs' within `allowed` µs."""
    part = slice(first, last)
    ids, place = np.unique(traffic.arbitration_id[part], return_inverse=True)
    cost = np.bincount(place, weights=traffic.time_on_bus[part], minlength=len(ids))
    shuffled = generator.permutation(len(ids))
    chosen = np.zeros(len(ids), bool)
    chosen[shuffled] = np.cumsum(cost[shuffled]) <= allowed
    chosen[shuffled[:1]] = True
    return np.flatnonzero(chosen[place] & ~traffic.recording.is_remote[part])


ADDERS: dict[str, Callable[[Traffic, int, int, float, np.random.Generator], Added]] = {
    "dos": _dos,
    "fuzzing": _fuzzing,
    "spoofing_dense": _spoofing_dense,
    "spoofing_sparse": _spoofing_sparse,
    "replay": _replay,
}
