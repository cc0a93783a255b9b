"""All graphs of a split as packed tensors: one file on disk, whole batches by index."""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch_geometric.data import Batch, Data

from kdgat.can.gathering import gather_batch, gather_rows, offsets_of
from kdgat.can.mapped_file import MappedFile
from kdgat.errors import DataError

HEADER_KEY = "kdgat_graphs"
PER_GRAPH = ("y", "attack_frames", "rule_count", "capture", "start", "start_time", "end_time")
SHARED = ("node_features", "edge_features", "feature_sample", "window", "stride")
DESCRIPTION = ("captures", *SHARED, "identity")

DATA_BATCH = type(Batch(_base_cls=Data))
"""PyG's class of batches of `Data`, looked up once."""

PART = 2**13
"""Graphs that are read at once where all are: some 60 MB."""


@dataclass(frozen=True, eq=False)
class GraphStore:
    """Graphs packed one after another, with where each window came from.

    `store[i]` is one graph, `store.batch(indices)` a batch of them. torch's DataLoader asks
    `__getitems__` once per batch, so samplers and workers are the standard ones.

    A store that was loaded lies in memory as its file does on disk, page by page as it is read.
    Nobody writes into its tensors; `dataclasses.replace` makes another store.

    Attributes:
        x: float32 `[num_nodes, num_node_features]`, unscaled.
        arbitration_id: int64 `[num_nodes]`.
        edge_index: int32 `[2, num_edges]`, counted from the graph's first node.
        edge_attr: float32 `[num_edges, num_edge_features]`, unscaled.
        y: uint8 `[num_graphs]`, 1 if any frame of the window is part of an attack.
        attack_frames: int32 `[num_graphs]`, how many are.
        rule_count: int32 `[num_graphs]`, what the two-line rule counts, see `graphs.Graphs`.
        capture: int32 `[num_graphs]`, place in `captures`.
        start: int64 `[num_graphs]`, first frame of the window in its capture.
        start_time: float64 `[num_graphs]`, bus time of the first frame, s, see `bus_time`.
        end_time: float64 `[num_graphs]`, bus time of the last frame, s.
        node_offsets: int64 `[num_graphs + 1]`; nodes of graph g are `[g]` up to `[g + 1]`.
        edge_offsets: int64 `[num_graphs + 1]`, likewise.
        captures: names, `<scenario>/<capture>`.
        node_features: names of the columns of `x`.
        edge_features: names of the columns of `edge_attr`.
        feature_sample: how they are measured, see `kdgat.can.feature_sample`; empty in a store
            that no capture was measured for.
        window: frames in a window.
        stride: frames from one window's start to the next.
        identity: what it was made from, see `kdgat.can.identity`; empty for a part of a store.
        file: the file that these graphs are mapped from; None if they are in memory alone.
    """

    x: Tensor
    arbitration_id: Tensor
    edge_index: Tensor
    edge_attr: Tensor
    y: Tensor
    attack_frames: Tensor
    rule_count: Tensor
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
    feature_sample: tuple[float, ...] = ()
    identity: str = ""
    file: MappedFile | None = field(default=None, init=False)

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

    @property
    def device(self) -> torch.device:
        """Where the tensors lie, and where batches are formed."""
        return self.x.device

    def to(self, device: torch.device | str) -> "GraphStore":
        """Return the store with all tensors on a device: batches are then formed there."""
        moved = {name: getattr(self, name).to(device) for name in _TENSORS}
        return GraphStore(**moved, **{name: getattr(self, name) for name in DESCRIPTION})

    def batch(self, indices: Sequence[int] | Tensor) -> Batch:
        """Gather graphs, equal in every bit to `Batch.from_data_list` of them.

        Args:
            indices: graphs, in the order wanted `[num_chosen]`.
        """
        chosen = torch.as_tensor(indices, dtype=torch.int64, device=self.device)
        gathered = gather_batch(self, chosen)
        node_ptr, edge_ptr = gathered["ptr"], gathered.pop("edge_ptr")
        batch = Batch(_base_cls=DATA_BATCH, **gathered)
        # What PyG keeps to take a batch apart again.
        nothing = torch.zeros_like(chosen)
        per_graph = torch.arange(len(chosen) + 1, device=self.device)
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
        chosen = torch.as_tensor(indices, dtype=torch.int64, device=self.device)
        nodes, node_offsets = gather_rows(self.node_offsets, chosen)
        edges, edge_offsets = gather_rows(self.edge_offsets, chosen)
        return GraphStore(
            x=self.x[nodes],
            arbitration_id=self.arbitration_id[nodes],
            edge_index=self.edge_index[:, edges],
            edge_attr=self.edge_attr[edges],
            **{name: getattr(self, name)[chosen] for name in PER_GRAPH},
            node_offsets=node_offsets,
            edge_offsets=edge_offsets,
            **{name: getattr(self, name) for name in DESCRIPTION if name != "identity"},
        )

    def parts(self, num_graphs: int = PART) -> Iterator["GraphStore"]:
        """Give the graphs a part at a time, in order.

        Each part of a mapped store is mapped by itself, so that memory holds one part although
        all pages of the file are read.

        Args:
            num_graphs: in a part, at most.
        """
        for first in range(0, len(self), num_graphs):
            yield self.mapped_anew()._slice(first, min(first + num_graphs, len(self)))

    def mapped_anew(self) -> "GraphStore":
        """Map the store's file once more: pages that are read leave memory with this mapping.

        A store without a file is returned as it is.
        """
        if self.file is None or not self.file.is_there():
            return self
        return GraphStore.load(self.file.path)

    def _slice(self, first: int, last: int) -> "GraphStore":
        nodes = slice(self.node_offsets[first], self.node_offsets[last])
        edges = slice(self.edge_offsets[first], self.edge_offsets[last])
        return GraphStore(
            x=self.x[nodes],
            arbitration_id=self.arbitration_id[nodes],
            edge_index=self.edge_index[:, edges],
            edge_attr=self.edge_attr[edges],
            **{name: getattr(self, name)[first:last] for name in PER_GRAPH},
            node_offsets=self.node_offsets[first : last + 1] - self.node_offsets[first],
            edge_offsets=self.edge_offsets[first : last + 1] - self.edge_offsets[first],
            **{name: getattr(self, name) for name in DESCRIPTION if name != "identity"},
        )

    def description(self) -> str:
        """Return what the file's head says of the store: everything but the tensors."""
        return json.dumps({name: getattr(self, name) for name in DESCRIPTION})

    def save(self, path: Path) -> None:
        """Write one safetensors file, whole or not at all.

        A store that a file holds already is not written again: the new name is linked to that
        file where both lie on one disk, else the file is copied.

        Args:
            path: the file; an existing one is replaced.
        """
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
            partial = Path(folder) / path.name
            if self.file is None or not self.file.is_there():
                tensors = {name: getattr(self, name).cpu().contiguous() for name in _TENSORS}
                save_file(tensors, partial, metadata={HEADER_KEY: self.description()})
            else:
                self.file.link_or_copy(partial)
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
                tensors = {name: file.get_tensor(name) for name in _TENSORS}
            said = {name: description[name] for name in DESCRIPTION}
            lists = {name: tuple(value) for name, value in said.items() if isinstance(value, list)}
            store = cls(**tensors, **{**said, **lists})
            object.__setattr__(store, "file", MappedFile.at(path))
        except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
            raise DataError(
                f"{path} is not a graph store of this kdgat: {error}; "
                "`kedro run --pipeline data_processing` makes one"
            ) from error
        return store


_TENSORS = tuple(f.name for f in fields(GraphStore) if f.init and f.name not in DESCRIPTION)


def read_identity(path: Path) -> str:
    """Read the identity of a stored file without its tensors.

    Raises:
        DataError: The file is not a whole graph store.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()[HEADER_KEY])["identity"]
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{path} is not a graph store of kdgat: {error}") from error


def concatenate(stores: Sequence[GraphStore]) -> GraphStore:
    """Put stores of the same features and windows one after another; captures join by name.

    Args:
        stores: at least one.
    """
    first, captures, places = stores[0], {}, []
    for store in stores:
        numbers = [captures.setdefault(name, len(captures)) for name in store.captures]
        places.append(torch.tensor(numbers, dtype=torch.int32)[store.capture.long()])
    joined = {
        name: torch.cat([getattr(store, name) for store in stores])
        for name in ("x", "arbitration_id", "edge_attr", *PER_GRAPH)
    }
    return GraphStore(
        **{**joined, "capture": torch.cat(places)},
        edge_index=torch.cat([store.edge_index for store in stores], dim=1),
        node_offsets=offsets_of(torch.cat([store.node_offsets.diff() for store in stores])),
        edge_offsets=offsets_of(torch.cat([store.edge_offsets.diff() for store in stores])),
        captures=tuple(captures),
        **{name: getattr(first, name) for name in SHARED},
    )
