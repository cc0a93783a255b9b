"""Graph stores of any size, written block by block."""

from pathlib import Path

import numpy as np
import torch

from kdgat.can.graph_store import HEADER_KEY, PER_GRAPH, SHARED, GraphStore
from kdgat.can.tensor_files import TensorFileWriter

SCHEMA = {
    "x": np.dtype(np.float32),
    "arbitration_id": np.dtype(np.int64),
    "edge_index": np.dtype(np.int32),
    "edge_attr": np.dtype(np.float32),
    "y": np.dtype(np.uint8),
    "attack_frames": np.dtype(np.int32),
    "rule_count": np.dtype(np.int32),
    "capture": np.dtype(np.int32),
    "start": np.dtype(np.int64),
    "start_time": np.dtype(np.float64),
    "end_time": np.dtype(np.float64),
    "node_offsets": np.dtype(np.int64),
    "edge_offsets": np.dtype(np.int64),
}


class StoreWriter:
    """Write graphs as they come; memory holds one block at a time.

    Use it as a context: the file appears with `finish`, and nothing stays behind without.

    Args:
        path: The file, in a folder that exists; an existing one is replaced.
        like: A store with the features and windows of all blocks; its graphs are not written.
        identity: What the store is made from.
    """

    def __init__(self, path: Path, like: GraphStore, *, identity: str = ""):
        self.path = path
        self.num_graphs = 0
        self.num_attacks = 0
        self._like = like
        self._identity = identity
        self._captures: dict[str, int] = {}
        self._num_nodes = 0
        self._num_edges = 0
        width = {"x": like.x.shape[1:], "edge_attr": like.edge_attr.shape[1:]}
        self._file = TensorFileWriter(
            path,
            {name: (dtype, tuple(width.get(name, ()))) for name, dtype in SCHEMA.items()},
            rows={"edge_index": 2},
        )
        for name in ("node_offsets", "edge_offsets"):
            self._file.append(name, np.zeros(1, np.int64))

    def __enter__(self) -> "StoreWriter":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(*error)

    def add(self, block: GraphStore) -> None:
        """Append the graphs of a block; captures are joined by name."""
        places = [self._captures.setdefault(name, len(self._captures)) for name in block.captures]
        capture = torch.tensor(places, dtype=torch.int32)[block.capture.long()]
        for name in ("x", "arbitration_id", "edge_index", "edge_attr", *PER_GRAPH):
            values = capture if name == "capture" else getattr(block, name)
            self._file.append(name, values.numpy())
        self._file.append("node_offsets", block.node_offsets[1:].numpy() + self._num_nodes)
        self._file.append("edge_offsets", block.edge_offsets[1:].numpy() + self._num_edges)
        self._num_nodes += int(block.node_offsets[-1])
        self._num_edges += int(block.edge_offsets[-1])
        self.num_graphs += len(block)
        self.num_attacks += int(block.y.sum())

    @property
    def captures(self) -> tuple[str, ...]:
        """Names of the captures written so far."""
        return tuple(self._captures)

    def finish(self) -> GraphStore:
        """Complete the file and map it into memory."""
        head = GraphStore(
            **{name: getattr(self._like, name) for name in SCHEMA},
            captures=self.captures,
            **{name: getattr(self._like, name) for name in SHARED},
            identity=self._identity,
        )
        self._file.finish({HEADER_KEY: head.description()})
        return GraphStore.load(self.path)
