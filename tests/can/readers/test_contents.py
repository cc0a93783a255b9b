"""gz and zip are opened by content."""

import zipfile
from pathlib import Path

import pytest

from kdgat.can.readers import FORMATS, capture_stem, read_log
from kdgat.can.readers.log import REASONS
from kdgat.errors import DataError


def test_a_zip_of_two_captures_is_refused(tmp_path):
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.csv", "")
        file.writestr("b.csv", "")
    with pytest.raises(DataError, match=r"two.zip holds 2 files \(a.csv, b.csv"):
        read_log(path)


def test_what_macos_adds_to_a_zip_does_not_count(tmp_path):
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("folder/", "")
        file.writestr("folder/a.log", "(1.0) can0 123#00\n")
        file.writestr("__MACOSX/folder/._a.log", "x")
    assert len(read_log(path).frames) == 1


def test_a_damaged_zip_is_refused(tmp_path):
    path = tmp_path / "bad.zip"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(DataError, match=r"bad.zip cannot be read"):
        read_log(path)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("DoS-kia.csv", "DoS-kia"),
        ("DoS-kia.csv.gz", "DoS-kia"),
        ("a.b.LOG.zip", "a.b"),
        ("DoS-kia.CSV.GZ", "DoS-kia"),
        ("x.parquet", "x"),
        ("README.md", None),
        ("x.gz", None),
    ],
)
def test_stems(tmp_path, name, stem):
    assert capture_stem(tmp_path / name) == stem


def test_the_documentation_names_every_format_and_every_reason():
    page = (Path(__file__).resolve().parents[3] / "docs" / "data.md").read_text()
    assert [name for name in FORMATS if f"| `{name}` |" not in page] == []
    assert [reason for reason in REASONS.values() if reason not in page] == []
