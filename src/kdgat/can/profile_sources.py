"""Where the profile of a capture comes from: its vehicle, its own beginning, or nowhere."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pandas as pd

from kdgat.can.declarations import UNKNOWN
from kdgat.can.profile import Profile
from kdgat.can.profile_features import capture_clock
from kdgat.errors import DataError
from kdgat.parameters import ProfileSource

LOGGER = logging.getLogger(__name__)

NO_PROFILE = ProfileSource(source="none", seconds=5.0)

HALVES = 2

Piece = tuple[str, int]
"""A half of an attack-free training capture: its name and 0 or 1."""


@dataclass(frozen=True)
class Profiles:
    """The profiles for the windows of any capture of a dataset.

    Attributes:
        source: Where they come from.
        pieces: Vehicle -> half of an attack-free training capture -> what it teaches.
        vehicles: Capture -> vehicle.
    """

    source: ProfileSource = NO_PROFILE
    pieces: Mapping[str, Mapping[Piece, Profile]] = field(default_factory=dict)
    vehicles: Mapping[str, str] = field(default_factory=dict)

    def of_windows(
        self, name: str, frames: pd.DataFrame, starts: np.ndarray, window: int
    ) -> Iterator[tuple[np.ndarray, Profile | None]]:
        """Pair the windows of a capture with their profile.

        No window meets a profile that has seen it. With source `prefix` the windows that the
        profile was learned from are left out: they are neither trained on nor scored.

        Args:
            name: `<scenario>/<capture>`.
            frames: Its frame table.
            starts: int64 `[num_windows]`, first frame of each window, ascending.
            window: Frames in a window.

        Raises:
            DataError: No window is left after the prefix.
        """
        if self.source.source == "none":
            yield starts, None
        elif self.source.source == "prefix":
            yield _after_prefix(name, frames, starts, self.source.seconds)
        else:
            yield from self._of_vehicle(name, len(frames), starts, window)

    def _of_vehicle(self, name, num_frames, starts, window):
        pieces = self.pieces.get(self.vehicles[name], {})
        if not pieces:
            LOGGER.info("%s: no attack-free training capture of its vehicle, no profile", name)
            yield starts, None
            return
        half = (starts + window > _middle(num_frames)).astype(int)
        for number in range(HALVES):
            others = [piece for key, piece in sorted(pieces.items()) if key != (name, number)]
            chosen = starts[half == number]
            if len(chosen):
                yield chosen, reduce(Profile.merge, others, Profile.empty())


def learn_profiles(
    captures: Iterable[tuple[str, pd.DataFrame]],
    vehicles: Mapping[str, str],
    source: ProfileSource,
    window: int,
) -> Profiles:
    """Learn what a dataset's captures are measured against.

    With source `vehicle` each half of each attack-free training capture is learned by itself, so
    that a window of one half can be measured against the other half and other captures. Captures
    whose vehicle is unknown teach nothing.

    Args:
        captures: Name and frame table of each, one at a time.
        vehicles: Capture -> vehicle.
        source: Where profiles come from.
        window: Frames in a window; as many are left out between two halves.
    """
    pieces: dict[str, dict[Piece, Profile]] = {}
    if source.source == "vehicle":
        for name, frames in captures:
            if name.startswith("train_") and vehicles[name] != UNKNOWN and not frames.attack.any():
                middle = _middle(len(frames))
                parts = frames.iloc[: max(0, middle - window)], frames.iloc[middle:]
                learned = pieces.setdefault(vehicles[name], {})
                for number, part in enumerate(parts):
                    learned[name, number] = Profile.empty().update(part).end_recording()
    return Profiles(source, pieces, vehicles)


def _middle(num_frames: int) -> int:
    return num_frames // 2


def _after_prefix(
    name: str, frames: pd.DataFrame, starts: np.ndarray, seconds: float
) -> tuple[np.ndarray, Profile]:
    clock = capture_clock(frames["timestamp"].to_numpy())
    prefix = int(np.searchsorted(clock, seconds))
    left = starts[starts >= prefix]
    if len(left) == 0:
        raise DataError(
            f"capture {name} lasts {clock[-1]:.1f} s: no window is left after the first "
            f"{seconds:g} s, of which its profile is learned (data_processing.profile)"
        )
    attacks = int(frames["attack"].to_numpy()[:prefix].sum())
    if attacks:
        LOGGER.warning(
            "%s: %d attack frames in the first %g s, which are taken for benign: its profile is "
            "poisoned",
            *(name, attacks, seconds),
        )
    return left, Profile.empty().update(frames.iloc[:prefix])
