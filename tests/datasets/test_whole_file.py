"""A version is whole, and never overwritten."""

from pathlib import Path

import pytest
from kedro.io import DatasetError, Version

from kdgat.datasets.whole_file import WholeFileDataset


class TextDataset(WholeFileDataset[str]):
    def _read(self, path: Path) -> str:
        return path.read_text()

    def _write(self, data: str, path: Path) -> None:
        path.write_text(data[:3])
        if data == "broken":
            raise OSError("disk full")
        path.write_text(data)


def dataset(tmp_path: Path, save: str | None = None, load: str | None = None) -> TextDataset:
    return TextDataset(filepath=str(tmp_path / "a.txt"), version=Version(load, save))


def test_round_trip_in_a_version_of_its_own(tmp_path):
    dataset(tmp_path, "v1").save("one")
    dataset(tmp_path, "v2").save("two")
    assert dataset(tmp_path).load() == "two"
    assert dataset(tmp_path, load="v1").load() == "one"
    assert (tmp_path / "a.txt" / "v1" / "a.txt").read_text() == "one"


def test_a_version_is_never_overwritten(tmp_path):
    dataset(tmp_path, "v1").save("one")
    with pytest.raises(DatasetError, match="must not exist"):
        dataset(tmp_path, "v1").save("two")
    assert dataset(tmp_path).load() == "one"


def test_two_writers_that_both_saw_no_file_do_not_overwrite_each_other(tmp_path, monkeypatch):
    dataset(tmp_path, "v1").save("one")
    second = dataset(tmp_path, "v1")
    path = tmp_path / "a.txt" / "v1" / "a.txt"
    monkeypatch.setattr(second, "_get_save_path", lambda: path)
    with pytest.raises(DatasetError, match="never overwritten"):
        second.save("two")
    assert path.read_text() == "one"


def test_a_failed_save_leaves_nothing(tmp_path):
    with pytest.raises(DatasetError, match="disk full"):
        dataset(tmp_path, "v1").save("broken")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not dataset(tmp_path).exists()
