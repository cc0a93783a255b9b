"""What an attacker sends in one episode, and when: rates, targets and payloads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.bus import frame_time
from kdgat.can.frames import ABSENT, MAX_DLC, STANDARD_IDS, data_length, payload
from kdgat.errors import DataError

FLOOD_SHARE = (0.4, 0.9)
"""Share of the bus time left free by the car that a DoS attack takes."""

FUZZING_SHARE = (0.05, 0.5)
"""The same for fuzzing."""

JITTER = (0.0, 0.3)
"""Largest deviation of an attacker's interval, as a share of the interval."""

DENSE_SPACING = (6, 30)
"""Recorded frames per frame of dense spoofing, on average: 3 to 15 in a window of 100."""

SPARSE_SPACING = (100, 200)
"""Recorded frames between two of sparse spoofing: never two in a window of 100."""

REPLAY_SECONDS = (0.3, 2.0)
REPLAY_SHARE = (0.3, 0.9)
"""Share of the bus time left free by the car that replayed frames take, at most."""

TARGET_SHARE = 0.01
"""Share of the frames that an ID needs to become a target, so that an attack on it matters."""


@dataclass(frozen=True)
class Recording:
    """A benign frame table as arrays.

    Attributes:
        time: int64 `[num_frames]`, timestamps in µs, not descending.
        arbitration_id: int64 `[num_frames]`.
        dlc: int64 `[num_frames]`, number of data bytes, so 0 in remote frames.
        payload: int16 `[num_frames, 8]`, `ABSENT` where absent.
        is_extended: bool `[num_frames]`.
        is_remote: bool `[num_frames]`.
        requested: int64 `[num_frames]`, bytes that remote frames ask for, 0 in all others.
        channel: name of the bus of each frame.
        bitrate: Speed of the bus, bit/s.
        free: Share of the time in which the bus is idle, at least .05.
    """

    time: np.ndarray
    arbitration_id: np.ndarray
    dlc: np.ndarray
    payload: np.ndarray
    is_extended: np.ndarray
    is_remote: np.ndarray
    requested: np.ndarray
    channel: pd.Categorical
    bitrate: int
    free: float


class Added(NamedTuple):
    """Frames of an attacker: when each wants the bus (µs), ID, dlc and payload as above."""

    ready: np.ndarray
    arbitration_id: np.ndarray
    dlc: np.ndarray
    payload: np.ndarray


def record(frames: pd.DataFrame, bitrate: int) -> Recording:
    """Turn a frame table into a recording.

    Raises:
        DataError: A frame has more than 8 bytes.
    """
    if frames["dlc"].max() > MAX_DLC:
        raise DataError(
            f"An attack needs a recording of classical CAN, found {frames['dlc'].max()} bytes in a "
            "CAN FD frame."
        )
    time = np.rint(frames["timestamp"].to_numpy() * 1e6).astype(np.int64)
    arbitration_id = frames["arbitration_id"].to_numpy().astype(np.int64)
    dlc = data_length(frames).astype(np.int64)
    requested = frames["dlc"].to_numpy().astype(np.int64) - dlc
    data = payload(frames)
    busy = frame_time(arbitration_id, dlc, data, bitrate).sum()
    free = max(0.05, 1.0 - float(busy) / max(1, int(time[-1] - time[0])))
    return Recording(
        time=time,
        arbitration_id=arbitration_id,
        dlc=dlc,
        payload=data,
        is_extended=frames["is_extended"].to_numpy(),
        is_remote=frames["is_remote"].to_numpy(),
        requested=requested,
        channel=frames["channel"].array,
        bitrate=bitrate,
        free=free,
    )


def merged_channel(recording: Recording, num_added: int) -> pd.Categorical:
    """Name the bus of recorded frames, then of added ones: that of most recorded frames."""
    codes = recording.channel.codes
    most = np.bincount(codes).argmax() if len(codes) else 0
    merged = np.concatenate([codes, np.full(num_added, most, codes.dtype)])
    return pd.Categorical.from_codes(merged, recording.channel.categories)


def _instants(start: int, end: int, interval: float, generator: np.random.Generator) -> np.ndarray:
    """Draw when an attacker sends: every `interval` µs with jitter, int64, within [start, end)."""
    jitter = generator.uniform(*JITTER)
    regular = np.arange(start, end, interval)
    shift = interval * jitter * generator.uniform(0.0, 1.0, len(regular))
    instants = np.rint(regular + shift).astype(np.int64)
    return instants[instants < end]


def _interval(
    share: tuple[float, float], time_on_bus: float, free: float, generator: np.random.Generator
) -> float:
    """Draw the interval (µs) at which frames take a share of the free time of the bus."""
    return time_on_bus / (generator.uniform(*share) * free)


def _random_payload(dlc: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    data = generator.integers(0, 256, (len(dlc), MAX_DLC))
    return np.where(np.arange(MAX_DLC) < dlc[:, None], data, ABSENT).astype(np.int16)


def draw_target(recording: Recording, generator: np.random.Generator) -> int:
    """Draw an ID with data that sends at least `TARGET_SHARE` of the frames, or as any does."""
    with_data = recording.arbitration_id[recording.dlc > 0]
    if len(with_data) == 0:
        raise DataError("An attack on an ID needs frames with data, all frames are empty.")
    ids, counts = np.unique(with_data, return_counts=True)
    enough = min(TARGET_SHARE * len(recording.time), counts.max())
    return int(generator.choice(ids[counts >= enough]))


def forge(
    genuine: np.ndarray,
    dlc: np.ndarray,
    changed_share: tuple[float, float],
    generator: np.random.Generator,
) -> np.ndarray:
    """Replace some bytes of genuine payloads, the same ones in all frames.

    The bytes are each frame's own random values, or the same values in all frames.

    Args:
        genuine: int16 `[num_frames, 8]`.
        dlc: int64 `[num_frames]`.
        changed_share: Share of the bytes that are replaced, least and most; at least one is.
        generator: Source of randomness.
    """
    num_bytes = int(dlc.max(initial=1))
    number = max(1, round(generator.uniform(*changed_share) * num_bytes))
    columns = generator.choice(num_bytes, number, replace=False)
    rows = len(genuine) if generator.random() < 0.5 else 1
    forged = genuine.copy()
    forged[:, columns] = generator.integers(0, 256, (rows, number))
    return np.where(np.arange(MAX_DLC) < dlc[:, None], forged, ABSENT).astype(np.int16)


def _dos(recording: Recording, start: int, end: int, generator: np.random.Generator) -> Added:
    """Flood the bus with one frame of the highest priority: ID 0, or any below the car's own."""
    lowest = min(int(recording.arbitration_id.min()), STANDARD_IDS)
    number = 0 if generator.random() < 0.5 else int(generator.integers(0, max(1, lowest)))
    dlc = generator.choice(recording.dlc, 1)
    data = _random_payload(dlc, generator)
    if generator.random() < 0.5:
        data = np.where(data == ABSENT, ABSENT, 0).astype(np.int16)
    time_on_bus = frame_time(np.array([number]), dlc, data, recording.bitrate)[0]
    interval = _interval(FLOOD_SHARE, time_on_bus, recording.free, generator)
    ready = _instants(start, end, interval, generator)
    num_frames = len(ready)
    return Added(
        ready,
        np.full(num_frames, number),
        np.repeat(dlc, num_frames),
        np.repeat(data, num_frames, axis=0),
    )


def _fuzzing(recording: Recording, start: int, end: int, generator: np.random.Generator) -> Added:
    """Send random IDs (11 bits, the car's own among them) with random payloads."""
    mean = 1e6 * 120 / recording.bitrate
    interval = _interval(FUZZING_SHARE, mean, recording.free, generator)
    ready = _instants(start, end, interval, generator)
    arbitration_id = generator.integers(0, STANDARD_IDS, len(ready))
    dlc = generator.choice(recording.dlc, len(ready))
    return Added(ready, arbitration_id, dlc, _random_payload(dlc, generator))


def _spoof(recording: Recording, ready: np.ndarray, generator: np.random.Generator) -> Added:
    """Send frames of one of the car's IDs: its latest payload with forged bytes."""
    target = draw_target(recording, generator)
    own = np.flatnonzero(recording.arbitration_id == target)
    latest = own[np.maximum(0, np.searchsorted(recording.time[own], ready) - 1)]
    dlc = recording.dlc[latest]
    data = forge(recording.payload[latest], dlc, (0.2, 1.0), generator)
    return Added(ready, np.full(len(ready), target), dlc, data)


def _spoofing_dense(
    recording: Recording, start: int, end: int, generator: np.random.Generator
) -> Added:
    span = max(1, int(recording.time[-1] - recording.time[0]))
    interval = generator.uniform(*DENSE_SPACING) * span / len(recording.time)
    return _spoof(recording, _instants(start, end, interval, generator), generator)


def _spoofing_sparse(
    recording: Recording, start: int, end: int, generator: np.random.Generator
) -> Added:
    first, last = np.searchsorted(recording.time, [start, end])
    least, most = SPARSE_SPACING
    steps = generator.integers(least, most + 1, size=1 + max(0, last - first) // least)
    before = first + generator.integers(0, least) + np.cumsum(steps) - steps[0]
    before = before[(before < last) & (before + 1 < len(recording.time))]
    gap = recording.time[before + 1] - recording.time[before]
    ready = recording.time[before] + np.rint(gap * generator.random(len(gap))).astype(np.int64)
    return _spoof(recording, ready[(ready >= start) & (ready < end)], generator)


def _replay(recording: Recording, start: int, end: int, generator: np.random.Generator) -> Added:
    """Play an earlier stretch of some of the car's IDs again and again."""
    past = start - int(recording.time[0])
    length = int(min(1e6 * generator.uniform(*REPLAY_SECONDS), past))
    begin = int(recording.time[0]) + int(generator.integers(0, past - length + 1))
    first, last = np.searchsorted(recording.time, [begin, begin + length])
    allowed = generator.uniform(*REPLAY_SHARE) * recording.free * length
    source = first + _replayed(recording, first, last, allowed, generator)
    rounds = np.arange(start, end, max(1, length))
    ready = (rounds[:, None] + (recording.time[source] - begin)).ravel()
    source = np.tile(source, len(rounds))
    keep = ready < end
    source = source[keep]
    return Added(
        ready[keep],
        recording.arbitration_id[source],
        recording.dlc[source],
        recording.payload[source],
    )


def _replayed(
    recording: Recording, first: int, last: int, allowed: float, generator: np.random.Generator
) -> np.ndarray:
    """Choose frames of [first, last): one random ID's, and more IDs' within `allowed` µs."""
    part = slice(first, last)
    ids, place = np.unique(recording.arbitration_id[part], return_inverse=True)
    time_on_bus = frame_time(
        recording.arbitration_id[part],
        recording.dlc[part],
        recording.payload[part],
        recording.bitrate,
    )
    cost = np.bincount(place, weights=time_on_bus, minlength=len(ids))
    shuffled = generator.permutation(len(ids))
    chosen = np.zeros(len(ids), bool)
    chosen[shuffled] = np.cumsum(cost[shuffled]) <= allowed
    chosen[shuffled[:1]] = True
    return np.flatnonzero(chosen[place] & ~recording.is_remote[part])


ADDERS: dict[str, Callable[[Recording, int, int, np.random.Generator], Added]] = {
    "dos": _dos,
    "fuzzing": _fuzzing,
    "spoofing_dense": _spoofing_dense,
    "spoofing_sparse": _spoofing_sparse,
    "replay": _replay,
}
