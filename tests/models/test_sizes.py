"""The sizes that the configuration gives the published models."""

from pathlib import Path

import pytest
import yaml

from kdgat.can.graphs import EDGE_FEATURES, NODE_FEATURES
from kdgat.models.artifact import build_module
from kdgat.scores import FUSION_FEATURES, FUSION_WEIGHTS

CONFIGURATION = Path(__file__).resolve().parents[2] / "conf" / "base"
GRAPH = {"node_features": len(NODE_FEATURES), "edge_features": len(EDGE_FEATURES)}
FUSION = {"state_features": len(FUSION_FEATURES), "actions": len(FUSION_WEIGHTS)}


@pytest.mark.parametrize(
    ("group", "model", "kind", "widths", "least", "most"),
    [
        ("autoencoder", "model", "vgae", GRAPH, 1_600_000, 1_800_000),
        ("teacher", "model", "gat", GRAPH, 1_050_000, 1_150_000),
        ("distillation", "autoencoder", "vgae", GRAPH, 70_000, 90_000),
        ("distillation", "classifier", "gat", GRAPH, 45_000, 60_000),
        ("fusion", "teacher", "q_network", FUSION, 650_000, 750_000),
        ("fusion", "student", "q_network", FUSION, 28_000, 35_000),
    ],
)
def test_parameters(group, model, kind, widths, least, most):
    text = (CONFIGURATION / f"parameters_{group}.yml").read_text()
    sizes = yaml.safe_load(text)[group][model]
    module = build_module(kind, {**widths, **sizes})
    assert least <= sum(parameter.numel() for parameter in module.parameters()) <= most
