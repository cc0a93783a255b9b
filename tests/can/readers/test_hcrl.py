"""HCRL's two published layouts."""

from pathlib import Path

import pytest

from kdgat.can.frames import ABSENT, payload
from kdgat.can.readers import read_log

CSV = "1478198376.389427,0316,8,05,21,68,09,21,21,00,6f,R\n"
TEXT = "Timestamp: 1479121434.850202        ID: 0350    000    DLC: 8    05 28 84 66 6d 00 00 a2\n"


def log_of(tmp_path: Path, text: str):
    path = tmp_path / "dataset"
    path.write_text(text)
    return read_log(path)


def test_the_label_moves_with_the_dlc(tmp_path):
    rows = "1478198376.4,05f0,2,01,00,T\n1478198376.5,0000,0,T\n1478198376.6,043f,1,ff,R,,,,,,,\n"
    log = log_of(tmp_path, CSV + rows)
    assert log.format == "hcrl_csv"
    assert log.has_labels
    assert log.bad_rows.empty
    assert log.frames["attack"].tolist() == [0, 1, 1, 0]
    assert log.frames["dlc"].tolist() == [8, 2, 0, 1]
    assert log.frames["arbitration_id"].tolist() == [0x316, 0x5F0, 0, 0x43F]
    assert log.frames["timestamp"].iloc[0] == 1478198376.389427
    assert payload(log.frames)[0].tolist() == [5, 0x21, 0x68, 9, 0x21, 0x21, 0, 0x6F]
    assert payload(log.frames)[1].tolist() == [1, 0, *[ABSENT] * 6]


def test_blanks_around_fields_are_no_matter(tmp_path):
    log = log_of(tmp_path, CSV.replace(",", ", "))
    assert payload(log.frames)[0].tolist() == [5, 0x21, 0x68, 9, 0x21, 0x21, 0, 0x6F]


@pytest.mark.parametrize("data", ["05,21,68,09,21,21,00,6f", "05 21 68 09 21 21 00 6f"])
def test_attack_free_rows_have_no_label(tmp_path, data):
    rows = f"1478198376.4,0316,8,{data}\n1478198376.5,05f0,0\n1478198376.6,043f,1,ff\n"
    log = log_of(tmp_path, rows)
    assert log.format == "hcrl_csv"
    assert not log.has_labels
    assert log.bad_rows.empty
    assert log.frames["dlc"].tolist() == [8, 0, 1]
    assert payload(log.frames)[0].tolist() == [5, 0x21, 0x68, 9, 0x21, 0x21, 0, 0x6F]
    assert payload(log.frames)[2].tolist() == [0xFF, *[ABSENT] * 7]


def test_data_in_one_field_may_have_a_label(tmp_path):
    log = log_of(tmp_path, "1478198376.4,05f0,2,01 00,T\n1478198376.5,05f0,2,01 00 ,R\n")
    assert log.frames["attack"].tolist() == [1, 0]
    assert payload(log.frames)[1].tolist() == [1, 0, *[ABSENT] * 6]


def test_the_attack_free_text(tmp_path):
    remote = "Timestamp: 1479121434.9   ID: 0316    100    DLC: 8\n"
    empty = "Timestamp: 1479121435.0   ID: 05f0    000    DLC: 0\n"
    log = log_of(tmp_path, TEXT + remote + empty)
    assert log.format == "hcrl_text"
    assert not log.has_labels
    assert log.bad_rows.empty
    assert log.frames["attack"].tolist() == [0, 0, 0]
    assert log.frames["is_remote"].tolist() == [False, True, False]
    assert log.frames["dlc"].tolist() == [8, 8, 0]
    assert payload(log.frames)[0].tolist() == [5, 0x28, 0x84, 0x66, 0x6D, 0, 0, 0xA2]
    assert (payload(log.frames)[1:] == ABSENT).all()


BAD_CSV_ROWS = {
    "1478198376.4": "wrong number of fields",
    "1478198376.4,0316,8,05,21": "wrong number of fields",
    "then,0316,0,R": "timestamp is not",
    "1478198376.4,790x,0,R": "arbitration_id is not",
    "1478198376.4,1456,0,R": "arbitration_id is decimal",
    "1478198376.4,0316,9,05,21,68,09,21,21,00,6f,00,R": "dlc is not",
    "1478198376.4,0316,1,05,21,R": "dlc is not",
    "1478198376.4,0316,2,05,R": "wrong number of fields",
    "1478198376.4,0316,1,5,R": "data_field is not",
    "1478198376.4,0316,1,05,1": "attack is neither",
    "1478198376.4,0316,1,05,": "attack is neither",
    "1478198376.4,0316,1,05": "attack is neither",
    "1478198376.4,0316,0": "attack is neither",
    "1478198376.4,0316,3,05 21,R": "wrong number of fields",
    "1478198376.4,0316,2,05 21 68,R": "dlc is not",
    "1478198376.4,0316,3,05 21,68,R": "wrong number of fields",
    "1478198376.4,0316,2,05 2x,R": "data_field is not",
}


@pytest.mark.parametrize("row", BAD_CSV_ROWS)
def test_a_malformed_csv_row(tmp_path, row):
    log = log_of(tmp_path, CSV + row + "\n" + CSV)
    assert len(log.frames) == 2
    assert log.bad_rows[["line", "text"]].values.tolist() == [[2, row]]
    assert log.bad_rows["reason"].iloc[0].startswith(BAD_CSV_ROWS[row])


BAD_TEXT_ROWS = {
    "Timestamp: 1479121434.9": "wrong number of fields",
    "Timestamp: 1479121434.9 ID: 0350 000 DLC: 2 05": "wrong number of fields",
    "Timestamp: later ID: 0350 000 DLC: 1 05": "timestamp is not",
    "Timestamp: 1479121434.9 ID: zz 000 DLC: 1 05": "arbitration_id is not",
    "Timestamp: 1479121434.9 ID: 0350 000 DLC: 9 05": "dlc is not",
    "Timestamp: 1479121434.9 ID: 0350 000 DLC: 1 05 06": "dlc is not",
    "Timestamp: 1479121434.9 ID: 0350 000 DLC: 1 0x": "data_field is not",
}


@pytest.mark.parametrize("row", BAD_TEXT_ROWS)
def test_a_malformed_text_row(tmp_path, row):
    log = log_of(tmp_path, TEXT + row + "\n" + TEXT)
    assert len(log.frames) == 2
    assert log.bad_rows[["line", "text"]].values.tolist() == [[2, row]]
    assert log.bad_rows["reason"].iloc[0].startswith(BAD_TEXT_ROWS[row])
