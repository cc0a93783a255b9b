"""candump logs: written by python-can, by hand, and as CAN-MIRGU publishes them."""

from pathlib import Path

import pytest

from kdgat.can.frames import ABSENT, long_payload, payload
from kdgat.can.readers import read_log

GOOD = "(1436509052.249713) can0 044#2A366C2BBA\n"


def log_of(tmp_path: Path, text: str):
    path = tmp_path / "drive.txt"
    path.write_text(text)
    return read_log(path)


def test_every_kind_of_frame(tmp_path):
    log = log_of(
        tmp_path,
        GOOD
        + "(1436509052.5) vcan1 18FEF100#\n"
        + "(1436509053.0) can0 000002C0#FF\n"
        + "(1436509053.1) can0 123#R5\n"
        + "(1436509053.2) can0 123#R\n"
        + "(1436509053.3) can0 20000080#0000000000000000\n",
    )
    frames = log.frames
    assert log.format == "candump"
    assert not log.has_labels
    assert log.error_frames == 1
    assert log.num_rows == 6
    assert frames["timestamp"].tolist()[:2] == [1436509052.249713, 1436509052.5]
    assert frames["channel"].tolist() == ["can0", "vcan1", "can0", "can0", "can0"]
    assert frames["arbitration_id"].tolist() == [0x44, 0x18FEF100, 0x2C0, 0x123, 0x123]
    assert frames["is_extended"].tolist() == [False, True, True, False, False]
    assert frames["is_remote"].tolist() == [False, False, False, True, True]
    assert frames["dlc"].tolist() == [5, 0, 1, 5, 0]
    assert payload(frames)[0].tolist() == [0x2A, 0x36, 0x6C, 0x2B, 0xBA, *[ABSENT] * 3]
    assert (payload(frames)[3] == ABSENT).all()


def test_can_fd(tmp_path):
    data = bytes(range(12)).hex()
    log = log_of(tmp_path, GOOD + f"(1436509052.3) can0 044##1{data}\n(1436509052.4) can0 044##0\n")
    assert log.bad_rows.empty
    assert log.frames["dlc"].tolist() == [5, 12, 0]
    assert long_payload(log.frames)[1, :13].tolist() == [*range(12), ABSENT]
    assert payload(log.frames)[1].tolist() == list(range(8))


def test_labels_of_can_mirgu_and_directions_of_candump(tmp_path):
    labelled = log_of(tmp_path, "(1.0) can0 153#20 0\n(1.1) can0 153#21 1\n")
    assert labelled.has_labels
    assert labelled.frames["attack"].tolist() == [0, 1]
    directed = log_of(tmp_path, "(1.0) can0 153#20 R\n(1.1) can0 153#21 T\n")
    assert not directed.has_labels
    assert directed.frames["attack"].tolist() == [0, 0]


BAD_ROWS = {
    "(1436509052.3) can0": "wrong number of fields",
    "(1436509052.3) can0 044": "wrong number of fields",
    "(1436509052.3) can0 044#00 R more": "wrong number of fields",
    "": "wrong number of fields",
    "1436509052.3 can0 044#00": "timestamp is not",
    "(soon) can0 044#00": "timestamp is not",
    "(1e999) can0 044#00": "timestamp is not",
    "(1.0) can0 0G4#00": "arbitration_id is not",
    "(1.0) can0 000000044#00": "arbitration_id is not",
    "(1.0) can0 #00": "arbitration_id is not",
    "(1.0) can0 044#0": "data_field is not",
    "(1.0) can0 044#0G": "data_field is not",
    "(1.0) can0 044#001122334455667788": "data_field is not",
    "(1.0) can0 044##": "data_field is not",
    "(1.0) can0 044##0001122334455667788": "dlc is not",
    "(1.0) can0 044#R9": "dlc is not",
    "(1.0) can0 044#00 2": "attack is neither",
    "(1.0) can0 044#0\0": "the row holds NUL bytes",
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_malformed_row_is_set_aside_with_its_line(tmp_path, row):
    log = log_of(tmp_path, GOOD + row + "\n" + GOOD)
    assert len(log.frames) == 2
    assert log.bad_rows["line"].tolist() == [2]
    assert log.bad_rows["text"].tolist() == [row]
    assert log.bad_rows["reason"].iloc[0].startswith(BAD_ROWS[row])


def test_a_row_without_a_label_among_others_that_have_one_is_malformed(tmp_path):
    log = log_of(tmp_path, "(1.0) can0 153#20 0\n(1.1) can0 153#21\n(1.2) can0 153#22 1\n")
    assert log.frames["attack"].tolist() == [0, 1]
    assert log.bad_rows["line"].tolist() == [2]
    assert log.bad_rows["reason"].iloc[0].startswith("attack is neither")


def test_a_line_cut_off_at_the_end(tmp_path):
    log = log_of(tmp_path, GOOD + "(1436509052.3) can0 044#2A3")
    assert log.bad_rows["reason"].tolist() == ["the last line is cut off"]


def test_more_channels_than_can_be_told_apart_are_malformed(tmp_path):
    log = log_of(tmp_path, "".join(f"(1.0) can{n} 044#00\n" for n in range(300)))
    assert log.frames["channel"].nunique() == 256
    assert len(log.bad_rows) == 44
