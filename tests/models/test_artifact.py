from dataclasses import replace

import pytest
import torch

from kdgat.errors import DataError
from kdgat.models.artifact import build, build_module, pack

ARGUMENTS = {"state_features": 2, "actions": 3, "hidden": 4, "layers": 1}


@pytest.fixture
def artifact():
    torch.manual_seed(0)
    model = build_module("q_network", ARGUMENTS)
    return pack(kind="q_network", arguments=ARGUMENTS, model=model, metadata={"seed": 1})


def test_round_trip_in_evaluation_mode(artifact):
    model = build(artifact)
    assert not model.training
    assert all(torch.equal(model.state_dict()[name], t) for name, t in artifact.state.items())


def test_packing_copies(artifact):
    model = build(artifact)
    with torch.no_grad():
        model.network[0].weight.add_(1.0)
    assert not torch.equal(model.network[0].weight, artifact.state["network.0.weight"])


@pytest.mark.parametrize("change", ["missing", "left over", "shape"])
def test_builds_strictly(artifact, change):
    state = dict(artifact.state)
    if change == "missing":
        del state["network.0.weight"]
    elif change == "left over":
        state["network.9.weight"] = torch.zeros(1)
    else:
        state["network.0.weight"] = torch.zeros(1, 1)
    with pytest.raises(DataError, match="do not fit a q_network"):
        build(replace(artifact, state=state))


def test_unknown_kind_names_the_known_ones(artifact):
    with pytest.raises(DataError, match=r"vgae, gat, q_network; found 'gcn'"):
        build(replace(artifact, kind="gcn"))


def test_unknown_argument(artifact):
    with pytest.raises(DataError, match="do not build a q_network"):
        build(replace(artifact, arguments={**ARGUMENTS, "depth": 1}))
