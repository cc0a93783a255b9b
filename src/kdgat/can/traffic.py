"""A benign recording as its bus saw it: when each frame was on it, and what it left free."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kdgat.can.bus import bus_time
from kdgat.can.frames import MAX_DLC
from kdgat.can.recording import Recording
from kdgat.errors import DataError

TARGET_SHARE = 0.01
"""Share of the frames that an ID needs to become a target, so that an attack on it matters."""


@dataclass(frozen=True, eq=False)
class Traffic:
    """A benign recording as its bus saw it.

    Attributes:
        recording: The frames.
        time: int64 `[num_frames]`, timestamps in µs, not descending.
        time_on_bus: int64 `[num_frames]`, µs.
        bitrate: Speed of the bus, bit/s.
        free: Share of the time in which the bus is idle, at least .05.
    """

    recording: Recording
    time: np.ndarray
    time_on_bus: np.ndarray
    bitrate: int
    free: float

    @property
    def arbitration_id(self) -> np.ndarray:
        """int64 `[num_frames]`."""
        return self.recording.arbitration_id

    @property
    def num_bytes(self) -> np.ndarray:
        """Data bytes, so 0 in remote frames: int64 `[num_frames]`."""
        return self.recording.num_bytes

    @property
    def payload(self) -> np.ndarray:
        """int16 `[num_frames, 8]`, `ABSENT` where absent."""
        return self.recording.payload

    @cached_property
    def targets(self) -> np.ndarray:
        """IDs with data that send at least `TARGET_SHARE` of the frames, or as many as any does."""
        codes, ids = self.recording.numbers
        counts = np.bincount(codes[self.num_bytes > 0], minlength=len(ids))
        if not counts.any():
            raise DataError("An attack on an ID needs frames with data, all frames are empty.")
        return ids[counts >= min(TARGET_SHARE * len(self.time), counts.max())]

    @cached_property
    def time_by_id(self) -> np.ndarray:
        """`time` of the frames in the order of `Recording.by_id`."""
        return self.time[self.recording.by_id[0]]


def on_bus(recording: Recording, bitrate: int) -> Traffic:
    """Say when each frame of a recording was on the bus.

    Raises:
        DataError: The recording is empty, holds attacks or CAN FD frames, or its timestamps step
            back.
    """
    _check_benign(recording)
    time = np.rint(recording.timestamp * 1e6).astype(np.int64)
    time_on_bus = bus_time(recording.bits, bitrate)
    free = max(0.05, 1.0 - float(time_on_bus.sum()) / max(1, int(time[-1] - time[0])))
    return Traffic(recording, time, time_on_bus, bitrate, free)


def _check_benign(recording: Recording) -> None:
    if len(recording) == 0:
        raise DataError("An attack needs a recording with at least one frame, found none.")
    num_attack = int(recording.attack.sum())
    if num_attack:
        raise DataError(f"An attack needs a benign recording, found {num_attack} attack frames.")
    if recording.dlc.max() > MAX_DLC:
        raise DataError(
            f"An attack needs a recording of classical CAN, found {recording.dlc.max()} bytes in a "
            "CAN FD frame."
        )
    steps = np.diff(recording.timestamp)
    if (steps < 0).any():
        frame = int(np.argmax(steps < 0)) + 1
        raise DataError(
            f"An attack needs timestamps that never step back, frame {frame} is "
            f"{-steps[frame - 1]:.6f} s before the one it follows."
        )
