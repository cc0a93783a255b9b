"""Batches by size in memory rather than by number of graphs.

Weighted and distributed samplers are torch's own: `WeightedRandomSampler`, `DistributedSampler`.
"""

from collections.abc import Iterable, Iterator

from torch.utils.data import Sampler

from kdgat.can.graph_store import GraphStore
from kdgat.errors import DataError


class NodeBudgetBatchSampler(Sampler[list[int]]):
    """Fill each batch with graphs up to a number of nodes.

    Floods and fuzzing make graphs of very different sizes: a budget of nodes keeps the memory of
    a batch and the time of a step even. Graphs come in the order of the sampler inside.

    Args:
        store: The graphs.
        sampler: Gives graphs in the order wanted: any of torch's, also a distributed one.
        budget: Most nodes in a batch.

    Raises:
        DataError: A graph has more nodes than the budget.
    """

    def __init__(self, store: GraphStore, sampler: Iterable[int], *, budget: int):
        self._num_nodes = store.node_offsets.diff().tolist()
        self._sampler = sampler
        self._budget = budget
        largest = max(self._num_nodes, default=0)
        if largest > budget:
            raise DataError(
                f"a graph has {largest} nodes, a batch may have {budget}: the budget must hold the "
                "largest graph"
            )

    def __iter__(self) -> Iterator[list[int]]:
        batch, used = [], 0
        for graph in self._sampler:
            if used + self._num_nodes[graph] > self._budget:
                yield batch
                batch, used = [], 0
            batch.append(graph)
            used += self._num_nodes[graph]
        if batch:
            yield batch
