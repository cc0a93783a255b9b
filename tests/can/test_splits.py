"""No frame in two splits, both classes in both training parts, test apart."""

import numpy as np
import pytest
from memory_splits import build_splits

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.splits import Cut, capture_graphs, split_blocks, write_stores
from kdgat.errors import DataError


def drive(num_frames: int, attacked: slice = slice(0, 0), first_id: int = 1):
    attack = np.zeros(num_frames, dtype=np.uint8)
    attack[attacked] = 1
    return frame_table(
        timestamp=np.arange(num_frames) / 1000,
        arbitration_id=first_id + np.arange(num_frames) % 5,
        dlc=np.zeros(num_frames, dtype=np.uint8),
        payload=np.full((num_frames, 8), ABSENT, dtype=np.int16),
        attack=attack,
    )


def frames_of(store, capture: str) -> set[int]:
    place = store.captures.index(capture)
    starts = store.start[store.capture == place].tolist()
    return {frame for start in starts for frame in range(start, start + store.window)}


@pytest.mark.parametrize(("window", "stride"), [(10, 10), (10, 5), (10, 3)])
def test_train_and_validation_share_no_frame_and_keep_a_window_between(window, stride):
    captures = {"train_02/a": drive(2000, slice(500, 1500)), "test_01/b": drive(300)}
    splits = build_splits(captures, window=window, stride=stride, validation_share=0.2)
    train, validation = (frames_of(splits[s], "train_02/a") for s in ("train", "validation"))
    assert min(abs(v - t) for v in (min(validation), max(validation)) for t in train) > window
    for part in ("train", "validation"):
        assert 0 < int(splits[part].y.sum()) < len(splits[part])
    assert splits["test"].captures == ("test_01/b",)
    assert len(splits["test"]) == (300 - window) // stride + 1


def test_capture_graphs_know_where_they_come_from():
    store = capture_graphs("test_01/b", drive(25, slice(12, 13)), window=10, stride=10)
    assert store.start.tolist() == [0, 10]
    assert store.attack_frames.tolist() == [0, 1]
    assert store.y.tolist() == [0, 1]
    np.testing.assert_allclose(store.start_time.numpy(), [0.0, 0.010])
    np.testing.assert_allclose(store.end_time.numpy(), [0.009, 0.019])


def test_a_step_back_counts_as_no_time():
    frames = drive(20)
    time = frames["timestamp"].to_numpy()
    stepped = frames.assign(timestamp=np.where(time < 0.0095, time, time - 0.005))
    store = capture_graphs("test_01/b", stepped, window=10, stride=10)
    np.testing.assert_allclose(store.start_time.numpy(), [0.0, 0.009])
    np.testing.assert_allclose(store.end_time.numpy(), [0.009, 0.018])


def test_a_capture_shorter_than_a_window_is_refused():
    with pytest.raises(DataError, match=r"train_02/a has 9 frames: a window needs 10"):
        capture_graphs("train_02/a", drive(9), window=10, stride=10)


def test_training_without_attacks_is_refused(tmp_path):
    captures = {"train_01/a": drive(1000), "test_01/b": drive(100)}
    paths = {split: tmp_path / split for split in ("train", "validation", "test")}
    with pytest.raises(DataError, match="0 of them attacks, from train_01/a"):
        write_stores(split_blocks(captures, Cut(10, 10, 0.2)), paths)
    assert list(tmp_path.iterdir()) == []
