"""Batches of a graph store, by torch's DataLoader."""

import torch
from torch.utils.data import DataLoader, Sampler
from torch_geometric.data import Batch

from kdgat.can.graph_store import GraphStore


def loader(
    store: GraphStore,
    *,
    batch_size: int = 1,
    sampler: Sampler | None = None,
    batch_sampler: Sampler | None = None,
    shuffle: bool = False,
    generator: torch.Generator | None = None,
    workers: int = 0,
) -> DataLoader:
    """Open torch's DataLoader on a store; the store itself makes the batches.

    Args:
        store: graphs; where it lies on a device, `workers` is 0.
        batch_size: graphs in a batch.
        sampler: which graphs, in which order; all in order without one.
        batch_sampler: which graphs in each batch, instead of size, sampler and shuffling.
        shuffle: all in random order, without a sampler.
        generator: of the shuffling.
        workers: processes that form batches; forked, so call this before CUDA is used.
    """
    order = (
        {"batch_sampler": batch_sampler}
        if batch_sampler is not None
        else {"batch_size": batch_size, "sampler": sampler, "shuffle": shuffle}
    )
    return DataLoader(
        store, **order, generator=generator, num_workers=workers, collate_fn=_as_it_is
    )


def _as_it_is(batch: Batch) -> Batch:
    return batch
