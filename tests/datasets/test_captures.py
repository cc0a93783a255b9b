"""The raw folder is listed first, read capture by capture later."""

import pytest
from kedro.io import DatasetError

from kdgat.datasets.captures import CaptureFolderDataset

TEXT = "timestamp,arbitration_id,data_field,attack\n0.1,1A0,00FF,0\n0.2,1A1,,1\n"


def test_readers_by_capture_name(tmp_path):
    for scenario in ("train_01", "test_01"):
        (tmp_path / scenario).mkdir()
        (tmp_path / scenario / "drive.csv").write_text(TEXT)
    readers = CaptureFolderDataset(filepath=str(tmp_path)).load()
    assert list(readers) == ["test_01/drive", "train_01/drive"]
    frames, bad_rows = readers["train_01/drive"](bad_row_share=0.0)
    assert frames["arbitration_id"].tolist() == [0x1A0, 0x1A1]
    assert len(bad_rows) == 0


def test_missing_folder_and_saving_are_refused(tmp_path):
    dataset = CaptureFolderDataset(filepath=str(tmp_path / "nowhere"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="nowhere"):
        dataset.load()
    with pytest.raises(DatasetError):
        dataset.save({})
