"""Batches by number of nodes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DistributedSampler, RandomSampler

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graph_store import GraphStore
from kdgat.can.loading import loader
from kdgat.can.samplers import AdjustableBatches, BatchLimit
from kdgat.can.splits import capture_graphs


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


def within(store: GraphStore, order, nodes: int) -> AdjustableBatches:
    return AdjustableBatches(store, order, lambda: BatchLimit(nodes=nodes, edges=10**6))


@settings(deadline=None)  # the first call compiles
@given(
    sizes=st.lists(st.integers(1, 10), min_size=1, max_size=30),
    budget=st.integers(10, 40),
    seed=st.integers(0, 99),
)
def test_every_graph_comes_once_and_batches_are_filled_up_to_the_budget(sizes, budget, seed):
    store = store_of(sizes)
    order = RandomSampler(store, generator=torch.Generator().manual_seed(seed))
    batches = list(within(store, order, budget))
    assert sorted(graph for batch in batches for graph in batch) == list(range(len(sizes)))
    used = [sum(sizes[graph] for graph in batch) for batch in batches]
    assert max(used) <= budget
    for batch, following in zip(used, batches[1:], strict=False):
        assert batch + sizes[following[0]] > budget


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_takes_such_batches(workers):
    store = store_of([3, 4, 5, 1, 9, 2])
    batches = list(loader(store, batch_sampler=within(store, range(6), 9), workers=workers))
    assert [batch.num_graphs for batch in batches] == [2, 2, 1, 1]
    assert [batch.num_nodes for batch in batches] == [7, 6, 9, 2]


def test_a_distributed_sampler_may_give_the_order():
    store = store_of([3, 4, 5, 1, 9, 2])
    seen = []
    for rank in range(2):
        order = DistributedSampler(store, num_replicas=2, rank=rank, shuffle=False)
        seen += [graph for batch in within(store, order, 9) for graph in batch]
    assert sorted(seen) == list(range(6))


@settings(deadline=None)  # the first call compiles
@given(
    sizes=st.lists(st.integers(1, 10), min_size=1, max_size=30),
    budget=st.integers(1, 40),
    failing=st.sets(st.integers(0, 40)),
    processes=st.integers(1, 3),
)
def test_processes_take_every_graph_once_whatever_is_put_back(sizes, budget, failing, processes):
    store = store_of(sizes)
    shares, steps = [], []
    for rank in range(processes):
        limits = [BatchLimit(nodes=budget, edges=10**6)]
        batches = AdjustableBatches(
            store, range(len(sizes)), lambda limits=limits: limits[-1], (rank, processes)
        )
        taken, count = [], 0
        for number, batch in enumerate(batches):
            if number in failing and len(batches.last) > 1:
                limits.append(BatchLimit(nodes=limits[-1].nodes // 2, edges=10**6))
                batches.put_back()
                continue
            assert batches.num_nodes <= limits[-1].nodes or len(batches.last) == 1
            assert len(batch) == max(batches.own_graphs, 1)
            taken += batch[: batches.own_graphs]
            count += 1
        assert batches.seen == len(sizes)
        shares.append(taken)
        steps.append(count)
    assert sorted(graph for share in shares for graph in share) == list(range(len(sizes)))
    assert len(set(steps)) == 1, "as many steps in every process"


def test_a_batch_closes_at_edges_too_and_a_graph_above_the_limit_stands_alone():
    store = store_of([3, 4, 5, 1, 9, 2])  # edges: 3, 4, 5, 1, 9, 2
    for nodes, edges in ((9, 100), (100, 9)):
        batches = AdjustableBatches(
            store, range(6), lambda n=nodes, e=edges: BatchLimit(None, n, e)
        )
        assert list(batches) == [[0, 1], [2, 3], [4], [5]]
    batches = AdjustableBatches(store, range(6), lambda: BatchLimit(nodes=5, edges=100))
    assert list(batches) == [[0], [1], [2], [3], [4], [5]]
    batches = AdjustableBatches(store, range(6), lambda: BatchLimit(graphs=4))
    assert list(batches) == [[0, 1, 2, 3], [4, 5]]
