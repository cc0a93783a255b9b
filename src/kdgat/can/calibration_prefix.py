"""The first seconds of a capture: a profile of the car, if they look benign."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.clock import without_jumps
from kdgat.can.graph_store import GraphStore
from kdgat.can.on_time import FEW_GAPS
from kdgat.can.profile import Profile
from kdgat.can.profile_features import EARLY, capture_clock
from kdgat.can.recording import Recording
from kdgat.can.splits import Cut, capture_blocks, deal_windows
from kdgat.can.windows import window_starts
from kdgat.parameters import Guard

LOGGER = logging.getLogger(__name__)

SLICES = 10
"""Tenths of a prefix, whose frames are counted against one another."""

FEW_FRAMES = 2
"""An ID with so few frames is rare; fuzzing sends hundreds of them."""

LONG_GAP, FEW_LONG_GAPS, LEAST_ACTIVE = 5.0, 1, 0.5
"""Which ID can fall silent: one that was active for half of the time, and has at most one gap of
over five median gaps. One that sends in bursts has pauses of its own."""


LONGEST_RUN = 3
"""Frames that may have been added within one usual gap; more make the ID unsteady."""

STEADY, STEADY_SHARE = 0.25, 0.5
"""An ID is steady if more than this share of its gaps lie within this share of their median."""


class Rhythm(NamedTuple):
    """When the frames of one ID come.

    Attributes:
        places: int64 `[count]`, its frames among those of the prefix.
        gaps: float64 `[count - 1]`, s.
        usual: Their median, s.
    """

    places: np.ndarray
    gaps: np.ndarray
    usual: float

    @property
    def early(self) -> np.ndarray:
        """Gaps after which a frame is early: bool `[count - 1]`."""
        return self.gaps < EARLY * self.usual

    @property
    def is_steady(self) -> bool:
        """Whether more than STEADY_SHARE of the gaps are about the usual one."""
        return bool(self.is_usual(self.gaps).mean() > STEADY_SHARE)

    def is_usual(self, gaps: np.ndarray) -> np.ndarray:
        """Say which gaps lie within STEADY of the usual one."""
        return np.abs(gaps - self.usual) < STEADY * self.usual


@dataclass(frozen=True, eq=False)
class Prefix:
    """What the beginning of a capture looks like.

    Attributes:
        num_frames: Frames in it.
        figures: Name of a limit of the guard -> figure.
        complaint: Why it is not taken for benign, empty if it is.
        surplus: int64, places of the frames that teach nothing, see `surplus_frames`.
        attack_frames: Frames in it that are labelled; a report tells it, nothing else looks.
    """

    num_frames: int
    figures: Mapping[str, float]
    complaint: str
    surplus: np.ndarray
    attack_frames: int

    def profile(self, recording: Recording) -> Profile:
        """Learn the car from the beginning of the recording, its surplus frames left out."""
        learned = np.delete(np.arange(self.num_frames), self.surplus)
        return Profile.empty().update_with(recording.part(learned))


def inspect_prefix(
    frames: pd.DataFrame, seconds: float, guard: Guard, *, window: int, stride: int
) -> Prefix:
    """Look for signs of an attack in the first seconds of a capture; labels are not looked at.

    A prefix after which no whole window comes is not learned from either: nothing would be left
    to judge.

    Args:
        frames: Frame table of the capture.
        seconds: Length of the prefix, s.
        guard: Limits.
        window: Frames in a window.
        stride: Frames from one window's start to the next.
    """
    clock = capture_clock(without_jumps(frames["timestamp"].to_numpy()))
    num_frames = int(np.searchsorted(clock, seconds))
    attack_frames = int(frames["attack"].to_numpy()[:num_frames].sum())
    if num_frames == len(frames):
        complaint = f"the capture lasts {clock[-1]:.1f} s"
        return Prefix(num_frames, {}, complaint, np.zeros(0, np.int64), attack_frames)
    clock, ids = clock[:num_frames], frames["arbitration_id"].to_numpy()[:num_frames]
    figures = prefix_figures(clock, ids, seconds)
    broken = [
        f"{name} is {value:.3g}, at most {limit:g} passes"
        for name, value in figures.items()
        for limit in [float(getattr(guard, name))]
        if value > limit
    ]
    if not (window_starts(len(frames), window, stride) >= num_frames).any():
        broken.append("no whole window comes after them")
    complaint = "; ".join(broken)
    return Prefix(num_frames, figures, complaint, surplus_frames(clock, ids), attack_frames)


def surplus_frames(clock: np.ndarray, arbitration_id: np.ndarray) -> np.ndarray:
    """Find frames of steady IDs that come between two others that are one usual gap apart.

    Somebody else has sent them: a frame of the ID's own that is late, or early, moves the next
    gap, too. Few of them pass the guard, and a profile that learned them would take spoofing of
    that ID for its habit. Of the runs of up to LONGEST_RUN frames at an early one that run is
    surplus without which the gap is nearest to the usual one.

    Args:
        clock: float64 `[num_frames]`, s since the capture began.
        arbitration_id: integer `[num_frames]`.

    Returns:
        Places of the frames, int64, ascending.
    """
    steady = (rhythm for rhythm in _rhythms(clock, arbitration_id) if rhythm.is_steady)
    runs = [
        rhythm.places[_added(rhythm, early)]
        for rhythm in steady
        for early in np.flatnonzero(rhythm.early)
    ]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *runs]))


def _added(rhythm: Rhythm, early: int) -> slice:
    """Give the run of an ID's frames that has been added where one is early; empty if none has."""
    time = np.concatenate([[0.0], np.cumsum(rhythm.gaps)])
    runs = [
        (first, first + length)
        for length in range(1, LONGEST_RUN + 1)
        for first in range(max(1, early - length + 1), min(early + 2, len(time) - length))
    ]
    first, after = np.array(runs).T
    without = time[after] - time[first - 1]
    nearest = np.abs(without - rhythm.usual).argmin()
    return slice(*runs[nearest]) if rhythm.is_usual(without)[nearest] else slice(0)


def _rhythms(clock: np.ndarray, arbitration_id: np.ndarray) -> Iterator[Rhythm]:
    """Give the rhythm of each ID of more than FEW_GAPS frames."""
    _, codes, counts = np.unique(arbitration_id, return_inverse=True, return_counts=True)
    for number in np.flatnonzero(counts > FEW_GAPS):
        places = np.flatnonzero(codes == number)
        gaps = np.diff(clock[places])
        yield Rhythm(places, gaps, float(np.median(gaps)))


def prefix_figures(
    clock: np.ndarray, arbitration_id: np.ndarray, seconds: float
) -> dict[str, float]:
    """Measure a prefix; a benign one is even, and no ID in it stands out.

    Args:
        clock: float64 `[num_frames]`, s since the capture began.
        arbitration_id: integer `[num_frames]`.
        seconds: Length of the prefix, s.

    Returns:
        A figure for each limit of `parameters.Guard`.
    """
    ids, counts = np.unique(arbitration_id, return_counts=True)
    *_, third, _, most = [0, 0, *np.sort(counts)]
    edges = np.linspace(0.0, seconds, SLICES + 1)
    in_slice = np.histogram(clock, edges)[0]
    early, steady_early, silence = 0, 0, 0.0
    for rhythm in _rhythms(clock, arbitration_id):
        times, gaps, usual = clock[rhythm.places], rhythm.gaps, rhythm.usual
        early += int(rhythm.early.sum())
        steady_early += int(rhythm.early.sum()) if rhythm.is_steady else 0
        is_active = len(times) * usual > LEAST_ACTIVE * seconds
        if not is_active or (gaps > LONG_GAP * usual).sum() > FEW_LONG_GAPS:
            continue
        quiet = max(times[0], seconds - times[-1], gaps.max())
        silence = max(silence, quiet / max(float(np.quantile(gaps, 0.9)), 1e-4))
    return {
        "top_ratio": float(most / max(1, third)),
        "rare_ids": float((counts <= FEW_FRAMES).sum() / len(ids)),
        "rate_ratio": float(in_slice.max() / max(1, in_slice.min())),
        "early_share": early / len(clock),
        "steady_early_share": steady_early / len(clock),
        "silence": silence,
    }


def inspect_prefixes(
    captures: Mapping[str, pd.DataFrame], seconds: float, guard: Guard, cut: Cut
) -> dict[str, Prefix]:
    """Inspect the prefix of every test capture, and say which are not taken for benign."""
    found = {
        name: inspect_prefix(captures[name], seconds, guard, window=cut.window, stride=cut.stride)
        for name in captures
        if name.startswith("test_")
    }
    for name, prefix in found.items():
        if prefix.complaint:
            LOGGER.warning(
                "%s: its first %g s are not taken for benign (%s); it is judged zero-shot",
                *(name, seconds, prefix.complaint),
            )
        warn_of_surplus(prefix, captures[name], f"{name}: its first {seconds:g} s")
    return found


def warn_of_surplus(prefix: Prefix, frames: pd.DataFrame, where: str) -> None:
    """Log how many frames of which IDs teach the profile nothing."""
    if prefix.complaint or not len(prefix.surplus):
        return
    ids = np.unique(frames["arbitration_id"].to_numpy()[prefix.surplus])
    named = ", ".join(f"{each:#x}" for each in ids[:3]) + (", ..." if len(ids) > 3 else "")
    LOGGER.warning(
        "%s are taken for benign, but for %d frames of %s, which come in between: the profile "
        "does not learn them",
        *(where, len(prefix.surplus), named),
    )


def calibrated_blocks(
    captures: Mapping[str, pd.DataFrame],
    cut: Cut,
    prefixes: Mapping[str, Prefix],
    *,
    with_profile: bool,
) -> Iterator[tuple[str, GraphStore]]:
    """Measure test captures against the profile that their own beginning teaches.

    The windows of the prefix are left out, also where the guard complained and there is no
    profile: which windows count must not depend on the guard. (`Detector.score` gives a verdict
    on these, too: they have calibrated nothing.) Where no whole window comes after the prefix,
    all windows are kept, without a profile: the capture would have no figure.

    Args:
        captures: `<scenario>/<capture>` -> frame table.
        cut: How captures are cut.
        prefixes: Of the test captures.
        with_profile: False where the detectors are trained without profiles.

    Yields:
        The split `calibrated_test`, and graphs for it.
    """
    for name, prefix in prefixes.items():
        frames = captures[name]
        recording = Recording.of(frames)
        starts = deal_windows(name, frames, cut)["test"]
        later = starts[starts >= prefix.num_frames]
        profile = None
        if with_profile and not prefix.complaint:
            profile = prefix.profile(recording)
        chosen = later if len(later) else starts
        for block in capture_blocks(name, recording, chosen, cut, profile):
            yield "calibrated_test", block


def prefix_table(prefixes: Mapping[str, Prefix]) -> pd.DataFrame:
    """Lay the verdicts out.

    Returns:
        capture, frames, the guard's figures, complaint (empty: benign), surplus_frames (which a
        profile leaves out) and attack_frames (labelled, known to nothing that decides).
    """
    rows = [
        {
            "capture": name,
            "frames": prefix.num_frames,
            **{limit: prefix.figures.get(limit, np.nan) for limit in Guard.model_fields},
            "complaint": prefix.complaint,
            "surplus_frames": len(prefix.surplus),
            "attack_frames": prefix.attack_frames,
        }
        for name, prefix in prefixes.items()
    ]
    last = ["complaint", "surplus_frames", "attack_frames"]
    return pd.DataFrame(rows, columns=["capture", "frames", *Guard.model_fields, *last])
