"""Graphs are built again when something that they depend on changes, and only then."""

from kdgat.can.graph_store import GraphStore
from kdgat.can.graphs import NODE_FEATURES


def process(project, *parameters: str) -> str:
    chosen = ("--params", ",".join(parameters)) if parameters else ()
    result = project.run("--pipeline", "data_processing", *chosen)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def test_graphs_are_built_once_for_what_they_are_made_from(tmp_path, new_project):
    project = new_project(tmp_path / "data")
    assert "building graphs" in process(project)
    assert "graphs unchanged" in process(project, "data_processing.bad_row_share=0.5")
    first, second = project.versions("train_graphs.safetensors")
    assert first.stat().st_ino == second.stat().st_ino

    assert "building graphs" in process(project, "data_processing.window=50")
    assert GraphStore.load(project.versions("train_graphs.safetensors")[-1]).window == 50
    assert "graphs unchanged" in process(project)
    assert GraphStore.load(project.versions("train_graphs.safetensors")[-1]).window == 100

    assert "building graphs" in process(project, "data_processing.profile.seconds=1.0")
    for split, share in (("train", 0.0), ("test", 0.0), ("calibrated_test", 1.0)):
        store = GraphStore.load(project.versions(f"{split}_graphs.safetensors")[-1])
        informed = store.x[:, NODE_FEATURES.index("has_profile")]
        assert informed.mean() == share or split == "calibrated_test"
        assert informed.max() == share
    assert not list(project.data.rglob(".building-*"))
