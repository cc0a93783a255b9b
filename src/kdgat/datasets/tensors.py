"""Files of tensors: graphs and models, both safetensors."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from kdgat.can.graph_store import GraphStore
from kdgat.datasets.whole_file import WholeFileDataset
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact

HEADER_KEY = "kdgat_model"


class GraphStoreDataset(WholeFileDataset[GraphStore]):
    """All graphs of a split as one memory-mapped file."""

    def _read(self, path: Path) -> GraphStore:
        return GraphStore.load(path)

    def _write(self, data: GraphStore, path: Path) -> None:
        data.save(path)


class ModelDataset(WholeFileDataset[ModelArtifact]):
    """A trained model: weights and everything needed to rebuild it, in one safetensors file."""

    def _read(self, path: Path) -> ModelArtifact:
        try:
            with safe_open(path, framework="pt") as file:
                header = json.loads(file.metadata()[HEADER_KEY])
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, TypeError, KeyError, ValueError) as error:
            raise DataError(f"{path} is not a model of kdgat: {error}") from error
        return ModelArtifact(state=state, **header)

    def _write(self, data: ModelArtifact, path: Path) -> None:
        header = {"kind": data.kind, "arguments": data.arguments, "metadata": data.metadata}
        save_file(data.state, path, metadata={HEADER_KEY: json.dumps(header)})
