"""The frame table: checks, payload and episodes."""

import numpy as np
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
