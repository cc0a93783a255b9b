"""What is normal for one car: rhythm, silence and payload habits of each arbitration ID."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kdgat.can.frames import ABSENT, MAX_DLC
from kdgat.can.habits import learn
from kdgat.can.recording import Recording
from kdgat.errors import DataError

HEADER_KEY = b"kdgat_profile"

PER_ID = {
    "count": (np.int64, 1, 0),
    "gap_count": (np.int64, 1, 0),
    "gap_mean": (np.float64, 1, 0.0),
    "gap_squares": (np.float64, 1, 0.0),
    "gap_min": (np.float64, 1, np.inf),
    "gap_max": (np.float64, 1, 0.0),
    "silence": (np.float64, 1, 0.0),
    "last_seen": (np.float64, 1, np.nan),
    "dlc_min": (np.int16, 1, np.iinfo(np.int16).max),
    "dlc_max": (np.int16, 1, -1),
    "byte_min": (np.int16, MAX_DLC, 256),
    "byte_max": (np.int16, MAX_DLC, ABSENT),
    "byte_last": (np.int16, MAX_DLC, ABSENT),
    "byte_changes": (np.int64, MAX_DLC, 0),
}
"""Type, values per ID, and the value of an ID that has not been seen."""

SCALARS = ("clock", "last_timestamp", "longest_recording", "duration")


@dataclass(frozen=True, eq=False)
class Profile:
    """Habits of every arbitration ID of one vehicle, learned from benign frames alone.

    A profile is learned from one or more recordings. `update` continues the open recording,
    frame by frame or all at once with the same numbers; `end_recording` closes it, so that no
    gap is measured from one recording into the next. Time is the bus clock of a recording:
    s since its first frame, where a timestamp that steps back, or ahead by more than
    `clock.PAUSE`, counts as no time.

    Attributes:
        arbitration_id: int64 `[num_ids]`, ascending.
        count: int64 `[num_ids]`, frames.
        gap_count: int64 `[num_ids]`, times between successive frames of the ID.
        gap_mean: float64 `[num_ids]`, their mean, s.
        gap_squares: float64 `[num_ids]`, sum of their squared distances from the mean, s^2.
        gap_min: float64 `[num_ids]`, the shortest, s; infinite without a gap.
        gap_max: float64 `[num_ids]`, the longest, s.
        silence: float64 `[num_ids]`, longest time without a frame of the ID that has ended,
            from the recording's first frame on, s.
        last_seen: float64 `[num_ids]`, clock of the last frame; NaN if none in the open recording.
        dlc_min: int16 `[num_ids]`, smallest dlc.
        dlc_max: int16 `[num_ids]`, largest dlc.
        byte_min: int16 `[num_ids, 8]`, smallest value; 256 where the byte was always absent.
        byte_max: int16 `[num_ids, 8]`, largest value; `ABSENT` where it was always absent.
        byte_last: int16 `[num_ids, 8]`, value in the last frame.
        byte_changes: int64 `[num_ids, 8]`, successive frames in which the byte differed.
        clock: of the open recording, s.
        last_timestamp: bus time of the last frame, s; NaN if no recording is open.
        longest_recording: duration of the longest recording that has ended, s.
        duration: of all recordings that have ended, s.
    """

    arbitration_id: np.ndarray
    count: np.ndarray
    gap_count: np.ndarray
    gap_mean: np.ndarray
    gap_squares: np.ndarray
    gap_min: np.ndarray
    gap_max: np.ndarray
    silence: np.ndarray
    last_seen: np.ndarray
    dlc_min: np.ndarray
    dlc_max: np.ndarray
    byte_min: np.ndarray
    byte_max: np.ndarray
    byte_last: np.ndarray
    byte_changes: np.ndarray
    clock: float = 0.0
    last_timestamp: float = np.nan
    longest_recording: float = 0.0
    duration: float = 0.0

    @classmethod
    def empty(cls) -> "Profile":
        """Return the profile of a vehicle of which nothing has been seen."""
        return cls(np.zeros(0, np.int64), **_unseen(0))

    def __len__(self) -> int:
        return len(self.arbitration_id)

    @property
    def gap_std(self) -> np.ndarray:
        """Standard deviation of the gaps, s: float64 `[num_ids]`."""
        return np.sqrt(self.gap_squares / np.maximum(self.gap_count, 1))

    @property
    def share(self) -> np.ndarray:
        """Share of the traffic: float64 `[num_ids]`."""
        return self.count / max(1, int(self.count.sum()))

    @property
    def change_rate(self) -> np.ndarray:
        """Share of successive frames in which a byte differs: float64 `[num_ids, 8]`."""
        return self.byte_changes / np.maximum(self.gap_count, 1)[:, None]

    @property
    def longest_silence(self) -> np.ndarray:
        """Longest time without a frame of the ID, the one that still lasts included, s."""
        last = np.where(np.isnan(self.last_seen), 0.0, self.last_seen)
        return np.maximum(self.silence, self.clock - last)

    def update(self, frames: pd.DataFrame) -> "Profile":
        """Learn more frames of the open recording; one at a time gives the same as all at once.

        Args:
            frames: Frame table in recorded order. That they are benign is the caller's promise.
        """
        if frames.empty:
            return self
        learned = self.update_with(Recording.of(frames))
        # A recording has no jumps; what comes next is timed from the timestamp as it was logged.
        return replace(learned, last_timestamp=float(frames["timestamp"].iloc[-1]))

    def update_with(self, recording: Recording) -> "Profile":
        """Learn more frames of the open recording, see `update`."""
        if len(recording) == 0:
            return self
        codes, seen = recording.numbers
        grown = self._with_ids(seen)
        state = {name: getattr(grown, name).copy() for name in PER_ID}
        timestamp = recording.timestamp
        clock = learn(
            timestamp,
            np.searchsorted(grown.arbitration_id, seen)[codes],
            recording.dlc,
            recording.payload,
            grown.clock,
            timestamp[0] if np.isnan(grown.last_timestamp) else grown.last_timestamp,
            *state.values(),
        )
        return Profile(
            grown.arbitration_id,
            **state,
            clock=clock,
            last_timestamp=float(timestamp[-1]),
            longest_recording=grown.longest_recording,
            duration=grown.duration,
        )

    def end_recording(self) -> "Profile":
        """Close the open recording: what is learned next is not its continuation."""
        state = {name: getattr(self, name) for name in PER_ID}
        state |= {"silence": self.longest_silence, "last_seen": np.full(len(self), np.nan)}
        return Profile(
            self.arbitration_id,
            **state,
            longest_recording=max(self.longest_recording, self.clock),
            duration=self.duration + self.clock,
        )

    def merge(self, other: "Profile") -> "Profile":
        """Join what two profiles of one vehicle have learned; both recordings are closed.

        Args:
            other: The later of the two: last values are its own. An ID that one of them has
                never seen was silent throughout its longest recording.
        """
        ids = np.union1d(self.arbitration_id, other.arbitration_id)
        one, two = (part.end_recording()._with_ids(ids) for part in (self, other))
        gap_count = one.gap_count + two.gap_count
        weight = two.gap_count / np.maximum(gap_count, 1)
        apart = two.gap_mean - one.gap_mean
        # Chan, Golub, LeVeque 1983: sums of squares of two groups joined.
        squares = one.gap_squares + two.gap_squares + apart**2 * one.gap_count * weight
        state = {
            "count": one.count + two.count,
            "gap_count": gap_count,
            "gap_mean": one.gap_mean + apart * weight,
            "gap_squares": squares,
            "gap_min": np.minimum(one.gap_min, two.gap_min),
            "gap_max": np.maximum(one.gap_max, two.gap_max),
            "silence": np.maximum(one.silence, two.silence),
            "last_seen": one.last_seen,
            "dlc_min": np.minimum(one.dlc_min, two.dlc_min),
            "dlc_max": np.maximum(one.dlc_max, two.dlc_max),
            "byte_min": np.minimum(one.byte_min, two.byte_min),
            "byte_max": np.maximum(one.byte_max, two.byte_max),
            "byte_last": np.where(two.count[:, None] > 0, two.byte_last, one.byte_last),
            "byte_changes": one.byte_changes + two.byte_changes,
        }
        return Profile(
            ids,
            **state,
            longest_recording=max(one.longest_recording, two.longest_recording),
            duration=one.duration + two.duration,
        )

    def save(self, path: Path) -> None:
        """Write one Parquet file, a row per ID, whole or not at all.

        Args:
            path: The file; an existing one is replaced.
        """
        columns = {"arbitration_id": self.arbitration_id}
        for name, (_, width, _) in PER_ID.items():
            values = getattr(self, name).reshape(len(self), width)
            columns |= {column: values[:, place] for place, column in enumerate(_columns(name))}
        scalars = {name: float(getattr(self, name)).hex() for name in SCALARS}
        table = pa.table(columns).replace_schema_metadata({HEADER_KEY: json.dumps(scalars)})
        partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            pq.write_table(table, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> "Profile":
        """Read a stored profile.

        Raises:
            DataError: The file is not a profile.
        """
        try:
            table = pq.read_table(path)
            scalars = json.loads((table.schema.metadata or {})[HEADER_KEY])
            state = {}
            for name, (dtype, width, _) in PER_ID.items():
                values = [table[column].to_numpy().astype(dtype) for column in _columns(name)]
                state[name] = values[0] if width == 1 else np.stack(values, axis=1)
            ids = table["arbitration_id"].to_numpy().astype(np.int64)
            return cls(ids, **state, **{name: float.fromhex(scalars[name]) for name in SCALARS})
        except (pa.ArrowInvalid, KeyError, ValueError, OSError) as error:
            raise DataError(f"{path} is not a profile of kdgat: {error}") from error

    def _with_ids(self, arbitration_id: np.ndarray) -> "Profile":
        """Make room for more IDs. One never seen before was silent in all that has ended."""
        ids = np.union1d(self.arbitration_id, arbitration_id)
        if len(ids) == len(self):
            return self
        state = _unseen(len(ids))
        state["silence"][:] = self.longest_recording
        place = np.searchsorted(ids, self.arbitration_id)
        for name, values in state.items():
            values[place] = getattr(self, name)
        return Profile(ids, **state, **{name: getattr(self, name) for name in SCALARS})


def fit_profile(recordings: Iterable[pd.DataFrame]) -> Profile:
    """Learn a vehicle's profile from attack-free recordings.

    Args:
        recordings: Frame tables; none may hold an attack frame.

    Raises:
        DataError: A recording holds an attack frame.
    """
    profile = Profile.empty()
    for number, frames in enumerate(recordings):
        attacks = int(frames["attack"].sum())
        if attacks:
            raise DataError(
                f"recording {number} of a profile holds {attacks} attack frames; a profile is "
                "learned from benign frames alone"
            )
        profile = profile.update(frames).end_recording()
    return profile


def _columns(name: str) -> list[str]:
    width = PER_ID[name][1]
    return [name] if width == 1 else [f"{name}_{place}" for place in range(width)]


def _unseen(num_ids: int) -> dict[str, np.ndarray]:
    return {
        name: np.full((num_ids, width) if width > 1 else num_ids, value, dtype)
        for name, (dtype, width, value) in PER_ID.items()
    }
