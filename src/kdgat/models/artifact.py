"""A trained model as plain data, and the one place where stored models are built."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from kdgat.errors import DataError
from kdgat.models.gat import GAT
from kdgat.models.q_network import QNetwork
from kdgat.models.vgae import VGAE

KINDS: dict[str, type[nn.Module]] = {"vgae": VGAE, "gat": GAT, "q_network": QNetwork}


@dataclass(frozen=True)
class ModelArtifact:
    """Everything needed to rebuild a trained model.

    Attributes:
        kind: a key of KINDS.
        arguments: keyword arguments of the constructor, JSON-able.
        state: the state dict, tensors on the CPU.
        metadata: lineage and figures, JSON-able.
    """

    kind: str
    arguments: dict[str, Any]
    state: dict[str, Tensor]
    metadata: dict[str, Any] = field(default_factory=dict)


def build_module(kind: str, arguments: dict[str, Any]) -> nn.Module:
    """Build an untrained model of a kind.

    Raises:
        DataError: the kind does not exist or its arguments do not fit.
    """
    if kind not in KINDS:
        raise DataError(f"model kind must be one of {', '.join(KINDS)}; found {kind!r}")
    try:
        return KINDS[kind](**arguments)
    except TypeError as error:
        raise DataError(f"the stored arguments do not build a {kind}: {error}") from error


def pack(
    *, kind: str, arguments: dict[str, Any], model: nn.Module, metadata: dict[str, Any]
) -> ModelArtifact:
    """Take a copy of a model's state, on the CPU and free of its graph."""
    state = {
        name: tensor.detach().cpu().clone().contiguous()
        for name, tensor in model.state_dict().items()
    }
    return ModelArtifact(kind=kind, arguments=dict(arguments), state=state, metadata=metadata)


def build(artifact: ModelArtifact) -> nn.Module:
    """Rebuild a stored model, strictly: every weight must be there and none left over.

    Returns:
        The model in evaluation mode, on the CPU.

    Raises:
        DataError: kind, arguments and state do not belong together.
    """
    model = build_module(artifact.kind, artifact.arguments)
    try:
        model.load_state_dict(artifact.state, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"the stored weights do not fit a {artifact.kind} of this kdgat: "
            f"train it again, or use the kdgat of its git commit ({reason})"
        ) from error
    return model.eval()
