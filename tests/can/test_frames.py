"""The frame table: checks, payload and episodes."""

import numpy as np
import pandas as pd
import pytest
from three_frames import three_frames

from kdgat.can.frames import (
    ABSENT,
    FD_FRAME_COLUMNS,
    FRAME_COLUMNS,
    frame_table,
    long_payload,
    number_episodes,
    payload,
    unlabelled_frames,
)
from kdgat.errors import DataError


def test_columns_and_types_are_the_declared_ones():
    frames = three_frames()
    assert {name: str(dtype) for name, dtype in frames.dtypes.items()} == FRAME_COLUMNS
    assert list(frames.columns) == list(FRAME_COLUMNS)
    assert frames["byte_0"].tolist() == [255, ABSENT, 0]


def test_payload_returns_the_bytes_in_order():
    frames = three_frames()
    assert payload(frames).dtype == np.int16
    assert payload(frames).flags["C_CONTIGUOUS"]
    assert payload(frames)[2].tolist() == list(range(8))
    assert payload(frames)[0].tolist() == [255, 0] + [ABSENT] * 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timestamp": np.array([0.0, np.nan, 1.0])}, "timestamp of frame 1 is nan"),
        ({"arbitration_id": np.array([0, 0, 2**29])}, "arbitration_id of frame 2 is 536870912"),
        ({"dlc": np.array([9, 0, 8])}, "dlc of frame 0 is 9; allowed: 0 to 8"),
        ({"dlc": np.array([2, -1, 8])}, "dlc of frame 1 is -1; allowed: 0 to 8"),
        ({"is_extended": np.zeros(3, bool)}, "arbitration_id of frame 1 is 536870911; allowed: b"),
        ({"is_remote": np.ones(3, bool)}, "payload of frame 0"),
        ({"episode": np.array([0, 0, 0])}, "episode of frame 1 is 0; allowed: 0 in benign"),
        ({"episode": np.array([1, 1, 0])}, "episode of frame 0 is 1; allowed: 0 in benign"),
        ({"episode": np.array([0, 1])}, r"episode has shape \(2,\), \(3,\) is needed"),
        ({"dlc": np.array([3, 0, 8])}, "payload of frame 0"),
        ({"dlc": np.array([1, 0, 8])}, "payload of frame 0"),
        ({"payload": np.full((3, 8), 256, np.int16)}, "payload of frame 0"),
        ({"attack": np.array([0, 2, 0])}, "attack of frame 1 is 2; allowed: 0 or 1"),
        ({"attack": np.array([0, 1])}, r"attack has shape \(2,\), \(3,\) is needed"),
        ({"payload": np.zeros((3, 7), np.int16)}, "payload has shape"),
    ],
)
def test_values_out_of_range_are_refused(changes, said):
    with pytest.raises(DataError, match=said):
        three_frames(**changes)


def test_frames_of_somebody_elses_making_are_completed():
    frames = three_frames()
    needed = frames.drop(columns=["channel", "is_extended", "is_remote", "attack", "episode"])
    wide = needed.astype({name: "int64" for name in needed if name != "timestamp"})
    pd.testing.assert_frame_equal(
        unlabelled_frames(wide.set_axis([7, 8, 9])),
        frames.assign(attack=0, episode=0).astype(FRAME_COLUMNS),
    )


def test_what_is_given_is_kept_but_labels():
    given = three_frames().assign(channel=["a", "b", "a"], attack=7, episode="no", note=1.5)
    frames = unlabelled_frames(given)
    assert frames["channel"].tolist() == ["a", "b", "a"]
    assert frames["is_extended"].tolist() == given["is_extended"].tolist()
    assert list(frames) == list(FRAME_COLUMNS)
    assert frames[["attack", "episode"]].to_numpy().max() == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timestamp": [0.0, np.nan, 1.0]}, "timestamp of frame 1 is nan"),
        ({"timestamp": pd.to_datetime([0, 1, 2])}, r"timestamp is of type datetime64.*: numbers"),
        ({"arbitration_id": ["0x1", "0x2", "0x3"]}, "arbitration_id is of type .*: integers"),
        ({"arbitration_id": -1}, "arbitration_id of frame 0 is -1"),
        ({"is_remote": 0}, "is_remote is of type int64; allowed: booleans"),
        ({"byte_1": [0.5, 0.0, 1.0]}, "payload is of type float64; allowed: integers"),
        ({"byte_0": 2**16}, "payload of frame 0 is .65536, .*allowed: 0 to 255"),
        ({"byte_0": pd.array([1, None, 3], "Int64")}, "payload is of type object"),
        ({"dlc": 9}, "dlc of frame 0 is 9; allowed: 0 to 8"),
    ],
)
def test_frames_that_are_none_are_refused(changes, said):
    with pytest.raises(DataError, match=said):
        unlabelled_frames(three_frames().assign(**changes))


@pytest.mark.parametrize("name", ["timestamp", "arbitration_id", "dlc", "byte_7"])
def test_a_column_that_is_needed_is_named(name):
    with pytest.raises(DataError, match=f"the frame table has no column {name}, which is needed"):
        unlabelled_frames(three_frames().drop(columns=name))


def test_a_table_keeps_its_values_when_the_arrays_that_it_was_made_of_change():
    timestamp, attack = np.array([0.5, 0.25, 1.0]), np.array([0, 1, 0], np.uint8)
    frames = three_frames(timestamp=timestamp, attack=attack)
    timestamp[0], attack[0] = 9.0, 1
    assert frames["timestamp"].tolist() == [0.5, 0.25, 1.0]
    assert frames["attack"].tolist() == [0, 1, 0]


def test_no_frames_are_a_valid_table():
    empty = frame_table(
        np.zeros(0), np.zeros(0, int), np.zeros(0, int), np.zeros((0, 8), np.int16), np.zeros(0)
    )
    assert len(empty) == 0
    assert payload(empty).shape == (0, 8)


def test_what_is_not_given_follows_from_the_rest():
    frames = three_frames()
    assert frames["channel"].tolist() == [""] * 3
    assert frames["is_extended"].tolist() == [False, True, False]
    assert frames["is_remote"].tolist() == [False] * 3
    assert frames["episode"].tolist() == [0, 1, 0]


def test_a_remote_frame_has_a_length_and_no_bytes():
    data = np.array([[ABSENT] * 8, [ABSENT] * 8, range(8)], np.int16)
    remote = np.array([True, False, False])
    frames = three_frames(payload=data, is_remote=remote)
    assert frames["dlc"].tolist() == [2, 0, 8]


def test_frames_of_can_fd_have_64_byte_columns():
    data = np.full((3, 64), ABSENT, np.int16)
    data[0, :12] = range(12)
    frames = three_frames(payload=data, dlc=np.array([12, 0, 0]))
    assert {name: str(dtype) for name, dtype in frames.dtypes.items()} == FD_FRAME_COLUMNS
    assert payload(frames)[0].tolist() == list(range(8))
    assert long_payload(frames)[0, :13].tolist() == [*range(12), ABSENT]
    with pytest.raises(DataError, match="dlc of frame 0 is 65; allowed: 0 to 64"):
        three_frames(payload=data, dlc=np.array([65, 0, 0]))


def test_short_frames_need_8_byte_columns_however_wide_the_array():
    data = np.full((3, 64), ABSENT, np.int16)
    frames = three_frames(payload=data, dlc=np.zeros(3, int))
    assert list(frames.columns) == list(FRAME_COLUMNS)
    assert long_payload(frames).shape == (3, 8)


def test_episodes_are_counted_by_the_time_of_the_bus():
    """The clock steps back at the seventh frame and ahead by an hour at the eleventh: no time."""
    timestamp = np.array([0.0, 1.0, 1.5, 2.0, 4.1, 4.2, 1.0, 1.1, 2.2, 3.3, 3603.3])
    attack = np.array([1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1])
    assert number_episodes(timestamp, attack).tolist() == [1, 0, 1, 0, 2, 2, 2, 0, 0, 3, 3]
    assert number_episodes(timestamp, np.zeros(8)).tolist() == [0] * 8
