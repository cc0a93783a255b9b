"""Easy windows first: a sampler whose epochs differ."""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import Sampler

from kdgat.parameters import Curriculum


def hardness(y: ArrayLike, anomaly_score: ArrayLike) -> NDArray[np.float64]:
    """Rank windows from easy to hard inside their class.

    A benign window is hard when it looks strange to an autoencoder of benign traffic; an attack
    window is hard when it looks familiar.

    Args:
        y: label 0 or 1 `[num_graphs]`.
        anomaly_score: float `[num_graphs]`, higher = stranger.

    Returns:
        float64 `[num_graphs]`, 0 (easiest of its class) to 1 (hardest); ties keep their order.
    """
    y, score = np.asarray(y), np.asarray(anomaly_score, dtype=np.float64)
    rank = np.zeros(y.size)
    for label, direction in ((0, 1.0), (1, -1.0)):
        members = np.flatnonzero(y == label)
        order = np.argsort(direction * score[members], kind="stable")
        rank[members[order]] = np.linspace(0.0, 1.0, members.size)
    return rank


class EpochSampler(Sampler[int]):
    """Shuffles all windows and shows a share of them an epoch, in turn.

    What an epoch shows depends on seed and epoch alone; `Loop` calls `set_epoch` before each.

    Args:
        num_graphs: windows to draw from.
        seed: of the draws.
        share: of the windows that one epoch sees, above 0, at most 1; taken for the nearest 1 / n:
            after n epochs the windows are shuffled anew.
    """

    def __init__(self, *, num_graphs: int, seed: int, share: float = 1.0) -> None:
        self.num_graphs = num_graphs
        self.seed = seed
        self.rounds = round(1.0 / share)
        self.epoch_graphs = num_graphs // self.rounds
        self.epoch = 0

    @property
    def full_epoch(self) -> int:
        """First epoch that may see every window."""
        return 0

    def set_epoch(self, epoch: int) -> None:
        """Move to an epoch."""
        self.epoch = epoch

    def draw(self, epoch: int) -> NDArray[np.int64]:
        """Give the windows of an epoch in the order of training, int64 `[epoch_graphs]`."""
        turn, place = divmod(epoch, self.rounds)
        order = np.random.default_rng([self.seed, turn]).permutation(self.num_graphs)
        return order[place * self.epoch_graphs :][: self.epoch_graphs]

    def __iter__(self) -> Iterator[int]:
        """Iterate over the current epoch's windows."""
        return iter(self.draw(self.epoch).tolist())

    def __len__(self) -> int:
        """Windows of an epoch."""
        return self.epoch_graphs


class CurriculumSampler(EpochSampler):
    """Draws every epoch from a pool that grows from the easiest windows to all.

    Bengio et al.: Curriculum Learning (ICML 2009). Epoch e of E has the pace
    p = min(1, e / (pace_share * (E - 1))). Of each class it draws from the windows of hardness
    at most start_share + (1 - start_share) * p; the number of benign windows per attack window
    moves from start_ratio to end_ratio. Every epoch draws as many windows as in mode `normal`:
    both take the same number of steps. Without attack windows the benign
    ones alone are drawn, and the other way round.

    Args:
        y: label 0 or 1 `[num_graphs]`.
        hardness: 0 to 1 inside each class `[num_graphs]`.
        curriculum: the parameters named above.
        epochs: E.
        seed: of the draws.
        share: of the windows that one epoch sees.
    """

    def __init__(
        self,
        *,
        y: ArrayLike,
        hardness: ArrayLike,
        curriculum: Curriculum,
        epochs: int,
        seed: int,
        share: float = 1.0,
    ) -> None:
        self.y = np.asarray(y)
        super().__init__(num_graphs=self.y.size, seed=seed, share=share)
        self.hardness = np.asarray(hardness, dtype=np.float64)
        self.curriculum = curriculum
        self.epochs = epochs

    @property
    def full_epoch(self) -> int:
        """First epoch that may see every window."""
        return math.ceil(self.curriculum.pace_share * (self.epochs - 1))

    def pace(self, epoch: int) -> float:
        """Give the pace of an epoch, 0 to 1."""
        last = self.curriculum.pace_share * (self.epochs - 1)
        return min(1.0, epoch / last) if last > 0 else 1.0

    def draw(self, epoch: int) -> NDArray[np.int64]:
        """Give the windows of an epoch in the order of training, int64 `[epoch_graphs]`."""
        pace, bounds = self.pace(epoch), self.curriculum
        limit = bounds.start_share + (1.0 - bounds.start_share) * pace
        ratio = bounds.start_ratio + (bounds.end_ratio - bounds.start_ratio) * pace
        seen = self.hardness <= limit
        benign = np.flatnonzero(seen & (self.y == 0))
        attack = np.flatnonzero(seen & (self.y == 1))
        attack_count = round(self.epoch_graphs / (1.0 + ratio))
        if benign.size == 0 or attack.size == 0:
            attack_count = self.epoch_graphs if benign.size == 0 else 0
        generator = np.random.default_rng([self.seed, epoch])
        drawn = (
            _draw(benign, self.epoch_graphs - attack_count, generator),
            _draw(attack, attack_count, generator),
        )
        return generator.permutation(np.concatenate(drawn))


def _draw(pool: NDArray[np.int64], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw `count` of a pool, each as often as any other, give or take one."""
    if count == 0:
        return pool[:0]
    rounds = -(-count // pool.size)
    return np.concatenate([generator.permutation(pool) for _ in range(rounds)])[:count]


def epoch_sampler(
    *,
    mode: str,
    y: ArrayLike,
    anomaly_score: Callable[[], ArrayLike],
    curriculum: Curriculum,
    epochs: int,
    seed: int,
    share: float = 1.0,
) -> EpochSampler:
    """Choose the sampler of a training mode.

    Args:
        mode: `normal` or `curriculum`.
        y: label 0 or 1 `[num_graphs]`.
        anomaly_score: gives float `[num_graphs]`; called in mode `curriculum` only.
        curriculum: its parameters.
        epochs: of the whole training.
        seed: of the draws.
        share: of the windows that one epoch sees.
    """
    y = np.asarray(y)
    if mode == "normal":
        return EpochSampler(num_graphs=y.size, seed=seed, share=share)
    return CurriculumSampler(
        y=y,
        hardness=hardness(y, anomaly_score()),
        curriculum=curriculum,
        epochs=epochs,
        seed=seed,
        share=share,
    )
