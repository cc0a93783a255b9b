"""Parquet keeps every column of every frame exactly."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can.captures import Capture, write_canonical
from kdgat.can.frames import ABSENT, FRAME_COLUMNS, frame_table
from kdgat.can.readers import read_log
from kdgat.can.readers.log import bad_row_table
from kdgat.errors import DataError

FD_LENGTHS = np.array([*range(9), 12, 16, 20, 24, 32, 48, 64])


@st.composite
def frame_tables(draw) -> pd.DataFrame:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    num_frames = draw(st.integers(1, 12))
    width = 64 if draw(st.booleans()) else 8
    dlc = generator.choice(FD_LENGTHS[: len(FD_LENGTHS) if width == 64 else 9], num_frames)
    is_remote = (generator.random(num_frames) < 0.2) & (dlc <= 8)
    data = generator.integers(0, 256, (num_frames, width)).astype(np.int16)
    data[np.arange(width) >= np.where(is_remote, 0, dlc)[:, None]] = ABSENT
    is_extended = generator.random(num_frames) < 0.5
    attack = generator.integers(0, 2, num_frames)
    return frame_table(
        timestamp=generator.normal(0, 1e9, num_frames),
        arbitration_id=generator.integers(0, np.where(is_extended, 2**29, 2**11)),
        dlc=dlc,
        payload=data,
        attack=attack,
        channel=pd.Categorical(generator.choice(["can0", "vcan1", "é"], num_frames)),
        is_extended=is_extended,
        is_remote=is_remote,
        episode=attack * generator.integers(1, 5, num_frames),
    )


def capture_of(frames: pd.DataFrame) -> Capture:
    return Capture("train_01/DoS-x", "train_01", "x", "dos", frames, bad_row_table([]))


@settings(max_examples=60, deadline=None)
@given(frames=frame_tables())
def test_what_is_written_is_read_back(tmp_path_factory, frames):
    path = tmp_path_factory.mktemp("round_trip") / "capture.parquet"
    write_canonical(capture_of(frames), path)
    log = read_log(path)
    pd.testing.assert_frame_equal(log.frames, frames, check_categorical=False)
    assert log.format == "parquet"
    assert log.has_labels
    assert log.bad_rows.empty
    assert [x.name for x in path.parent.iterdir()] == [path.name]


def one_frame(**changes) -> dict:
    columns = {name: [0] for name in FRAME_COLUMNS} | {"channel": [""]}
    return columns | {"timestamp": [1.5], "is_extended": [False], "is_remote": [False]} | changes


def test_the_capture_is_named_in_dictionary_columns(tmp_path):
    path = tmp_path / "x.parquet"
    frames = frame_table(
        np.zeros(3), np.zeros(3, int), np.zeros(3, int), np.full((3, 8), ABSENT), np.zeros(3, int)
    )
    write_canonical(capture_of(frames), path)
    table = pq.read_table(path, read_dictionary=["capture", "vehicle", "scenario", "attack_type"])
    for name, value in {
        "capture": "train_01/DoS-x",
        "vehicle": "x",
        "scenario": "train_01",
        "attack_type": "dos",
    }.items():
        assert pa.types.is_dictionary(table.schema.field(name).type)
        assert table[name].to_pylist() == [value] * 3


def test_columns_of_other_makers_may_be_few_and_of_other_types(tmp_path):
    path = tmp_path / "x.parquet"
    columns = {
        "timestamp": pa.array([1, 2]),
        "arbitration_id": pa.array([0x2C0, 0x18FEF100], pa.int64()),
        "dlc": pa.array([2, 0], pa.int32()),
        **{f"byte_{n}": pa.array([n if n < 2 else None, None], pa.uint8()) for n in range(8)},
    }
    pq.write_table(pa.table(columns), path)
    log = read_log(path)
    assert log.frames["is_extended"].tolist() == [False, True]
    assert log.frames["byte_1"].tolist() == [1, ABSENT]
    assert not log.has_labels


def with_payload(data: list[bytes | None], width: int = 8, **changes: list) -> pa.Table:
    columns = {
        "timestamp": [1.0 + number for number in range(len(data))],
        "arbitration_id": [0x2C0] * len(data),
        "payload": pa.array(data, pa.binary(width)),
    }
    return pa.table(columns | changes)


def test_bytes_lie_in_one_column_of_fixed_binary(tmp_path):
    path = tmp_path / "x.parquet"
    frames = frame_table(
        timestamp=np.arange(3.0),
        arbitration_id=np.arange(3),
        dlc=np.array([2, 0, 4]),
        payload=np.array([[0, 255] + [ABSENT] * 6, [ABSENT] * 8, [ABSENT] * 8]),
        attack=np.zeros(3, int),
        is_remote=np.array([False, False, True]),
    )
    write_canonical(capture_of(frames), path)
    column = pq.read_table(path)["payload"]
    assert column.type == pa.binary(8)
    assert column.to_pylist() == [b"\0\xff" + bytes(6), bytes(8), bytes(8)]


def test_payloads_are_read_by_dlc(tmp_path):
    path = tmp_path / "x.parquet"
    data = [b"\0\2\0\0\0\0\0\0", None, bytes(8)]
    pq.write_table(with_payload(data, dlc=[3, 0, 1], is_remote=[False, False, True]), path)
    frames = read_log(path).frames
    assert frames[["byte_0", "byte_1", "byte_2", "byte_3"]].to_numpy().tolist() == [
        [0, 2, 0, ABSENT],
        [ABSENT] * 4,
        [ABSENT] * 4,
    ]


def test_payloads_of_several_row_groups_are_read(tmp_path):
    path = tmp_path / "x.parquet"
    data = [bytes([number]) + bytes(63) for number in range(7)]
    pq.write_table(with_payload(data, 64, dlc=[12] * 7), path, row_group_size=3)
    frames = read_log(path).frames
    assert frames["byte_0"].tolist() == list(range(7))
    assert (frames["byte_11"] == 0).all()
    assert (frames["byte_12"] == ABSENT).all()


def test_channels_of_other_makers_are_read_as_text(tmp_path):
    path = tmp_path / "x.parquet"
    columns = {"dlc": [0, 0, 0], "channel": pa.array([1, None, 1])}
    pq.write_table(with_payload([None] * 3, **columns), path)
    assert read_log(path).frames["channel"].tolist() == ["1", "", "1"]


@pytest.mark.parametrize(
    ("data", "dlc", "is_remote"),
    [
        (b"\1\2\3\0\0\0\0\0", 2, False),
        (b"\1\0\0\0\0\0\0\0", 1, True),
        (None, 1, False),
    ],
)
def test_payload_that_dlc_does_not_tell_is_set_aside(tmp_path, data, dlc, is_remote):
    path = tmp_path / "x.parquet"
    table = with_payload([bytes(8), data], dlc=[8, dlc], is_remote=[False, is_remote])
    pq.write_table(table, path)
    log = read_log(path)
    assert len(log.frames) == 1
    assert log.bad_rows["line"].tolist() == [2]
    assert log.bad_rows["reason"].iloc[0].startswith("data bytes are not")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": [None]}, "timestamp is not a finite number"),
        ({"arbitration_id": [2**29]}, "arbitration_id is not 0 to 2^29 - 1"),
        ({"arbitration_id": [2**11]}, "arbitration_id is not 0 to 2^29 - 1, or above 0x7ff"),
        ({"arbitration_id": [None]}, "arbitration_id is not 0 to 2^29 - 1"),
        ({"dlc": [9]}, "dlc is not"),
        ({"dlc": [1], "byte_0": [None]}, "data bytes are not"),
        ({"attack": [2], "episode": [1]}, "attack is neither 0 nor 1"),
        ({"attack": [1]}, "episode is not 0 in a benign frame"),
    ],
)
def test_a_malformed_row_is_set_aside_with_its_number(tmp_path, changes, reason):
    path = tmp_path / "x.parquet"
    absent = {f"byte_{n}": [-1] for n in range(8)}
    good = pd.DataFrame(one_frame(**absent))
    bad = pd.DataFrame(one_frame(**(absent | changes)))
    pd.concat([good, bad, good]).to_parquet(path)
    log = read_log(path)
    assert len(log.frames) == 2
    assert log.bad_rows["line"].tolist() == [2]
    assert log.bad_rows["reason"].iloc[0].startswith(reason)


def test_unusable_files_are_refused(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"timestamp": [1.0], "dlc": [0]}).to_parquet(path)
    with pytest.raises(DataError, match=r"x.parquet: no column arbitration_id, byte_0"):
        read_log(path)
    pq.write_table(
        pa.table({name: [0] for name in ("timestamp", "arbitration_id", "dlc", "payload")}), path
    )
    with pytest.raises(DataError, match=r"no column byte_0.*or in payload as fixed binary of 8"):
        read_log(path)
    pd.DataFrame(one_frame(dlc=["eight"])).to_parquet(path)
    with pytest.raises(DataError, match="column dlc has type"):
        read_log(path)
    pd.DataFrame(one_frame()).head(0).to_parquet(path)
    with pytest.raises(DataError, match="holds no frame"):
        read_log(path)
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match=r"is a damaged Parquet file: .*[^.]\.$"):
        read_log(path)


def test_every_column_of_a_table_that_was_read_can_be_written_to(tmp_path):
    path = tmp_path / "x.parquet"
    frames = frame_table(
        np.arange(2.0), np.arange(2), np.full(2, 8), np.arange(16).reshape(2, 8), np.arange(2)
    )
    write_canonical(capture_of(frames), path)
    frames = read_log(path).frames
    for column in frames:
        frames.loc[0, column] = frames.loc[1, column]
    assert frames.iloc[0].equals(frames.iloc[1])
