"""The first seconds of a capture: a profile of the car, if they look benign."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kdgat.can.graph_store import GraphStore
from kdgat.can.profile import Profile
from kdgat.can.profile_features import EARLY, FEW_GAPS, capture_clock
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


STEADY, STEADY_SHARE = 0.25, 0.5
"""An ID is steady if more than this share of its gaps lie within this share of their median."""


@dataclass(frozen=True)
class Prefix:
    """What the beginning of a capture looks like.

    Attributes:
        num_frames: Frames in it.
        figures: Name of a limit of the guard -> figure.
        complaint: Why it is not taken for benign, empty if it is.
    """

    num_frames: int
    figures: Mapping[str, float]
    complaint: str


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
    clock = capture_clock(frames["timestamp"].to_numpy())
    num_frames = int(np.searchsorted(clock, seconds))
    if num_frames == len(frames):
        return Prefix(num_frames, {}, f"the capture lasts {clock[-1]:.1f} s")
    figures = prefix_figures(
        clock[:num_frames], frames["arbitration_id"].to_numpy()[:num_frames], seconds
    )
    broken = [
        f"{name} is {value:.3g}, at most {limit:g} passes"
        for name, value in figures.items()
        for limit in [float(getattr(guard, name))]
        if value > limit
    ]
    if not (window_starts(len(frames), window, stride) >= num_frames).any():
        broken.append("no whole window comes after them")
    return Prefix(num_frames, figures, "; ".join(broken))


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
    ids, codes, counts = np.unique(arbitration_id, return_inverse=True, return_counts=True)
    *_, third, _, most = [0, 0, *np.sort(counts)]
    edges = np.linspace(0.0, seconds, SLICES + 1)
    in_slice = np.histogram(clock, edges)[0]
    early, steady_early, silence = 0, 0, 0.0
    for number in np.flatnonzero(counts > FEW_GAPS):
        times = clock[codes == number]
        gaps = np.diff(times)
        usual = float(np.median(gaps))
        early_here = int((gaps < EARLY * usual).sum())
        early += early_here
        if (np.abs(gaps - usual) < STEADY * usual).mean() > STEADY_SHARE:
            steady_early += early_here
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
    return found


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
            profile = Profile.empty().update_with(recording.part(slice(prefix.num_frames)))
        chosen = later if len(later) else starts
        for block in capture_blocks(name, recording, chosen, cut, profile):
            yield "calibrated_test", block


def prefix_table(prefixes: Mapping[str, Prefix]) -> pd.DataFrame:
    """Lay the verdicts out: capture, frames, the guard's figures, complaint (empty: benign)."""
    rows = [
        {
            "capture": name,
            "frames": prefix.num_frames,
            **{limit: prefix.figures.get(limit, np.nan) for limit in Guard.model_fields},
            "complaint": prefix.complaint,
        }
        for name, prefix in prefixes.items()
    ]
    return pd.DataFrame(rows, columns=["capture", "frames", *Guard.model_fields, "complaint"])
