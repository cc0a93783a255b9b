"""All graphs of a split as packed tensors: one file on disk, whole batches by index."""

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from torch_geometric.data import Batch, Data

from kdgat.errors import DataError

HEADER_KEY = "kdgat_graphs"
PER_GRAPH = ("y", "attack_frames", "capture", "start", "start_time", "end_time")
DESCRIPTION = ("captures", "node_features", "edge_features", "window", "stride")


@dataclass(frozen=True, eq=False)
class GraphStore:
    """Graphs packed one after another, with where each window came from.

    `store[i]` is one graph, `store.batch(indices)` a batch of them. torch's DataLoader asks
    `__getitems__` once per batch, so samplers and workers are the standard ones.

    Attributes:
        x: float32 `[num_nodes, num_node_features]`, unscaled.
        arbitration_id: int64 `[num_nodes]`.
        edge_index: int32 `[2, num_edges]`, counted from the graph's first node.
        edge_attr: float32 `[num_edges, num_edge_features]`, unscaled.
        y: uint8 `[num_graphs]`, 1 if any frame of the window is part of an attack.
        attack_frames: int32 `[num_graphs]`, how many are.
        capture: int32 `[num_graphs]`, place in `captures`.
        start: int64 `[num_graphs]`, first frame of the window in its capture.
        start_time: float64 `[num_graphs]`, bus time of the first frame, s.
        end_time: float64 `[num_graphs]`, bus time of the last frame, s.
        node_offsets: int64 `[num_graphs + 1]`; nodes of graph g are `[g]` up to `[g + 1]`.
        edge_offsets: int64 `[num_graphs + 1]`, likewise.
        captures: names, `<scenario>/<capture>`.
        node_features: names of the columns of `x`.
        edge_features: names of the columns of `edge_attr`.
        window: frames in a window.
        stride: frames from one window's start to the next.
    """

    x: Tensor
    arbitration_id: Tensor
    edge_index: Tensor
    edge_attr: Tensor
    y: Tensor
    attack_frames: Tensor
    capture: Tensor
    start: Tensor
    start_time: Tensor
    end_time: Tensor
    node_offsets: Tensor
    edge_offsets: Tensor
    captures: tuple[str, ...]
    node_features: tuple[str, ...]
    edge_features: tuple[str, ...]
    window: int
    stride: int

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, i: int) -> Data:
        nodes = slice(self.node_offsets[i], self.node_offsets[i + 1])
        edges = slice(self.edge_offsets[i], self.edge_offsets[i + 1])
        return Data(
            x=self.x[nodes],
            edge_index=self.edge_index[:, edges].long(),
            edge_attr=self.edge_attr[edges],
            y=self.y[i : i + 1].long(),
            arbitration_id=self.arbitration_id[nodes],
        )

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        return self.batch(indices)

    def batch(self, indices: Sequence[int] | Tensor) -> Batch:
        """Gather graphs, equal in every bit to `Batch.from_data_list` of them.

        Args:
            indices: graphs, in the order wanted `[num_chosen]`.
        """
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        nodes, node_ptr = _gather(self.node_offsets, chosen)
        edges, edge_ptr = _gather(self.edge_offsets, chosen)
        graph = torch.arange(len(chosen))
        shift = torch.repeat_interleave(node_ptr[:-1], edge_ptr.diff())
        batch = Batch(
            _base_cls=Data,
            x=self.x[nodes],
            edge_index=self.edge_index[:, edges].long() + shift,
            edge_attr=self.edge_attr[edges],
            y=self.y[chosen].long(),
            arbitration_id=self.arbitration_id[nodes],
            batch=torch.repeat_interleave(graph, node_ptr.diff()),
            ptr=node_ptr,
        )
        # What PyG keeps to take a batch apart again.
        nothing = torch.zeros_like(graph)
        per_graph = torch.arange(len(chosen) + 1)
        batch._num_graphs = len(chosen)
        batch._slice_dict = {
            "x": node_ptr,
            "edge_index": edge_ptr,
            "edge_attr": edge_ptr,
            "y": per_graph,
            "arbitration_id": node_ptr,
        }
        batch._inc_dict = {key: nothing for key in batch._slice_dict}
        batch._inc_dict["edge_index"] = node_ptr[:-1]
        return batch

    def subset(self, indices: Sequence[int] | Tensor) -> "GraphStore":
        """Keep some graphs, in the order given.

        Args:
            indices: graphs `[num_chosen]`.
        """
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        nodes, node_offsets = _gather(self.node_offsets, chosen)
        edges, edge_offsets = _gather(self.edge_offsets, chosen)
        return GraphStore(
            x=self.x[nodes],
            arbitration_id=self.arbitration_id[nodes],
            edge_index=self.edge_index[:, edges],
            edge_attr=self.edge_attr[edges],
            **{name: getattr(self, name)[chosen] for name in PER_GRAPH},
            node_offsets=node_offsets,
            edge_offsets=edge_offsets,
            **{name: getattr(self, name) for name in DESCRIPTION},
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file, whole or not at all.

        Args:
            path: the file; an existing one is replaced.
        """
        tensors = {
            field.name: getattr(self, field.name).contiguous()
            for field in fields(self)
            if field.name not in DESCRIPTION
        }
        description = json.dumps({name: getattr(self, name) for name in DESCRIPTION})
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
            partial = Path(folder) / path.name
            save_file(tensors, partial, metadata={HEADER_KEY: description})
            os.replace(partial, path)

    @classmethod
    def load(cls, path: Path) -> "GraphStore":
        """Map a stored file into memory.

        Args:
            path: the file.

        Raises:
            DataError: The file is not a whole graph store.
        """
        try:
            with safe_open(path, framework="pt") as file:
                description = json.loads(file.metadata()[HEADER_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            lists = {key: tuple(v) for key, v in description.items() if isinstance(v, list)}
            return cls(**tensors, **{**description, **lists})
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is not a graph store of kdgat: {error}") from error


def concatenate(stores: Sequence[GraphStore]) -> GraphStore:
    """Put stores of the same features and windows one after another.

    Args:
        stores: at least one; their captures differ.
    """
    first = stores[0]
    shifts = np.cumsum([0, *(len(store.captures) for store in stores)])
    joined = {
        name: torch.cat([getattr(store, name) for store in stores])
        for name in ("x", "arbitration_id", "edge_attr", *PER_GRAPH)
    }
    joined["capture"] = torch.cat(
        [store.capture + int(shift) for store, shift in zip(stores, shifts, strict=False)]
    )
    return GraphStore(
        **joined,
        edge_index=torch.cat([store.edge_index for store in stores], dim=1),
        node_offsets=_offsets([store.node_offsets.diff() for store in stores]),
        edge_offsets=_offsets([store.edge_offsets.diff() for store in stores]),
        captures=tuple(name for store in stores for name in store.captures),
        node_features=first.node_features,
        edge_features=first.edge_features,
        window=first.window,
        stride=first.stride,
    )


def loader(
    store: GraphStore,
    *,
    batch_size: int,
    sampler: Sampler | None = None,
    shuffle: bool = False,
    generator: torch.Generator | None = None,
) -> DataLoader:
    """Open torch's DataLoader on a store; the store itself makes the batches.

    Args:
        store: graphs.
        batch_size: graphs in a batch.
        sampler: which graphs, in which order; all in order without one.
        shuffle: all in random order, without a sampler.
        generator: of the shuffling.
    """
    return DataLoader(
        store,
        batch_size=batch_size,
        sampler=sampler,
        shuffle=shuffle,
        generator=generator,
        collate_fn=_as_it_is,
    )


@dataclass(frozen=True)
class FeatureScaling:
    """Mean and standard deviation of each feature over benign training rows.

    Attributes:
        node_features: names `[num_node_features]`.
        node_mean: per node feature.
        node_std: per node feature; 1 where a feature is constant.
        edge_features: names `[num_edge_features]`.
        edge_mean: per edge feature.
        edge_std: per edge feature; 1 where a feature is constant.
    """

    node_features: list[str]
    node_mean: list[float]
    node_std: list[float]
    edge_features: list[str]
    edge_mean: list[float]
    edge_std: list[float]

    def to_dict(self) -> dict[str, list]:
        """Give the fields as JSON holds them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, fields_: dict[str, list]) -> "FeatureScaling":
        """Build the scaling that `to_dict` described."""
        return cls(**fields_)


def feature_scaling(store: GraphStore) -> FeatureScaling:
    """Measure the features of the benign graphs of a store.

    Args:
        store: the training split; its attack graphs are left out.

    Raises:
        DataError: It holds no benign graph.
    """
    benign = store.subset(torch.nonzero(store.y == 0).flatten())
    if len(benign) == 0:
        raise DataError(f"the training part has {len(store)} windows, none of them benign")
    node_mean, node_std = _mean_and_std(benign.x)
    edge_mean, edge_std = _mean_and_std(benign.edge_attr)
    return FeatureScaling(
        list(store.node_features),
        node_mean,
        node_std,
        list(store.edge_features),
        edge_mean,
        edge_std,
    )


def _mean_and_std(rows: Tensor) -> tuple[list[float], list[float]]:
    rows = rows.double()
    std = rows.std(dim=0, unbiased=False)
    return rows.mean(dim=0).tolist(), torch.where(std > 1e-6, std, 1.0).tolist()


def _as_it_is(batch: Batch) -> Batch:
    return batch


def _offsets(lengths: Sequence[Tensor]) -> Tensor:
    return torch.cat([torch.zeros(1, dtype=torch.int64), *lengths]).cumsum(0)


def _gather(offsets: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of the chosen graphs, and where each graph's rows begin among them."""
    lengths = offsets[chosen + 1] - offsets[chosen]
    begins = _offsets([lengths])
    shift = torch.repeat_interleave(offsets[chosen] - begins[:-1], lengths)
    return torch.arange(int(begins[-1])) + shift, begins
