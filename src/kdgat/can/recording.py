"""A capture as plain arrays: what injectors, profiles and graphs read.

A frame table is what readers give and users see. Drawing windows cuts, mixes and attacks each
recording many times, and a table's own bookkeeping would cost more than that work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from kdgat.can.bus import frame_bits
from kdgat.can.clock import bus_time, without_jumps
from kdgat.can.frames import MAX_DLC, frame_table, payload
from kdgat.can.node_features import pack_payload
from kdgat.can.profile_features import capture_clock, frames_before

SMALL_IDS = 2**16
"""IDs below this are numbered through a table of as many places."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Frames in recorded order; what is derived from them is computed once.

    Attributes:
        timestamp: float64 `[num_frames]`, s, as recorded but for jumps, see `without_jumps`.
        arbitration_id: int64 `[num_frames]`.
        dlc: uint8 `[num_frames]`, as in the frame table, so above 8 in CAN FD.
        payload: int16 `[num_frames, 8]`, the first 8 bytes, `ABSENT` where absent.
        is_extended: bool `[num_frames]`.
        is_remote: bool `[num_frames]`.
        attack: uint8 `[num_frames]`, 1 where the frame is part of an attack.
        channel: integer `[num_frames]`, the bus of each frame, a place in `channels`.
        channels: Names of the buses.
    """

    timestamp: np.ndarray
    arbitration_id: np.ndarray
    dlc: np.ndarray
    payload: np.ndarray
    is_extended: np.ndarray
    is_remote: np.ndarray
    attack: np.ndarray
    channel: np.ndarray
    channels: Sequence[str]

    def __post_init__(self) -> None:
        """Let nobody write: what is derived is kept, and each kernel is compiled once only."""
        for name in ("timestamp", "dlc", "payload"):
            values = getattr(self, name).view()
            values.flags.writeable = False
            object.__setattr__(self, name, values)

    @classmethod
    def of(cls, frames: pd.DataFrame) -> "Recording":
        """Take the columns of a frame table; of CAN FD frames the first 8 bytes."""
        channel = frames["channel"].array
        return cls(
            timestamp=without_jumps(frames["timestamp"].to_numpy()),
            arbitration_id=frames["arbitration_id"].to_numpy().astype(np.int64),
            dlc=frames["dlc"].to_numpy(),
            payload=payload(frames),
            is_extended=frames["is_extended"].to_numpy(),
            is_remote=frames["is_remote"].to_numpy(),
            attack=frames["attack"].to_numpy(),
            channel=channel.codes,
            channels=tuple(channel.categories),
        )

    def __len__(self) -> int:
        return len(self.timestamp)

    def frames(self, episode: np.ndarray | None = None) -> pd.DataFrame:
        """Return the frame table of a recording without CAN FD frames.

        Args:
            episode: integer `[num_frames]`, see `frame_table`.
        """
        return frame_table(
            timestamp=self.timestamp,
            arbitration_id=self.arbitration_id,
            dlc=self.dlc,
            payload=self.payload,
            attack=self.attack,
            channel=pd.Categorical.from_codes(self.channel, self.channels),
            is_extended=self.is_extended,
            is_remote=self.is_remote,
            episode=episode,
        )

    def part(self, chosen: slice | np.ndarray) -> "Recording":
        """Keep some frames.

        Args:
            chosen: Which, as a slice, as places in the order wanted, or bool `[num_frames]`.
        """
        if isinstance(chosen, np.ndarray) and chosen.dtype == bool:
            chosen = np.flatnonzero(chosen)
        return Recording(
            timestamp=self.timestamp[chosen],
            arbitration_id=self.arbitration_id[chosen],
            dlc=self.dlc[chosen],
            payload=rows(self.payload, chosen),
            is_extended=self.is_extended[chosen],
            is_remote=self.is_remote[chosen],
            attack=self.attack[chosen],
            channel=self.channel[chosen],
            channels=self.channels,
        )

    def forward(self) -> "Recording":
        """Let the clock run on where timestamps step back."""
        return replace(self, timestamp=bus_time(self.timestamp))

    @cached_property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Number of each frame's ID, int32 `[num_frames]`; the IDs, int64, ascending."""
        return number_ids(self.arbitration_id)

    @cached_property
    def by_id(self) -> tuple[np.ndarray, np.ndarray]:
        """Frames by ID, then in order, int64 `[num_frames]`; where each ID begins, and the end."""
        codes, ids = self.numbers
        narrow = codes.astype(np.uint16) if len(ids) <= SMALL_IDS else codes  # sorted by counting
        bounds = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(ids)))])
        return np.argsort(narrow, kind="stable"), bounds

    def range_of(self, arbitration_id: int) -> slice:
        """Return where `by_id` has the frames of an ID that occurs."""
        _, bounds = self.by_id
        number = np.searchsorted(self.numbers[1], arbitration_id)
        return slice(bounds[number], bounds[number + 1])

    @cached_property
    def words(self) -> tuple[np.ndarray, np.ndarray]:
        """Payloads packed and their lengths, see `pack_payload`."""
        return pack_payload(self.payload)

    @cached_property
    def num_bytes(self) -> np.ndarray:
        """How many of the first 8 bytes a frame has: int64 `[num_frames]`, 0 if it is remote."""
        return np.where(self.is_remote, 0, np.minimum(self.dlc, MAX_DLC)).astype(np.int64)

    @cached_property
    def bits(self) -> np.ndarray:
        """Bits that each frame occupies on a bus of classical CAN: int64 `[num_frames]`."""
        return frame_bits(self.arbitration_id, self.num_bytes, self.payload)

    @cached_property
    def clock(self) -> np.ndarray:
        """Time since the first frame, see `capture_clock`."""
        return capture_clock(self.timestamp)

    @cached_property
    def before(self) -> np.ndarray:
        """The frame of the same ID before each frame, see `frames_before`."""
        codes, ids = self.numbers
        return frames_before(codes, len(ids))


def rows(table: np.ndarray, chosen: slice | np.ndarray) -> np.ndarray:
    """Return rows of a table: `np.take` copies whole rows, indexing goes value by value."""
    return table[chosen] if isinstance(chosen, slice) else table.take(chosen, axis=0)


def number_ids(arbitration_id: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number IDs in ascending order.

    Args:
        arbitration_id: int64 `[num_frames]`.

    Returns:
        int32 `[num_frames]`, number of each frame's ID; the IDs, int64, ascending.
    """
    if arbitration_id.max(initial=0) >= SMALL_IDS:
        codes, found = pd.factorize(arbitration_id)
        order = np.argsort(found)
        rank = np.empty(len(found), np.int32)
        rank[order] = np.arange(len(found), dtype=np.int32)
        return rank[codes], found[order]
    ids = np.flatnonzero(np.bincount(arbitration_id))
    rank = np.zeros(SMALL_IDS, np.int32)
    rank[ids] = np.arange(len(ids), dtype=np.int32)
    return rank[arbitration_id], ids
