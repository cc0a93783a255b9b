"""Which IDs are under attack in which window, by hand."""

import numpy as np
import pandas as pd

from kdgat.can.frames import frame_table
from kdgat.can.splits import Cut
from kdgat.can.truth import attacked_ids, ids_under_attack


def frames_of(ids: list[int], attack: list[int]) -> pd.DataFrame:
    """One frame a millisecond, without data."""
    number = len(ids)
    return frame_table(
        timestamp=np.arange(number) / 1000,
        arbitration_id=np.array(ids, np.uint32),
        dlc=np.zeros(number, np.uint8),
        payload=np.full((number, 8), -1, np.int16),
        attack=np.array(attack, np.uint8),
    )


FRAMES = frames_of([7, 5, 5, 7, 7, 5, 9, 9, 7], [0, 1, 1, 1, 0, 0, 0, 1, 0])


def test_windows_side_by_side():
    found = ids_under_attack(FRAMES, np.array([0, 4]), 4)
    assert found.to_numpy().tolist() == [[0, 5, 2], [0, 7, 1], [4, 9, 1]]


def test_a_frame_counts_in_every_window_that_holds_it():
    found = ids_under_attack(FRAMES, np.array([0, 2, 4]), 4)
    assert found.to_numpy().tolist() == [[0, 5, 2], [0, 7, 1], [2, 5, 1], [2, 7, 1], [4, 9, 1]]


def test_test_captures_alone_are_told():
    captures = {"train_02/a": FRAMES, "test_01/b": FRAMES, "test_01/c": FRAMES.assign(attack=0)}
    found = attacked_ids(captures, Cut(4, 4, 0.2))
    assert found.columns.tolist() == ["capture", "start", "arbitration_id", "attack_frames"]
    assert set(found["capture"]) == {"test_01/b"}
    assert len(found) == 3
    assert attacked_ids({}, Cut(4, 4, 0.2)).empty
