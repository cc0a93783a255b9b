"""Batches by size in memory rather than by number of graphs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from torch.utils.data import Sampler

from kdgat.can.graph_store import GraphStore


@dataclass(frozen=True)
class BatchLimit:
    """What a batch may hold: a number of graphs, or nodes and edges.

    Attributes:
        graphs: graphs of every batch; None where nodes and edges count.
        nodes: most nodes.
        edges: most edges.
    """

    graphs: int | None = None
    nodes: int = 0
    edges: int = 0


class AdjustableBatches(Sampler[list[int]]):
    """Batches of an epoch whose limit may change from batch to batch; the last can be put back.

    Floods and fuzzing make graphs of very different sizes: a limit on nodes and edges keeps the
    memory of a batch and the time of a step even.

    A graph above the limit is a batch by itself. Several processes see the same batches, of
    which each takes every n-th graph; where there is none for it, it takes the first one again,
    with weight 0. Where the limit changes, ask for batches without workers: they would run ahead.

    Args:
        store: the graphs.
        order: of the epoch, any sampler of torch's.
        limit: gives the limit of the next batch.
        part: which of the processes this is, and how many there are.
    """

    def __init__(
        self,
        store: GraphStore,
        order: Iterable[int],
        limit: Callable[[], BatchLimit],
        part: tuple[int, int] = (0, 1),
    ):
        self._num_nodes = store.node_offsets.diff().tolist()
        self._num_edges = store.edge_offsets.diff().tolist()
        self._order = list(order)
        self._limit = limit
        self._rank, self._processes = part
        self._begin = self._end = 0

    def __iter__(self) -> Iterator[list[int]]:
        while self._end < len(self._order):
            self._begin = self._end
            self._end = self._next_end()
            yield self._own() or self.last[:1]

    @property
    def last(self) -> list[int]:
        """The last batch, of all processes together."""
        return self._order[self._begin : self._end]

    @property
    def seen(self) -> int:
        """Graphs up to the end of the last batch."""
        return self._end

    @property
    def own_graphs(self) -> int:
        """Graphs of the last batch that are this process's."""
        return len(self._own())

    @property
    def num_nodes(self) -> int:
        """Nodes of the last batch, of all processes together."""
        return sum(self._num_nodes[graph] for graph in self.last)

    def put_back(self) -> None:
        """Give the graphs of the last batch once more, in batches of the limit by then."""
        self._end = self._begin

    def _own(self) -> list[int]:
        return self.last[self._rank :: self._processes]

    def _next_end(self) -> int:
        limit = self._limit()
        if limit.graphs is not None:
            return min(self._begin + limit.graphs, len(self._order))
        nodes = edges = 0
        for place in range(self._begin, len(self._order)):
            nodes += self._num_nodes[self._order[place]]
            edges += self._num_edges[self._order[place]]
            if (nodes > limit.nodes or edges > limit.edges) and place > self._begin:
                return place
        return len(self._order)
