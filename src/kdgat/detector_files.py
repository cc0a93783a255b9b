"""Detectors on disk: load one from a model's file, write one with all it needs as one file."""

import json
import os
import tempfile
from pathlib import Path

from kdgat.datasets.tensors import read_model, write_model
from kdgat.detector import Detector
from kdgat.errors import DataError, ParameterError
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute

DETECTOR = "detector"
ROLE_OF_KIND = {"vgae": "autoencoder", "gat": "classifier", "q_network": "agent"}


def load_detector(path: str | Path, *, threads: int = 1) -> Detector:
    """Load a detector from a model's file; nothing in the file is executed.

    Args:
        path: a file that `kedro models export` wrote, or a stored autoencoder or classifier; a
            stored agent is loaded with the two models beside it that it was trained on.
        threads: CPU threads of torch.

    Raises:
        DataError: the file is not a whole model of kdgat, or what an agent needs is gone.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise DataError(f"{path} does not exist")
    model = read_model(path)
    compute = Compute(
        accelerator="cpu",
        devices=1,
        num_nodes=1,
        precision="32-true",
        threads=threads,
        score_batch_size=512,
    )
    if model.kind == DETECTOR:
        return Detector(_unpack(model), compute)
    if model.kind not in ROLE_OF_KIND:
        raise DataError(f"{path} holds a '{model.kind}', not one of {', '.join(ROLE_OF_KIND)}")
    role = ROLE_OF_KIND[model.kind]
    if role != "agent":
        return Detector({role: model}, compute)
    return Detector({**_weighed_models(model, path), "agent": model}, compute)


def export_detector(model: Path, file: Path) -> None:
    """Write one file that holds all that a model needs to score frames.

    Args:
        model: a stored model.
        file: what to write, whole or not at all.

    Raises:
        DataError: as of `load_detector`.
        ParameterError: its folder is a file.
    """
    if file.parent.is_file():
        raise ParameterError(f"{file} cannot be written: {file.parent} is a file")
    parts = load_detector(model).parts
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".partial-") as folder:
        partial = Path(folder) / file.name
        write_model(_pack(parts), partial)
        os.link(partial, file)


def _weighed_models(agent: ModelArtifact, path: Path) -> dict[str, ModelArtifact]:
    parents = agent.metadata.get("provenance", {}).get("parents", {})
    found = {}
    for role in ("autoencoder", "classifier"):
        places = [
            place
            for name, parent in parents.items()
            if name.endswith(role)
            for tree in path.parents[3:4]  # none above a file that was copied elsewhere
            for place in tree.glob(f"seed_*/{name}.safetensors/{parent['version']}/*")
        ]
        if places:
            found[role] = read_model(places[0])
        else:
            raise DataError(
                f"{path} is an agent that weighs two other models, and its {role} is not beside "
                "it: export it where it was trained, with `kedro models export`"
            )
    return found


def _pack(parts: dict[str, ModelArtifact]) -> ModelArtifact:
    described = {
        role: {"kind": part.kind, "arguments": part.arguments, "metadata": part.metadata}
        for role, part in parts.items()
    }
    state = {
        f"{role}/{name}": tensor
        for role, part in parts.items()
        for name, tensor in part.state.items()
    }
    return ModelArtifact(kind=DETECTOR, arguments=json.loads(json.dumps(described)), state=state)


def _unpack(model: ModelArtifact) -> dict[str, ModelArtifact]:
    return {
        role: ModelArtifact(
            state={
                name.removeprefix(f"{role}/"): tensor
                for name, tensor in model.state.items()
                if name.startswith(f"{role}/")
            },
            **fields,
        )
        for role, fields in model.arguments.items()
    }
