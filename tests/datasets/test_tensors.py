"""Models survive the disk bit for bit; broken files are refused in one sentence."""

import json

import pytest
import torch
from kedro.io import DatasetError, Version
from safetensors.torch import save_file

from kdgat.datasets.tensors import (
    GraphStoreDataset,
    ModelDataset,
    read_description,
    read_model,
)
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact, build

ARGUMENTS = {"state_features": 2, "actions": 3, "hidden": 4, "layers": 1}


@pytest.fixture
def artifact() -> ModelArtifact:
    """A small Q-network."""
    from kdgat.models.artifact import build_module, pack

    torch.manual_seed(0)
    model = build_module("q_network", ARGUMENTS)
    return pack(kind="q_network", arguments=ARGUMENTS, model=model, metadata={"seed": 1})


def stored(tmp_path, kind=ModelDataset):
    return kind(filepath=str(tmp_path / "model.safetensors"), version=Version(None, "v1"))


def test_round_trip(tmp_path, artifact):
    stored(tmp_path).save(artifact)
    loaded = stored(tmp_path).load()
    assert (loaded.kind, loaded.arguments, loaded.metadata) == ("q_network", ARGUMENTS, {"seed": 1})
    state = torch.tensor([[1.0, 2.0]])
    assert torch.equal(build(loaded)(state), build(artifact)(state))


def test_any_flipped_byte_is_found(tmp_path, artifact):
    stored(tmp_path).save(artifact)
    path = tmp_path / "model.safetensors" / "v1" / "model.safetensors"
    content = path.read_bytes()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(DataError, match="is not a model of kdgat"):
            read_model(path)


def test_a_model_carries_its_provenance(tmp_path, artifact):
    dataset = stored(tmp_path)
    dataset.provenance = {"version": "v1", "parents": {}}
    dataset.save(artifact)
    path = tmp_path / "model.safetensors" / "v1" / "model.safetensors"
    assert stored(tmp_path).load().metadata["provenance"]["version"] == "v1"
    assert read_description(path)["metadata"]["seed"] == 1
    assert "provenance" not in artifact.metadata


@pytest.mark.parametrize("kind", [ModelDataset, GraphStoreDataset])
@pytest.mark.parametrize("damage", ["truncated", "not safetensors", "another header"])
def test_broken_files_are_refused(tmp_path, artifact, damage, kind):
    stored(tmp_path).save(artifact)
    path = tmp_path / "model.safetensors" / "v1" / "model.safetensors"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "not safetensors":
        path.write_bytes(b"\x80\x04pickle")
    else:
        save_file({"a": torch.zeros(1)}, path, metadata={"other": json.dumps({})})
    with pytest.raises(DatasetError, match=r"model\.safetensors is not a") as caught:
        stored(tmp_path, kind).load()
    assert "\n" not in str(caught.value.__cause__)
