"""What identifies the captures behind a run."""

import pytest
from kedro.pipeline import Pipeline, node

from kdgat import locations
from kdgat.provenance import _dataset_identity
from kdgat.run_commands import changes_since
from kdgat.tracking import records
from kdgat.tracking.fingerprint import fingerprint


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Two datasets of one capture each, and a project of its own."""
    for dataset in ("mine", "other"):
        folder = tmp_path / "raw" / dataset / "train_01"
        folder.mkdir(parents=True)
        (folder / "drive.csv").write_text(dataset)
    monkeypatch.setattr(locations, "PROJECT", tmp_path)
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("KDGAT_RAW_ROOT", str(tmp_path / "raw"))
    return tmp_path


def declare(raw, dataset: str, text: str) -> None:
    folder = raw / "conf" / "local" / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{dataset}.yml").write_text(text)


def test_content_and_declaration_each_make_another_dataset(raw):
    first = fingerprint("mine")
    assert first == fingerprint("mine")
    assert first["declaration"] is None
    declare(raw, "mine", "title: one")
    declared = fingerprint("mine")
    assert declared["sha256"] == first["sha256"]
    declare(raw, "mine", "title: two")
    assert fingerprint("mine")["declaration"] not in (None, declared["declaration"])
    (raw / "raw" / "mine" / "train_01" / "drive.csv").write_text("longer")
    assert fingerprint("mine")["sha256"] != first["sha256"]


def identity(defaults, **changes):
    processing = defaults.data_processing.model_copy(update=changes)
    parameters = defaults.model_copy(update={"dataset": "mine", "data_processing": processing})
    reads = Pipeline([node(lambda captures: captures, "raw_captures", "read")])
    return _dataset_identity(reads, parameters, {})


def test_further_datasets_are_part_of_a_run(raw, defaults):
    plain = identity(defaults)
    assert (plain["name"], plain["further"]) == ("mine", [])
    further = identity(defaults, further_vehicles=["other"], also_trained_on=["other"])
    assert further["further"] == [fingerprint("other")]


def test_a_repetition_hears_what_has_changed(raw, defaults):
    was = identity(defaults, further_vehicles=["other"])
    record = {"inputs": {}, "dataset": was, "environment": records.environment(locations.PROJECT)}
    assert changes_since(record) == []
    declare(raw, "other", "title: one")
    (raw / "raw" / "mine" / "train_01" / "drive.csv").write_text("longer")
    content, declaration = changes_since(record)
    assert content.startswith("the captures of mine were 1 files of 4 bytes, are 1 of 6")
    assert declaration == "the declaration of other is another one"
