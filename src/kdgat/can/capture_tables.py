"""The frame tables of many captures, of which only a few are in memory at a time."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from kdgat.can.captures import Capture
from kdgat.can.clock import bus_time, steps_back
from kdgat.can.repeats import content_hash, episodes_hash, find_repeated

KEPT_FRAMES = 5_000_000
"""Frames kept in memory, together: 190 MB."""

Reader = Callable[[], Capture]


@dataclass(frozen=True)
class CaptureNote:
    """What is remembered of a capture that has been read.

    Attributes:
        content: Hash of its frames.
        vehicle: The car.
        attack_type: What is in it.
        silences: Bounds of episodes without frames, as in `Capture`.
        episodes: Hash of which frame is of which episode.
    """

    content: str
    vehicle: str
    attack_type: str
    silences: tuple[tuple[float, float], ...] = ()
    episodes: str = ""


class CaptureTables(Mapping[str, pd.DataFrame]):
    """Capture name -> frame table, read again from its log where it was not kept.

    Args:
        readers: Capture name -> function that reads it.
        notes: Capture name -> what is known of it.
        kept: Tables in memory.
    """

    def __init__(
        self,
        readers: Mapping[str, Reader],
        notes: Mapping[str, CaptureNote],
        kept: Mapping[str, pd.DataFrame],
    ):
        self.notes = notes
        self._readers = readers
        self._kept = kept

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name in self._kept:
            return self._kept[name]
        return self._readers[name]().frames

    def __iter__(self) -> Iterator[str]:
        return iter(self.notes)

    def __len__(self) -> int:
        return len(self.notes)

    def vehicles(self) -> dict[str, str]:
        """Name each capture's vehicle."""
        return {name: note.vehicle for name, note in self.notes.items()}

    def only(self, names: Collection[str]) -> "CaptureTables":
        """Keep some captures."""
        notes = {name: note for name, note in self.notes.items() if name in names}
        return CaptureTables(self._readers, notes, self._kept)

    def joined(self, other: "CaptureTables") -> "CaptureTables":
        """Put other captures behind these."""
        return CaptureTables(
            {**self._readers, **other._readers},
            {**self.notes, **other.notes},
            {**self._kept, **other._kept},
        )


@dataclass(frozen=True)
class Survey:
    """What one pass over a dataset's captures finds.

    Attributes:
        captures: Those that repeat no other.
        summary: One row per capture: as `describe_capture`, and `repeats`, the capture that it
            repeats.
        bad_rows: Malformed rows left out: `line`, `reason`, `text`, `capture`.
        repeated: Pairs (name of a capture left out, name of the one kept).
    """

    captures: CaptureTables
    summary: pd.DataFrame
    bad_rows: pd.DataFrame
    repeated: list[tuple[str, str]]


def survey_captures(
    readers: Mapping[str, Reader],
    *,
    allowed_repeats: Sequence[str] = (),
    kept_frames: int = KEPT_FRAMES,
) -> Survey:
    """Read every capture once, one at a time.

    Args:
        readers: Capture name -> function that reads it.
        allowed_repeats: Names of test captures that may repeat a training capture.
        kept_frames: Frames to keep in memory, together.

    Raises:
        DataError: A capture cannot be read, or a test capture repeats a training capture, or a
            name allowed is no capture.
    """
    notes, kept, rows, bad_rows = {}, {}, [], []
    for name, reader in readers.items():
        capture = reader()
        content = content_hash(capture.frames)
        notes[name] = CaptureNote(
            content,
            capture.vehicle,
            capture.attack_type,
            capture.silences,
            episodes_hash(capture.frames),
        )
        rows.append(describe_capture(capture))
        bad_rows.append(capture.bad_rows.assign(capture=name))
        if len(capture.frames) <= kept_frames:
            kept[name] = capture.frames
            kept_frames -= len(capture.frames)
    hashes = {name: note.content for name, note in notes.items()}
    repeated = find_repeated(hashes, allowed_repeats)
    dropped = dict(repeated)
    summary = pd.DataFrame(rows)
    return Survey(
        captures=CaptureTables(
            readers,
            {name: note for name, note in notes.items() if name not in dropped},
            {name: frames for name, frames in kept.items() if name not in dropped},
        ),
        summary=summary.assign(repeats=summary["capture"].map(dropped).fillna("")),
        bad_rows=pd.concat(bad_rows),
        repeated=repeated,
    )


def describe_capture(capture: Capture) -> dict[str, str | int | float]:
    """Describe a capture in one row of a table.

    Returns:
        capture, vehicle, attack_type, format, frames, seconds, arbitration_ids, attack_frames,
        episodes, bad_rows, error_frames, steps_back.
    """
    frames = capture.frames
    time = bus_time(frames["timestamp"].to_numpy())
    return {
        "capture": capture.name,
        "vehicle": capture.vehicle,
        "attack_type": capture.attack_type,
        "format": capture.format,
        "frames": len(frames),
        "seconds": float(time[-1] - time[0]) if len(time) else 0.0,
        "arbitration_ids": int(frames["arbitration_id"].nunique()),
        "attack_frames": int(frames["attack"].sum()),
        "episodes": len(set(frames["episode"]) - {0}) + len(capture.silences),
        "bad_rows": len(capture.bad_rows),
        "error_frames": capture.error_frames,
        "steps_back": len(steps_back(frames)),
    }
