"""A run keeps to the versions it found at its start."""

from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.pipeline import Node, Pipeline

from kdgat import versions
from kdgat.datasets.whole_file import WholeFileDataset
from kdgat.errors import MissingInputError
from kdgat.lineage import Origin, parents_of, pin_versions


class TextDataset(WholeFileDataset[str]):
    def _read(self, path: Path) -> str:
        return path.read_text()

    def _write(self, data: str, path: Path) -> None:
        path.write_text(data)


def stored(folder: Path, seed: int, save: str, name: str = "model") -> TextDataset:
    return TextDataset(
        filepath=str(folder / f"seed_{seed}" / name),
        default_filepath=str(folder / "seed_1" / name),
        version=Version(None, save),
    )


def catalog_of(folder: Path, seed: int, save: str = "v9") -> DataCatalog:
    return DataCatalog(
        {
            "model": stored(folder, seed, save),
            "agent": stored(folder, seed, save, "agent"),
            "setting": MemoryDataset(3),
        }
    )


def agent_of(model: str, setting: int) -> str:
    return f"agent of {model}"


FUSION = Pipeline(
    [Node(agent_of, {"model": "model", "setting": "setting"}, "agent", name="train_agent")]
)
TEACHER = Pipeline([Node(lambda setting: "model", "setting", "model", name="train_model")])
PRODUCERS = {"__default__": TEACHER + FUSION, "teacher": TEACHER, "fusion": FUSION}


def pin(catalog: DataCatalog, seed: int) -> dict[str, Origin]:
    return pin_versions(FUSION, catalog, seed=seed, default_seed=1, producers=PRODUCERS)


def test_own_seed_comes_first(tmp_path):
    stored(tmp_path, 1, "v1").save("one")
    stored(tmp_path, 2, "v2").save("two")
    catalog = catalog_of(tmp_path, 2)
    assert pin(catalog, 2) == {"model": Origin("v2", 2)}
    assert catalog.load("model") == "two"


def test_default_seed_stands_in(tmp_path):
    stored(tmp_path, 1, "v1").save("one")
    stored(tmp_path, 1, "v3").save("three")
    catalog = catalog_of(tmp_path, 2)
    assert pin(catalog, 2) == {"model": Origin("v3", 1)}
    assert catalog.load("model") == "three"


def test_a_later_version_of_another_run_is_not_read(tmp_path):
    stored(tmp_path, 1, "v1").save("one")
    catalog = catalog_of(tmp_path, 1, save="v5")
    pin(catalog, 1)
    stored(tmp_path, 1, "v7").save("seven")
    stored(tmp_path, 1, "v7", "agent").save("agent of seven")
    assert catalog.load("model") == "one"
    catalog.save("agent", "agent of one")
    assert catalog.load("agent") == "agent of one"


def test_without_any_model_the_sentence_says_what_to_run(tmp_path):
    with pytest.raises(MissingInputError) as caught:
        pin(catalog_of(tmp_path, 2), 2)
    assert "no model" in str(caught.value)
    assert "`kedro run --pipeline teacher`" in str(caught.value)
    assert not list(tmp_path.iterdir())


def graphs(folder: Path, name: str, save: str | None = None) -> TextDataset:
    return TextDataset(filepath=str(folder / name), version=Version(None, save))


def test_graphs_are_all_of_one_run_even_while_another_is_half_way(tmp_path):
    for name in ("train_graphs", "test_graphs"):
        graphs(tmp_path, name, "v1").save("one")
    graphs(tmp_path, "train_graphs", "v2").save("two")
    catalog = DataCatalog({n: graphs(tmp_path, n) for n in ("train_graphs", "test_graphs")})
    reads_both = Pipeline([Node(agent_of, ["train_graphs", "test_graphs"], "agent", name="both")])
    catalog["agent"] = MemoryDataset()
    origins = pin_versions(reads_both, catalog, seed=1, default_seed=1, producers={})
    assert {origin.version for origin in origins.values()} == {"v1"}


def test_scores_are_the_newest_whatever_run_made_the_graphs(tmp_path):
    names = {"test_graphs": "model_input", "window_scores": "output", "thresholds": "output"}
    for name, folder in names.items():
        graphs(tmp_path / folder, name, "v1").save("one")
    for name in ("window_scores", "thresholds"):
        graphs(tmp_path / "output", name, "v2").save("two")
    graphs(tmp_path / "output", "thresholds", "v3").save("three")
    catalog = DataCatalog({n: graphs(tmp_path / folder, n) for n, folder in names.items()})
    reads_all = Pipeline([Node(lambda *read: read, list(names), "picture", name="draw")])
    catalog["picture"] = MemoryDataset()
    origins = pin_versions(reads_all, catalog, seed=1, default_seed=1, producers={})
    assert {name: origin.version for name, origin in origins.items()} == {
        "test_graphs": "v1",
        "window_scores": "v2",
        "thresholds": "v2",
    }


def test_a_pinned_version_is_taken_and_a_chosen_one_goes_before(tmp_path):
    stored(tmp_path, 1, "v1").save("one")
    stored(tmp_path, 1, "v2").save("two")
    versions.pin(tmp_path / "seed_1" / "model", "v1")
    assert pin(catalog_of(tmp_path, 1), 1) == {"model": Origin("v1", 1, is_pinned=True)}
    catalog = catalog_of(tmp_path, 1)
    chosen = {"model": "v2"}
    assert pin_versions(
        FUSION, catalog, seed=1, default_seed=1, producers=PRODUCERS, chosen=chosen
    ) == {"model": Origin("v2", 1)}
    assert catalog.load("model") == "two"


def test_a_chosen_version_may_be_of_any_seed(tmp_path):
    for seed, version in ((1, "v1"), (2, "v2"), (3, "v3")):
        stored(tmp_path, seed, version).save(version)
    catalog = catalog_of(tmp_path, 2)
    assert pin_versions(
        FUSION, catalog, seed=2, default_seed=1, producers=PRODUCERS, chosen={"model": "v3"}
    ) == {"model": Origin("v3", 3)}
    assert catalog.load("model") == "v3"


def test_the_end_of_a_pruned_version_is_enough_to_say_when(tmp_path):
    stored(tmp_path, 1, "2026-v1-p7").save("one")
    versions.prune(tmp_path / "seed_1" / "model", "2026-v1-p7")
    said = versions.lack(tmp_path / "seed_1" / "model", "v1-p7")
    assert said.startswith("version 2026-v1-p7 of model was pruned at ")


def test_a_pruned_pin_is_a_sentence(tmp_path):
    stored(tmp_path, 1, "v1").save("one")
    stored(tmp_path, 1, "v2").save("two")
    versions.pin(tmp_path / "seed_1" / "model", "v1")
    versions.prune(tmp_path / "seed_1" / "model", "v1")
    with pytest.raises(MissingInputError, match="version v1 of model was pruned at 2"):
        pin(catalog_of(tmp_path, 1), 1)


def test_parents_of_what_is_not_stored_are_its_own(tmp_path):
    stored(tmp_path, 1, "v1").save("one")
    catalog = catalog_of(tmp_path, 1)
    catalog["between"] = MemoryDataset()
    pipeline = Pipeline(
        [
            Node(lambda model: model, "model", "between", name="first"),
            Node(lambda between: between, "between", "agent", name="second"),
        ]
    )
    pin_versions(pipeline, catalog, seed=1, default_seed=1, producers={})
    assert parents_of("agent", pipeline, catalog) == {"model": "v1"}
