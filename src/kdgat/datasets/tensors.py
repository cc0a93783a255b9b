"""Files of tensors: graphs and models, both safetensors."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from kdgat.can.graph_store import GraphStore
from kdgat.datasets.whole_file import WholeFileDataset
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact

HEADER_KEY = "kdgat_model"
CHECKSUM_KEY = "kdgat_checksum"


class GraphStoreDataset(WholeFileDataset[GraphStore]):
    """All graphs of a split as one memory-mapped file."""

    def _read(self, path: Path) -> GraphStore:
        return GraphStore.load(path)

    def _write(self, data: GraphStore, path: Path) -> None:
        data.save(path)


class ModelDataset(WholeFileDataset[ModelArtifact]):
    """A trained model: weights and everything needed to rebuild it, in one safetensors file.

    Attributes:
        provenance: where the model that is saved next comes from; becomes part of its metadata.
    """

    def __init__(self, **arguments: Any):
        super().__init__(**arguments)
        self.provenance: dict[str, Any] | None = None

    def _read(self, path: Path) -> ModelArtifact:
        return read_model(path)

    def _write(self, data: ModelArtifact, path: Path) -> None:
        if self.provenance is not None:
            data = replace(data, metadata=data.metadata | {"provenance": self.provenance})
        write_model(data, path)


def write_model(model: ModelArtifact, path: Path) -> None:
    """Write a model as one safetensors file, with a checksum over all of it."""
    header = json.dumps(
        {"kind": model.kind, "arguments": model.arguments, "metadata": model.metadata},
        sort_keys=True,
    )
    checksum = _checksum(header, model.state)
    save_file(model.state, path, metadata={HEADER_KEY: header, CHECKSUM_KEY: checksum})


def read_model(path: Path) -> ModelArtifact:
    """Read a model; nothing in the file is executed.

    Raises:
        DataError: The file is not a whole model of kdgat, or a byte of it has changed.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header, checksum = notes[HEADER_KEY], notes[CHECKSUM_KEY]
        fields = json.loads(header)
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not a model of kdgat: {_reason(error)}") from error
    if _checksum(header, state) != checksum:
        raise DataError(f"{path} is not a model of kdgat as it was saved: its checksum differs")
    return ModelArtifact(state=state, **fields)


def read_description(path: Path) -> dict[str, Any]:
    """Read what a model says of itself, without its weights: kind, arguments, metadata.

    Raises:
        DataError: The file is not a model of kdgat.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return json.loads(file.metadata()[HEADER_KEY])
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not a model of kdgat: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, TypeError):
        return "it has no description"
    return " ".join(str(error).split())


def _checksum(header: str, state: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(header.encode())
    for name in sorted(state):
        tensor = state[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.view(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return digest.hexdigest()
