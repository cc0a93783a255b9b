"""How large batches are: one owner of the rule, applied once per stage.

A budget counts nodes; edges follow in the proportion of the training graphs. Memory above what
weights and optimiser hold is taken to grow in step with the budget.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kdgat.can.graph_store import GraphStore
from kdgat.can.samplers import BatchLimit
from kdgat.errors import KdgatError
from kdgat.parameters import BatchSize

BY_GRAPHS = 0
"""A budget that says: count graphs, `BatchSize.graphs` of them."""

LARGEST_STEP = 2.0
"""Most by which a budget grows or shrinks after an epoch."""

BELOW_FAILURE = 0.9
"""Share of a budget that has failed up to which another one may grow."""

CLOSE_ENOUGH = 0.05
"""Relative distance of two budgets at which a search ends."""


@dataclass(frozen=True)
class GraphSizes:
    """Sizes of the training graphs.

    Attributes:
        graphs: how many.
        nodes: of all.
        edges: of all.
    """

    graphs: int
    nodes: int
    edges: int

    @classmethod
    def of(cls, store: GraphStore) -> "GraphSizes":
        """Measure a store."""
        return cls(len(store), int(store.node_offsets[-1]), int(store.edge_offsets[-1]))


def settled(settings: BatchSize, *, modes: Iterable[str], dataset: str) -> BatchSize:
    """Lay what is otherwise in these modes, then on this dataset, over the settings.

    Args:
        settings: of the stage.
        modes: `normal` or `curriculum`, and `distillation` where there is a teacher.
        dataset: of the run.

    Returns:
        Settings with nothing left to lay over.
    """
    changes = [settings.by_mode[mode] for mode in modes if mode in settings.by_mode]
    if dataset in settings.by_dataset:
        changes.append(settings.by_dataset[dataset])
    values: dict[str, Any] = {"by_mode": {}, "by_dataset": {}}
    for change in changes:
        values |= change.model_dump(exclude_none=True)
    return settings.model_copy(update=values)


class Sizer:
    """The budget of one stage: what it is, how it follows the memory, and its trace.

    Args:
        settings: of the stage, settled.
        sizes: of the training graphs.
        stage: its name in errors.
        start: budget of the last run like this one, nodes; None where there is none.
    """

    def __init__(
        self, settings: BatchSize, sizes: GraphSizes, *, stage: str, start: int | None = None
    ) -> None:
        self.settings = settings
        self.sizes = sizes
        self.stage = stage
        self.failed: int | None = None
        mean = sizes.nodes / sizes.graphs
        adapts = settings.mode != "fixed"
        self.nodes = self._within(start or round(settings.graphs * mean)) if adapts else BY_GRAPHS
        self.used: list[list[int]] = []
        self._batches = 0
        self._replay: dict[int, int] = {}

    @property
    def limit(self) -> BatchLimit:
        """What the next batch may hold."""
        if self.nodes == BY_GRAPHS:
            return BatchLimit(graphs=self.settings.graphs)
        edges = round(self.nodes * self.sizes.edges / self.sizes.nodes)
        return BatchLimit(nodes=self.nodes, edges=edges)

    @property
    def learning_rate_factor(self) -> float:
        """By what the learning rate is multiplied: the batch size over the configured one."""
        if not self.settings.scale_learning_rate or self.nodes == BY_GRAPHS:
            return 1.0
        mean = self.sizes.nodes / self.sizes.graphs
        return self.nodes / mean / self.settings.graphs

    @property
    def is_to_search(self) -> bool:
        """Whether a search comes before the first epoch."""
        return self.settings.mode == "binary_search" and not self.settings.replay

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch; where a run is repeated, with its budgets."""
        replay = self.settings.replay
        self._replay = dict(replay[epoch]) if epoch < len(replay) else {}
        self._batches = 0
        self.nodes = self._replay.get(0, self.nodes)
        self.used = [[0, self.nodes]]

    def batch_done(self) -> None:
        """Count a batch, of training or validation."""
        self._batches += 1
        nodes = self._replay.get(self._batches, self.nodes)
        if nodes != self.nodes:
            self._become(nodes)

    def halve(self, *, nodes: int, graphs: int) -> None:
        """Halve the budget after a batch that did not fit.

        Args:
            nodes: of that batch.
            graphs: of that batch.

        Raises:
            KdgatError: it cannot be halved any more.
        """
        tried = min(nodes, self.nodes) if self.nodes != BY_GRAPHS else nodes
        if graphs == 1 or tried // 2 < self.settings.smallest:
            raise KdgatError(
                f"stage {self.stage}: out of memory with a batch of {graphs} graphs and {nodes} "
                f"nodes, and a budget may not fall below {self.settings.smallest} nodes "
                "(batch_size.smallest): use a smaller model or more memory"
            )
        self.failed = tried if self.failed is None else min(tried, self.failed)
        self._become(tried // 2)

    def adapt(self, *, peak: int, fixed: int, memory: int) -> float:
        """Move toward the target after an epoch, mode adaptive.

        Args:
            peak: most memory that the epoch took, bytes.
            fixed: of that, what no batch size changes, bytes.
            memory: that is there, bytes.

        Returns:
            The factor by which the budget has changed.
        """
        if self.settings.mode != "adaptive" or self.settings.replay:
            return 1.0
        room = max(self.settings.target * memory - fixed, 1.0)
        wanted = (room / max(peak - fixed, 1)) ** (1.0 - self.settings.momentum)
        factor = min(max(wanted, 1.0 / LARGEST_STEP), LARGEST_STEP)
        before, self.nodes = self.nodes, self._within(round(self.nodes * factor))
        return self.nodes / before

    def search(self, fits: Callable[[], bool]) -> None:
        """Find the largest budget that fits, mode binary_search: double, then halve the interval.

        Args:
            fits: tries a batch of the limit as it is then.

        Raises:
            KdgatError: nothing that was tried fits.
        """
        good, bad = 0, 0
        for _ in range(self.settings.trials):
            if fits():
                good = self.nodes
                following = (good + bad) // 2 if bad else self._within(2 * good)
            else:
                bad = self.nodes
                following = self._within((good + bad) // 2)
            if (good and abs(following - good) < CLOSE_ENOUGH * good) or following == bad:
                break
            self.nodes = following
        if not good:
            raise KdgatError(
                f"stage {self.stage}: no batch fits into memory, down to {bad} nodes: use a "
                "smaller model, more memory or a lower batch_size.smallest"
            )
        self.nodes = good

    def state_dict(self) -> dict[str, Any]:
        """Give what a later life needs."""
        return {"nodes": self.nodes, "failed": self.failed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from an earlier life."""
        self.nodes, self.failed = state["nodes"], state["failed"]

    def _become(self, nodes: int) -> None:
        self.nodes = nodes
        if self.used and self.used[-1][0] == self._batches:
            self.used[-1][1] = nodes
        else:
            self.used.append([self._batches, nodes])

    def _within(self, nodes: int) -> int:
        ceiling = min(self.settings.largest, max(self.sizes.nodes, self.settings.smallest))
        if self.failed is not None:
            ceiling = min(ceiling, int(BELOW_FAILURE * self.failed))
        return max(min(nodes, ceiling), self.settings.smallest)
