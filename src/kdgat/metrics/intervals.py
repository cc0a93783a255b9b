"""Intervals that count captures and blocks, not windows, as observations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdgat.metrics.detection import (
    COUNT_METRICS,
    checked_labels_and_scores,
    confusion_counts,
    rates,
)


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Attributes:
        bootstrap: number of bootstrap samples, at least 1.
        confidence: level of all intervals, between 0 and 1.
        seed: of the draws.
    """

    bootstrap: int
    confidence: float
    seed: int


def block_ids(captures: ArrayLike, stretches: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Number the blocks: the windows of one stretch of a capture that have one label.

    Neighbouring windows of one attack are near-copies, also where others lie between them, so a
    block and not a window is what an interval may count as an observation.

    Args:
        captures: name or number of each window's capture `[num_windows]`.
        stretches: number of the episode that each window touches, or of the pause between two
            (`aftermath.stretches`) `[num_windows]`.
        labels: 0 or 1 `[num_windows]`.

    Returns:
        int64 `[num_windows]`, 0 to num_blocks - 1, in order of capture, stretch and label.
    """
    _, captures = np.unique(np.asarray(captures), return_inverse=True)
    stretches, labels = np.asarray(stretches, np.int64), np.asarray(labels).astype(np.int64)
    keys = 2 * (captures * (stretches.max(initial=0) + 1) + stretches) + labels
    return np.unique(keys, return_inverse=True)[1]


def resampled_blocks(
    block_captures: NDArray[np.int64],
    block_labels: NDArray[np.bool_],
    samples: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw captures with replacement, then, in each drawn one, its blocks of either label.

    Two-stage bootstrap (Davison and Hinkley 1997, §3.8). A capture drawn twice has its blocks
    drawn twice as often; attack and benign blocks are drawn apart, so that a capture keeps both.

    Args:
        block_captures: capture number of each block, 0 to num_captures - 1 `[num_blocks]`.
        block_labels: label of each block `[num_blocks]`.
        samples: number of bootstrap samples.
        generator: source of the draws.

    Returns:
        How often each sample holds each block, int64 `[samples, num_blocks]`.
    """
    num_captures = int(block_captures.max()) + 1
    drawn = generator.multinomial(
        num_captures, np.full(num_captures, 1 / num_captures), size=samples
    )
    multiplicity = np.zeros((samples, block_captures.size), dtype=np.int64)
    for capture in range(num_captures):
        for label in (False, True):
            members = np.flatnonzero((block_captures == capture) & (block_labels == label))
            if members.size:
                multiplicity[:, members] = generator.multinomial(
                    drawn[:, capture] * members.size, np.full(members.size, 1 / members.size)
                )
    return multiplicity


def bootstrap_interval(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    *,
    captures: ArrayLike,
    stretches: ArrayLike,
    resampling: Resampling,
) -> dict[str, tuple[float, float]]:
    """Give percentile intervals of COUNT_METRICS, resampling captures and blocks, not windows.

    The same windows and seed draw the same samples whatever the scores, so models are compared
    on equal samples. Samples in which a metric is undefined are left out of its interval. With
    no error in any block the interval has no width: it cannot speak of errors never seen.

    Args:
        labels: 0 or 1 `[num_windows]`.
        scores: raw scores, higher = attack `[num_windows]`.
        threshold: windows at or above it alarm; in the scores' unit.
        captures: name of each window's capture `[num_windows]`.
        stretches: episode that each window touches, or pause between two `[num_windows]`.
        resampling: samples, level and seed.

    Returns:
        (low, high) per metric; (NaN, NaN) with fewer than two blocks to draw from: two attack
        blocks, and for false_positive_rate two benign ones.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, or a score is not finite.
    """
    labels, scores = checked_labels_and_scores(labels, scores)
    undefined = (np.nan, np.nan)
    if labels.size == 0:
        return dict.fromkeys(COUNT_METRICS, undefined)
    draws = BlockDraws.of(labels, captures, stretches, resampling)
    return {
        name: percentile_interval(values, resampling.confidence)
        if draws.supports(name)
        else undefined
        for name, values in rates(draws.counts(scores >= float(threshold))).items()
    }


def f1_difference_interval(
    labels: ArrayLike,
    alarms: ArrayLike,
    other_alarms: ArrayLike,
    *,
    captures: ArrayLike,
    stretches: ArrayLike,
    resampling: Resampling,
) -> tuple[float, float]:
    """Give the interval of F1 of one detector less F1 of another, on the same samples.

    Args:
        labels: 0 or 1 `[num_windows]`.
        alarms: bool `[num_windows]`, of the one.
        other_alarms: bool `[num_windows]`, of the other.
        captures: name of each window's capture `[num_windows]`.
        stretches: episode that each window touches, or pause between two `[num_windows]`.
        resampling: samples, level and seed.

    Returns:
        (low, high), NaN with fewer than two attack blocks.
    """
    labels = np.asarray(labels).astype(bool)
    draws = BlockDraws.of(labels, captures, stretches, resampling)
    if not draws.supports("f1"):
        return np.nan, np.nan
    one, other = (rates(draws.counts(np.asarray(each)))["f1"] for each in (alarms, other_alarms))
    return percentile_interval(one - other, resampling.confidence)


@dataclass(frozen=True)
class BlockDraws:
    """Bootstrap samples of the blocks of some windows.

    Attributes:
        labels: bool `[num_windows]`.
        blocks: block of each window `[num_windows]`.
        block_labels: bool `[num_blocks]`.
        multiplicity: how often each sample holds each block, int64 `[samples, num_blocks]`.
    """

    labels: NDArray[np.bool_]
    blocks: NDArray[np.int64]
    block_labels: NDArray[np.bool_]
    multiplicity: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        labels: NDArray[np.bool_],
        captures: ArrayLike,
        stretches: ArrayLike,
        resampling: Resampling,
    ) -> "BlockDraws":
        """Draw; arguments as `bootstrap_interval`, at least one window."""
        blocks = block_ids(captures, stretches, labels)
        _, first = np.unique(blocks, return_index=True)
        _, block_captures = np.unique(np.asarray(captures)[first], return_inverse=True)
        generator = np.random.default_rng(resampling.seed)
        drawn = resampled_blocks(block_captures, labels[first], resampling.bootstrap, generator)
        return cls(labels, blocks, labels[first], drawn)

    def counts(self, alarms: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Sum up TP, FP, FN, TN of each sample, int64 `[samples, 4]`."""
        block_counts = np.zeros((self.block_labels.size, 4), dtype=np.int64)
        np.add.at(block_counts, self.blocks, confusion_counts(self.labels, alarms))
        return self.multiplicity @ block_counts

    def supports(self, metric: str) -> bool:
        """Say whether there are two blocks to draw from of the label that a metric counts."""
        of_benign = metric == "false_positive_rate"
        return int((self.block_labels != of_benign).sum()) >= 2


def percentile_interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Give the central `confidence` share of the defined values, (NaN, NaN) if there are none."""
    defined = values[~np.isnan(values)]
    if defined.size == 0:
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
