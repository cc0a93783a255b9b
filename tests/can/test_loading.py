"""torch's DataLoader on a store: samplers, workers, a GPU."""

import pytest
import torch
from random_stores import assert_same_data, assert_same_store, random_store
from torch.utils.data import DistributedSampler, WeightedRandomSampler
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore
from kdgat.can.loading import loader


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_store_on_a_gpu_gives_the_same_batches():
    store = random_store(3)
    moved = store.to("cuda")
    (batch,) = loader(moved, batch_size=3, sampler=[7, 2, 7])
    assert batch.x.device.type == "cuda"
    assert_same_data(batch.cpu(), store.batch([7, 2, 7]))
    assert_same_store(moved.to("cpu"), store)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_hand_out_the_same_batches(workers, tmp_path):
    random_store(1).save(tmp_path / "store.safetensors")
    store = GraphStore.load(tmp_path / "store.safetensors")
    batches = list(loader(store, batch_size=5, workers=workers))
    for number, batch in enumerate(batches):
        assert_same_data(batch, store.batch(range(12)[5 * number : 5 * number + 5]))


def test_a_weighted_sampler_draws_by_weight():
    store = random_store(1)
    weights = torch.zeros(len(store))
    weights[[2, 5]] = 1.0
    sampler = WeightedRandomSampler(weights, 40, generator=torch.Generator().manual_seed(0))
    drawn = torch.cat([batch.y for batch in loader(store, batch_size=8, sampler=sampler)])
    assert len(drawn) == 40
    sizes = {int(batch.num_nodes) for batch in loader(store, batch_size=1, sampler=sampler)}
    assert sizes == {store[2].num_nodes, store[5].num_nodes}


def test_distributed_samplers_share_the_graphs_out():
    store = random_store(1)
    starts = []
    for rank in range(2):
        sampler = DistributedSampler(store, num_replicas=2, rank=rank, shuffle=True, seed=4)
        starts += list(sampler)
        (batch,) = loader(store, batch_size=6, sampler=sampler)
        assert_same_data(batch, store.batch(list(sampler)))
    assert sorted(starts) == list(range(12))


def test_a_loader_hands_out_every_graph_once():
    store = random_store(1)
    batches = list(
        loader(store, batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(3))
    )
    assert [batch.num_graphs for batch in batches] == [5, 5, 2]
    seen = torch.cat([batch.x for batch in batches])
    assert torch.equal(seen.sort(dim=0).values, store.x.sort(dim=0).values)
    again = loader(store, batch_size=5, shuffle=True, generator=torch.Generator().manual_seed(3))
    for one, other in zip(batches, again, strict=True):
        assert torch.equal(one.x, other.x)


def test_a_loader_follows_its_sampler():
    store = random_store(1)
    (batch,) = loader(store, batch_size=3, sampler=[7, 2, 7])
    assert_same_data(batch, Batch.from_data_list([store[7], store[2], store[7]]))
