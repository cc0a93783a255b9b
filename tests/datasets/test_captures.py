"""The raw folder is listed first, read capture by capture later."""

import pytest
from kedro.io import DatasetError

from kdgat.datasets.captures import CaptureFolderDataset

TEXT = "timestamp,arbitration_id,data_field,attack\n0.1,1A0,00FF,0\n0.2,1A1,,1\n"
DECLARATION = """
title: My car
source: https://example.org
layout: one file
licence: none
citation: none
formats: [csv]
labels: {source: rows}
scenarios: {train_01: [a*.csv], test_01: ["*.csv"]}
vehicles: {"*": beetle}
attack_types: {"*": dos}
"""


def test_readers_by_capture_name(tmp_path):
    for scenario in ("train_01", "test_01"):
        (tmp_path / scenario).mkdir()
        (tmp_path / scenario / "DoS-beetle.csv").write_text(TEXT)
    readers = CaptureFolderDataset(filepath=str(tmp_path)).load()
    assert list(readers) == ["test_01/DoS-beetle", "train_01/DoS-beetle"]
    capture = readers["train_01/DoS-beetle"](bad_row_share=0.0)
    assert capture.frames["arbitration_id"].tolist() == [0x1A0, 0x1A1]
    assert len(capture.bad_rows) == 0
    assert (capture.name, capture.scenario) == ("train_01/DoS-beetle", "train_01")
    assert (capture.vehicle, capture.attack_type) == ("beetle", "dos")


def test_a_declaration_needs_no_python(tmp_path):
    for folder in ("own", "shipped", "my_car"):
        (tmp_path / folder).mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "my_car" / name).write_text(TEXT)
    (tmp_path / "own" / "my_car.yml").write_text(DECLARATION)
    (tmp_path / "shipped" / "my_car.yml").write_text(DECLARATION.replace("beetle", "other"))
    dataset = CaptureFolderDataset(
        filepath=str(tmp_path / "my_car"),
        declarations=[str(tmp_path / "own"), str(tmp_path / "shipped")],
    )
    readers = dataset.load()
    assert list(readers) == ["test_01/b", "train_01/a"]
    assert readers["train_01/a"](bad_row_share=0.0).vehicle == "beetle"


def test_a_missing_dataset_says_where_to_get_it(tmp_path):
    dataset = CaptureFolderDataset(filepath=str(tmp_path / "road"))
    with pytest.raises(DatasetError, match="records/10462796 and lay it out there: the"):
        dataset.load()
    dataset = CaptureFolderDataset(filepath=str(tmp_path / "mine"))
    with pytest.raises(DatasetError, match="declared: can_mirgu, hcrl_ch, hcrl_sa, road, set_01"):
        dataset.load()


def test_missing_folder_and_saving_are_refused(tmp_path):
    dataset = CaptureFolderDataset(filepath=str(tmp_path / "nowhere"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="nowhere"):
        dataset.load()
    with pytest.raises(DatasetError):
        dataset.save(None)
