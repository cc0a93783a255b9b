"""Batches by number of nodes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DistributedSampler, RandomSampler

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graph_store import GraphStore, loader
from kdgat.can.samplers import NodeBudgetBatchSampler
from kdgat.can.splits import capture_graphs
from kdgat.errors import DataError


def store_of(num_ids: list[int]) -> GraphStore:
    """Windows of ten frames, each with so many IDs."""
    ids = np.concatenate([np.arange(10) % number for number in num_ids])
    frames = frame_table(
        timestamp=np.arange(len(ids)) / 1000,
        arbitration_id=ids,
        dlc=np.zeros(len(ids), np.uint8),
        payload=np.full((len(ids), 8), ABSENT, np.int16),
        attack=np.zeros(len(ids), np.uint8),
    )
    return capture_graphs("train_01/a", frames, window=10, stride=10)


def test_batches_are_filled_up_to_the_budget():
    sampler = NodeBudgetBatchSampler(store_of([3, 4, 5, 1, 9, 2]), range(6), budget=9)
    assert list(sampler) == [[0, 1], [2, 3], [4], [5]]


@given(
    sizes=st.lists(st.integers(1, 10), min_size=1, max_size=30),
    budget=st.integers(10, 40),
    seed=st.integers(0, 99),
)
def test_every_graph_comes_once_and_no_batch_is_too_large(sizes, budget, seed):
    store = store_of(sizes)
    order = RandomSampler(store, generator=torch.Generator().manual_seed(seed))
    batches = list(NodeBudgetBatchSampler(store, order, budget=budget))
    assert sorted(graph for batch in batches for graph in batch) == list(range(len(sizes)))
    used = [sum(sizes[graph] for graph in batch) for batch in batches]
    assert max(used) <= budget
    for batch, following in zip(used, batches[1:], strict=False):
        assert batch + sizes[following[0]] > budget


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_takes_such_batches(workers):
    store = store_of([3, 4, 5, 1, 9, 2])
    sampler = NodeBudgetBatchSampler(store, range(6), budget=9)
    batches = list(loader(store, batch_sampler=sampler, workers=workers))
    assert [batch.num_graphs for batch in batches] == [2, 2, 1, 1]
    assert [batch.num_nodes for batch in batches] == [7, 6, 9, 2]


def test_a_distributed_sampler_may_stand_inside():
    store = store_of([3, 4, 5, 1, 9, 2])
    seen = []
    for rank in range(2):
        order = DistributedSampler(store, num_replicas=2, rank=rank, shuffle=False)
        seen += [g for batch in NodeBudgetBatchSampler(store, order, budget=9) for g in batch]
    assert sorted(seen) == list(range(6))


def test_a_graph_larger_than_the_budget_is_refused():
    with pytest.raises(DataError, match="a graph has 9 nodes, a batch may have 8"):
        NodeBudgetBatchSampler(store_of([3, 9]), range(2), budget=8)
