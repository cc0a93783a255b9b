"""Which IDs are under attack in which window, and when episodes begin and end, by hand."""

import numpy as np
import pandas as pd
import pytest

from kdgat.can.capture_tables import CaptureNote, CaptureTables
from kdgat.can.frames import frame_table
from kdgat.can.splits import Cut
from kdgat.can.truth import collect_truth, episodes_of, ids_under_attack
from kdgat.errors import DataError


def frames_of(ids: list[int], attack: list[int], episode: list[int]) -> pd.DataFrame:
    """One frame a millisecond, without data."""
    number = len(ids)
    return frame_table(
        timestamp=np.arange(number) / 1000,
        arbitration_id=np.array(ids, np.uint32),
        dlc=np.zeros(number, np.uint8),
        payload=np.full((number, 8), -1, np.int16),
        attack=np.array(attack, np.uint8),
        episode=np.array(episode, np.int32),
    )


FRAMES = frames_of(
    [7, 5, 5, 7, 7, 5, 9, 9, 7], [0, 1, 1, 1, 0, 0, 0, 1, 0], [0, 1, 1, 1, 0, 0, 0, 2, 0]
)
QUIET = FRAMES.assign(attack=np.uint8(0), episode=np.int32(0))


def test_windows_side_by_side():
    found = ids_under_attack(FRAMES, np.array([0, 4]), 4)
    assert found.to_numpy().tolist() == [[0, 5, 2], [0, 7, 1], [4, 9, 1]]


def test_a_frame_counts_in_every_window_that_holds_it():
    found = ids_under_attack(FRAMES, np.array([0, 2, 4]), 4)
    assert found.to_numpy().tolist() == [[0, 5, 2], [0, 7, 1], [2, 5, 1], [2, 7, 1], [4, 9, 1]]


def test_episodes_last_from_the_first_attack_frame_to_the_last():
    note = CaptureNote("hash", "kia", "spoofing")
    assert episodes_of(FRAMES, note) == [(0.001, 0.003, 3), (0.007, 0.007, 1)]
    assert episodes_of(QUIET, note) == []


def test_a_step_back_counts_as_no_time():
    time = FRAMES["timestamp"].to_numpy()
    stepped = FRAMES.assign(timestamp=np.where(time < 0.005, time, time - 0.005))
    note = CaptureNote("hash", "kia", "spoofing")
    assert episodes_of(stepped, note) == [(0.001, 0.003, 3), (0.006, pytest.approx(0.006), 1)]


def test_episodes_of_a_silent_id_are_those_declared():
    declared = CaptureNote("hash", "kia", "suppress", ((0.004, 0.006), (0.001, 0.002)))
    assert episodes_of(QUIET, declared) == [(0.001, 0.002, 0), (0.004, 0.006, 0)]
    ((start, end, frames),) = episodes_of(QUIET, CaptureNote("hash", "kia", "suppress"))
    assert np.isnan([start, end]).all()
    assert frames == 0


def test_test_captures_of_which_no_window_has_a_label_are_refused():
    tables = {"train_02/a": FRAMES, "test_05/b": QUIET, "test_05/c": QUIET}
    silent = {name: CaptureNote(name, "kia", "suppress") for name in tables}
    cut = Cut(4, 4, 0.2)
    with pytest.raises(DataError, match=r"No test window .* \(test_05/b, test_05/c\), and nothing"):
        collect_truth(CaptureTables({}, silent, tables), cut)
    told = silent | {"test_05/c": CaptureNote("c", "kia", "suppress", ((0.004, 0.006),))}
    assert len(collect_truth(CaptureTables({}, told, tables), cut).episodes) == 2


def test_test_captures_alone_are_told():
    tables = {"train_02/a": FRAMES, "test_01/b": FRAMES, "test_01/c": QUIET}
    notes = {name: CaptureNote(name, "kia", "spoofing") for name in tables}
    truth = collect_truth(CaptureTables({}, notes, tables), Cut(4, 4, 0.2))
    assert truth.episodes["capture"].tolist() == ["test_01/b", "test_01/b"]
    assert set(truth.attacked_ids["capture"]) == {"test_01/b"}
    assert len(truth.attacked_ids) == 3
    nothing = collect_truth(CaptureTables({}, {}, {}), Cut(4, 4, 0.2))
    assert nothing.attacked_ids.empty
    assert nothing.episodes.empty
