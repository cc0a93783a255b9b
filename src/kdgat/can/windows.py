"""Windows of consecutive frames: bounds, labels, and the split into training and validation."""

from typing import NamedTuple

import numpy as np
from numba import njit

from kdgat.can.measures import COMPILED
from kdgat.errors import DataError

TRAIN = 0
VALIDATION = 1
GAP = -1
"""Part of a window: trained on, held out, or left out between the two."""


def window_starts(num_frames: int, window: int, stride: int) -> np.ndarray:
    """Return the first frame of every whole window of one capture.

    Args:
        num_frames: Frames in the capture.
        window: Frames in a window, at least 1.
        stride: Frames from one start to the next, at least 1.

    Returns:
        int64 `[num_windows]`; empty if the capture is shorter than one window.
    """
    return np.arange(0, num_frames - window + 1, stride, dtype=np.int64)


@njit(**COMPILED)
def attack_counts(attack, starts, window):
    """Count the attack frames of each window: int32 `[num_windows]`.

    Args:
        attack: integer `[num_frames]`, 1 where the frame is part of an attack.
        starts: int64 `[num_windows]`, first frame of each window.
        window: Frames in a window.
    """
    counts = np.empty(len(starts), np.int32)
    for number in range(len(starts)):
        count = 0
        for frame in range(starts[number], starts[number] + window):
            count += attack[frame]
        counts[number] = count
    return counts


def window_labels(attack: np.ndarray, starts: np.ndarray, window: int) -> np.ndarray:
    """Label each window 1 if any of its frames is part of an attack: uint8 `[num_windows]`."""
    return (attack_counts(attack, starts, window) > 0).astype(np.uint8)


def episode_reach(
    episode: np.ndarray, starts: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find how far the episodes that touch a window reach to either side.

    Args:
        episode: integer `[num_frames]`, 0 in benign frames, k in the capture's k-th episode.
        starts: int64 `[num_windows]`, first frame of each window, ascending.
        window: Frames in a window.

    Returns:
        int64 `[num_windows]` twice: the first and the last window that shares an episode with
        the window, the window itself where it holds none.
    """
    first = np.arange(len(starts))
    last = first.copy()
    attacked = np.flatnonzero(episode)
    for number in np.unique(episode[attacked]):
        frames = attacked[episode[attacked] == number]
        begin = np.searchsorted(starts, frames[0] - window, side="right")
        end = np.searchsorted(starts, frames[-1], side="right")
        first[begin:end] = np.minimum(first[begin:end], begin)
        last[begin:end] = np.maximum(last[begin:end], end - 1)
    return first, last


def gap_windows(window: int, stride: int) -> int:
    """Return how many windows to leave out so that a whole window's frames lie between two parts.

    Windows `i < j` leave `(j - i) * stride - window` frames between them.
    """
    return max(1, -(-2 * window // stride) - 1)


def split_windows(
    labels: np.ndarray,
    *,
    window: int,
    stride: int,
    validation_share: float,
    reach: tuple[np.ndarray, np.ndarray] | None = None,
    capture: str = "the capture",
) -> np.ndarray:
    """Hold out one contiguous block of a capture's windows for validation.

    Neighbouring windows are near copies, so a random split would validate on what was trained
    on. The block is contiguous in time and no frame is shared: on either side, unless it touches
    the capture's end, windows are left out until at least `window` frames lie in between.

    Episodes stay whole: where one reaches out of the block, its windows beyond are left out,
    too, so that training never sees the rest of an attack that is validated on. Only where no
    position then has attack windows on both sides, as in a capture with a single episode, an
    episode may be cut, with the same gap.

    Of all positions those come first that leave attack windows on both sides, then those that
    leave at least training some, then those with benign windows on both sides; among them the
    one whose share of attack windows is closest to the capture's, the latest of equals.

    Args:
        labels: uint8 `[num_windows]`, 1 where the window holds an attack frame.
        window: Frames in a window.
        stride: Frames from one start to the next.
        validation_share: Share of the windows in the block, above 0, below 1.
        reach: `episode_reach` of the windows; without it episodes are not looked at.
        capture: Name for the error message.

    Returns:
        int8 `[num_windows]`: `TRAIN`, `VALIDATION` or `GAP`.

    Raises:
        DataError: The capture has too few windows for a block, a gap and a training window.
    """
    num_windows = len(labels)
    block = max(1, round(validation_share * num_windows))
    gap = gap_windows(window, stride)
    needed = block + gap + 1
    if num_windows < needed:
        raise DataError(
            f"{capture} has {num_windows} whole windows of {window} frames at stride {stride}; "
            f"splitting off a validation share of {validation_share:g} needs at least {needed}."
        )
    plain = np.arange(num_windows)
    first_whole, last_whole = (plain, plain) if reach is None else reach
    place = _best_position(labels, block, gap, first_whole, last_whole)
    if place is None:
        place = _best_position(labels, block, gap, plain, plain, cut=True)
    parts = np.full(num_windows, TRAIN, np.int8)
    parts[place.before : place.after] = GAP
    parts[place.first : place.first + block] = VALIDATION
    return parts


class _Place(NamedTuple):
    """Where the validation block lies, and the training windows before and after it end."""

    first: int
    before: int
    after: int


def _best_position(
    labels: np.ndarray,
    block: int,
    gap: int,
    first_whole: np.ndarray,
    last_whole: np.ndarray,
    *,
    cut: bool = False,
) -> _Place | None:
    """Return the position that `split_windows` describes.

    None if the capture has attacks, and no position leaves some on both sides; with `cut` the
    best position all the same.
    """
    num_windows = len(labels)
    first = np.arange(num_windows - block + 1)
    before = np.maximum(np.minimum(first - gap, first_whole[first]), 0)
    last = first + block - 1
    after = np.minimum(np.maximum(last + gap, last_whole[last]) + 1, num_windows)
    attacks_up_to = np.concatenate([[0], np.cumsum(labels, dtype=np.int64)])
    total = attacks_up_to[-1]
    held_attacks = attacks_up_to[first + block] - attacks_up_to[first]
    train_attacks = attacks_up_to[before] + total - attacks_up_to[after]
    train_windows = before + num_windows - after
    attack_in_both = (held_attacks > 0) & (train_attacks > 0)
    benign_in_both = (held_attacks < block) & (train_attacks < train_windows)
    # Integers, so that equal distances tie exactly.
    distance = np.abs(held_attacks * num_windows - total * block)
    preference = (first, -distance, benign_in_both, train_attacks > 0, attack_in_both)
    trainable = train_windows > 0
    if not cut and (not trainable.any() or (total > 0 and not attack_in_both[trainable].any())):
        return None
    order = np.lexsort([key[trainable] for key in preference])
    best = np.flatnonzero(trainable)[order[-1]]
    return _Place(int(first[best]), int(before[best]), int(after[best]))
