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


def size_of(group: str, model: str, kind: str, widths: dict[str, int]) -> int:
    text = (CONFIGURATION / f"parameters_{group}.yml").read_text()
    module = build_module(kind, {**widths, **yaml.safe_load(text)[group][model]})
    return sum(parameter.numel() for parameter in module.parameters())


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
    assert least <= size_of(group, model, kind, widths) <= most


@pytest.mark.parametrize(
    ("kind", "widths", "teacher", "student"),
    [
        ("vgae", GRAPH, ("autoencoder", "model"), ("distillation", "autoencoder")),
        ("gat", GRAPH, ("teacher", "model"), ("distillation", "classifier")),
        ("q_network", FUSION, ("fusion", "teacher"), ("fusion", "student")),
    ],
)
def test_a_student_has_a_twentieth_of_its_teachers_parameters(kind, widths, teacher, student):
    assert size_of(*teacher, kind, widths) >= 20 * size_of(*student, kind, widths)
