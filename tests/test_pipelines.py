"""The pipelines as people see them: grouped by stage, in layers that lead one way."""

import re
from pathlib import Path

import pytest
import yaml
from kedro.pipeline import Pipeline

from kdgat.figures.pipelines import Stage, hand_overs, pipeline_map
from kdgat.pipeline_registry import register_pipelines, stages_of_the_chain

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf" / "base"
LAYERS = ("raw", "model_input", "models", "model_output", "reporting")
PIPELINES = register_pipelines()


def layers() -> dict[str, int]:
    """Dataset -> place of its layer in LAYERS, of those that have one."""
    entries: dict = {}
    for path in CONF.glob("catalog*.yml"):
        entries |= yaml.safe_load(path.read_text())
    shown = {
        name: entry.get("metadata", {}).get("kedro-viz", {}).get("layer")
        for name, entry in entries.items()
        if not name.startswith("_")
    }
    return {name: LAYERS.index(layer) for name, layer in shown.items() if layer}


def steps_back(pipeline: Pipeline, place: dict[str, int]) -> list[str]:
    """Datasets above something they are made from, by a node or by a stage seen as one."""
    stages = pipeline.group_nodes_by("namespace")
    parts = [*pipeline.nodes, *(pipeline.only_nodes(*group.nodes) for group in stages)]
    return [
        f"{above} -> {name}"
        for part in parts
        for above in set(_names(part.inputs)) & set(place)
        for name in set(_outputs(part)) & set(place)
        if place[name] < place[above]
    ]


def _names(inputs) -> list[str]:
    return list(inputs() if callable(inputs) else inputs)


def _outputs(part) -> list[str]:
    return list(part.all_outputs() if isinstance(part, Pipeline) else part.outputs)


@pytest.mark.parametrize("name", ["__default__", "reporting"])
def test_layers_lead_one_way(name):
    assert steps_back(PIPELINES[name], layers()) == []  # else kedro viz shows no layers at all


def test_every_node_stands_under_its_stage():
    for node in (PIPELINES["__default__"] + PIPELINES["reporting"]).nodes:
        assert node.namespace in node.tags
        assert node.name == f"{node.namespace}.{node.short_name}"


def test_hand_overs():
    stages = [
        Stage("a", frozenset({"raw"}), frozenset({"graphs", "table"})),
        Stage("b", frozenset({"graphs"}), frozenset({"model"})),
    ]
    assert hand_overs(stages) == {(0, 1): ["graphs"], (0, 2): ["table"], (1, 2): ["model"]}


def test_the_picture_of_the_pipelines_is_up_to_date():
    page = (ROOT / "docs" / "pictures" / "pipelines.svg").read_text()
    written = re.findall(r"<t(?:ext|span)[^>]*>([^<]+)</t", page)
    drawn = [t.get_text() for t in pipeline_map(stages_of_the_chain()).axes[0].texts]
    assert sorted(written) == sorted(line for text in drawn for line in text.split("\n") if line)
