"""The hash of a capture's content, and captures that repeat another."""

import numpy as np
import pandas as pd
import pytest
from three_frames import three_frames

from kdgat.can.frames import ABSENT, BYTE_COLUMNS, FRAME_COLUMNS, frame_table, payload
from kdgat.can.repeats import NO_CONTENT, content_hash, episodes_hash, find_repeated
from kdgat.errors import DataError


def test_content_hash_sees_what_happened_and_nothing_else():
    frames = three_frames()
    hashes = {content_hash(frames)}
    for column in set(FRAME_COLUMNS) - set(NO_CONTENT):
        changed = frames.copy()
        changed.loc[1, column] = not changed.loc[1, column] if column.startswith("is_") else 7
        hashes.add(content_hash(changed))
    hashes.add(content_hash(frames.iloc[::-1]))
    assert len(hashes) == len(FRAME_COLUMNS) - len(NO_CONTENT) + 2
    moved = frames.set_index(pd.Index([5, 6, 7]))[list(reversed(FRAME_COLUMNS))]
    assert content_hash(moved) == content_hash(frames)
    renamed = three_frames(channel="can1", episode=np.array([0, 4, 0]))
    assert content_hash(renamed) == content_hash(frames)


def test_episodes_have_a_hash_of_their_own():
    frames = frame_table(
        timestamp=np.arange(4.0),
        arbitration_id=np.arange(4),
        dlc=np.zeros(4, np.uint8),
        payload=np.full((4, 8), ABSENT, np.int16),
        attack=np.array([0, 1, 1, 0]),
    )
    other = frames.assign(episode=[0, 1, 2, 0])
    assert content_hash(frames) == content_hash(other)
    assert episodes_hash(frames) != episodes_hash(other)


def test_absent_bytes_differ_from_zero_bytes():
    zeros = three_frames(
        dlc=np.array([3, 0, 8]),
        payload=np.array([[255, 0, 0] + [ABSENT] * 5, [ABSENT] * 8, range(8)], np.int16),
    )
    assert content_hash(zeros) != content_hash(three_frames())
    assert payload(zeros)[0, 2] == 0
    assert [column for column in BYTE_COLUMNS if zeros[column].iloc[0] == ABSENT] == list(
        BYTE_COLUMNS[3:]
    )


def test_the_first_of_repeated_training_captures_is_kept():
    hashes = {"train_01_a/x": "one", "train_01_a/y": "two", "train_02_b/z": "one"}
    assert find_repeated(hashes) == [("train_02_b/z", "train_01_a/x")]


def test_a_test_capture_that_was_trained_on_is_an_error():
    hashes = {"test_01_a/x": "one", "train_01_b/y": "one"}
    with pytest.raises(DataError, match=r"test_01_a/x .* train_01_b/y"):
        find_repeated(hashes)
    assert find_repeated(hashes, allowed=["test_01_a/x"]) == []
    with pytest.raises(DataError, match=r"No capture test_01_a/z to allow; captures: test_01_a/x"):
        find_repeated(hashes, allowed=["test_01_a/z"])


def test_test_scenarios_are_measured_apart():
    hashes = {"test_01_a/x": "one", "test_01_a/y": "one", "test_02_b/x": "one"}
    assert find_repeated(hashes) == [("test_01_a/y", "test_01_a/x")]
