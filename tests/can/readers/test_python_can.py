"""Files that python-can has written: the project's own code has no part in making them."""

import gzip
import logging
import random
import zipfile
from pathlib import Path

import can
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can.frames import ABSENT, long_payload
from kdgat.can.readers import read_log
from kdgat.errors import DataError

START = 1_600_000_000.0
FD_LENGTHS = (12, 16, 20, 24, 32, 48, 64)

FORMATS = {
    ".asc": "asc",
    ".blf": "blf",
    ".mf4": "mf4",
    ".trc": "trc",
    ".db": "sqlite",
    ".csv": "python_can_csv",
    ".log": "candump",
}
WITHOUT_CHANNEL = (".db", ".csv")
WITHOUT_FD = (".trc",)
WITHOUT_REMOTE = (".trc",)
WITHOUT_ERRORS = (".trc",)
WITHOUT_REMOTE_LENGTH = (".log",)
RELATIVE = (".asc",)
RESOLUTION = {".blf": 1e-6, ".trc": 1e-3, ".asc": 2e-6, ".mf4": 1e-6, ".log": 1e-6}
"""Seconds to which a format, or python-can's writer of it, keeps a timestamp."""


@pytest.fixture(autouse=True)
def _quiet_writers(caplog):
    caplog.set_level(logging.CRITICAL, "can.io")


@st.composite
def messages(draw) -> list[can.Message]:
    """Frames of every kind, in the order of the bus; the first carries data."""
    source = random.Random(draw(st.integers(0, 2**32)))
    kinds = st.lists(st.sampled_from(["data", "fd", "remote", "error"]), max_size=12)
    timestamp = START
    made = []
    for kind in ["data", *draw(kinds)]:
        timestamp = round(timestamp + source.randrange(1, 50_000) / 1e6, 6)
        extended = source.random() < 0.5
        common = {
            "timestamp": timestamp,
            "arbitration_id": source.randrange(2**29 if extended else 2**11),
            "is_extended_id": extended,
            "channel": source.randrange(1, 3),
        }
        if kind == "data":
            made.append(can.Message(data=source.randbytes(source.randrange(9)), **common))
        elif kind == "fd":
            data = source.randbytes(source.choice([*range(1, 9), *FD_LENGTHS]))
            made.append(can.Message(data=data, is_fd=True, **common))
        elif kind == "remote":
            made.append(can.Message(is_remote_frame=True, dlc=source.randrange(9), **common))
        else:
            made.append(can.Message(timestamp=timestamp, is_error_frame=True, channel=1))
    return made


def writable(suffix: str, message: can.Message) -> bool:
    if message.is_fd:
        return suffix not in WITHOUT_FD
    if message.is_remote_frame:
        return suffix not in WITHOUT_REMOTE
    return not (message.is_error_frame and suffix in WITHOUT_ERRORS)


def write(path: Path, frames: list[can.Message]) -> Path:
    with can.Logger(str(path)) as logger:
        for message in frames:
            logger(message)
    return path


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=25, deadline=None)
@given(made=messages())
def test_what_python_can_wrote_is_read_field_by_field(tmp_path_factory, suffix, made):
    made = [message for message in made if writable(suffix, message)]
    path = write(tmp_path_factory.mktemp("written") / f"capture{suffix}", made)
    log = read_log(path)
    sent = [message for message in made if not message.is_error_frame]
    frames = log.frames
    assert log.format == FORMATS[suffix]
    assert log.bad_rows.empty
    assert log.error_frames == len(made) - len(sent)
    assert log.num_rows == len(made)
    expected = np.array([message.timestamp for message in sent])
    offset = made[0].timestamp if suffix in RELATIVE else 0.0
    assert np.abs(frames["timestamp"] + offset - expected).max() <= RESOLUTION.get(suffix, 0.0)
    for column, name in {
        "arbitration_id": "arbitration_id",
        "is_extended": "is_extended_id",
        "is_remote": "is_remote_frame",
    }.items():
        assert frames[column].tolist() == [getattr(message, name) for message in sent]
    assert frames["dlc"].tolist() == [
        0 if message.is_remote_frame and suffix in WITHOUT_REMOTE_LENGTH else message.dlc
        for message in sent
    ]
    data = long_payload(frames)
    for row, message in zip(data, sent, strict=True):
        assert bytes(row[row != ABSENT].astype(np.uint8)) == bytes(message.data)
    if suffix in WITHOUT_CHANNEL:
        assert set(frames["channel"]) == {""}
    else:
        pairs = zip(frames["channel"], (message.channel for message in sent), strict=True)
        assert len(set(pairs)) == frames["channel"].nunique()
    assert not frames["attack"].any()


def plain(count: int = 20) -> list[can.Message]:
    return [
        can.Message(
            timestamp=START + n / 100,
            arbitration_id=0x100 + n % 1024,
            is_extended_id=False,
            data=bytes([n % 256, 255 - n % 256]),
            channel=1,
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("archive", ["gz", "zip", "gz in zip"])
def test_archives_of_every_format(tmp_path, suffix, archive):
    path = write(tmp_path / f"capture{suffix}", plain())
    packed = tmp_path / f"packed{suffix}.gz"
    if archive == "gz":
        packed.write_bytes(gzip.compress(path.read_bytes()))
    else:
        member = path.read_bytes()
        if archive == "gz in zip":
            member = gzip.compress(member)
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr("folder/capture", member)
    assert read_log(packed).frames["arbitration_id"].tolist() == list(range(0x100, 0x114))


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_name_says_nothing_about_the_format(tmp_path, suffix):
    path = write(tmp_path / f"capture{suffix}", plain())
    for name in ("capture.bin", "other.csv" if suffix != ".csv" else "other.blf"):
        path = path.rename(tmp_path / name)
        assert read_log(path).format == FORMATS[suffix]


BROKEN_LINES = {
    ".asc": ("1.5 1 2C0 Rx d 8 01 02 0G 04 05 06 07 08", "1.5 1 2C0 Rq d 2 01 02"),
    ".trc": ("21 1.5 DT 1 0G00 Rx - 2 01 02", "garbage"),
    ".csv": ("1.5,0x2C0,0,0,0,2", "1.5,zz,0,0,0,2,AQI="),
}


@pytest.mark.parametrize(
    ("suffix", "line"), [(suffix, line) for suffix, lines in BROKEN_LINES.items() for line in lines]
)
def test_a_row_that_python_can_drops_or_dies_of_is_set_aside(tmp_path, suffix, line):
    path = write(tmp_path / f"capture{suffix}", plain())
    lines = path.read_text().splitlines()
    place = len(lines) - 5
    path.write_text("\n".join([*lines[:place], line, *lines[place:]]) + "\n")
    log = read_log(path)
    assert log.frames["arbitration_id"].tolist() == list(range(0x100, 0x114))
    assert log.bad_rows[["line", "text"]].values.tolist() == [[place + 1, line]]
    assert log.bad_rows["reason"].iloc[0].startswith("python-can does not understand the row")


def test_the_first_frame_may_follow_the_header_of_an_asc_log_at_once(tmp_path):
    path = tmp_path / "x.asc"
    path.write_text(
        "date Mon Nov 24 20:00:00.000 2026\nbase hex timestamps absolute\n"
        "0.0 1 2C0 Rx d 1 AA\n0.1 1 2C1 Rx d 1 BB\n0.2 1 Statistic: D 0 R 0 XD 0 XR 0\n"
    )
    log = read_log(path)
    assert log.frames["arbitration_id"].tolist() == [0x2C0, 0x2C1]
    assert log.bad_rows.empty


def test_times_that_count_from_the_line_before_are_refused(tmp_path):
    path = tmp_path / "x.asc"
    path.write_text(
        "date Mon Nov 24 20:00:00.000 2026\nbase hex  timestamps relative\n"
        "0.0 1 2C0 Rx d 1 AA\n0.1 1 2C1 Rx d 1 BB\n"
    )
    with pytest.raises(DataError, match=r"x\.asc, line 2: 'base hex  timestamps rel"):
        read_log(path)


def test_bus_states_in_a_trc_log_are_no_frames(tmp_path):
    path = write(tmp_path / "x.trc", plain(2))
    with path.open("a") as file:
        file.write("      3     20.000 ST 1     Rx    00 00 00 08\n")
        file.write("      4     21.000 ER 1     Rx    04 00 02 00 00\n")
    log = read_log(path)
    assert len(log.frames) == 2
    assert log.bad_rows.empty
    assert log.error_frames == 1


@pytest.mark.parametrize(
    ("suffix", "said"), [(".blf", "cut off"), (".mf4", "damaged"), (".db", "damaged")]
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # asammdf's own
def test_a_binary_log_cut_off_is_refused(tmp_path, suffix, said):
    path = write(tmp_path / f"capture{suffix}", plain(2000))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=said) as refusal:
        read_log(path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("suffix", [".asc", ".trc", ".csv"])
def test_a_log_without_a_frame_is_refused(tmp_path, suffix):
    path = write(tmp_path / f"capture{suffix}", plain(1))
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if "100" not in line or line.startswith(";")]
    path.write_text("".join(kept))
    with pytest.raises(DataError, match="holds no frame"):
        read_log(path)
