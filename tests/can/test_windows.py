"""Window bounds, labels and the split in time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdgat.can.captures import find_captures, read_capture
from kdgat.can.frames import drop_repeated
from kdgat.can.windows import (
    GAP,
    TRAIN,
    VALIDATION,
    attack_counts,
    gap_windows,
    split_windows,
    window_labels,
    window_starts,
)
from kdgat.errors import DataError


@pytest.mark.parametrize(
    ("num_frames", "window", "stride", "starts"),
    [
        (10, 4, 3, [0, 3, 6]),
        (9, 4, 3, [0, 3]),
        (4, 4, 3, [0]),
        (3, 4, 3, []),
        (0, 4, 3, []),
        (8, 2, 3, [0, 3, 6]),
        (5, 4, 1, [0, 1]),
    ],
)
def test_windows_are_whole(num_frames, window, stride, starts):
    found = window_starts(num_frames, window, stride)
    assert found.dtype == np.int64
    assert found.tolist() == starts


def test_one_attack_frame_labels_its_window():
    attack = np.array([0, 0, 0, 1, 0, 0, 1, 1, 0, 0], np.uint8)
    starts = window_starts(len(attack), window=3, stride=2)
    assert attack_counts(attack, starts, window=3).tolist() == [0, 1, 1, 2]
    labels = window_labels(attack, starts, window=3)
    assert labels.dtype == np.uint8
    assert labels.tolist() == [0, 1, 1, 1]
    assert attack_counts(attack, np.zeros(0, np.int64), window=3).tolist() == []


@pytest.mark.parametrize(
    ("window", "stride", "gap"), [(100, 100, 1), (100, 50, 3), (100, 1, 199), (100, 300, 1)]
)
def test_a_gap_holds_a_whole_window(window, stride, gap):
    assert gap_windows(window, stride) == gap


def parts_of(labels: str, share: float = 0.25) -> str:
    parts = split_windows(
        np.array(list(labels), np.uint8), window=100, stride=100, validation_share=share
    )
    assert parts.dtype == np.int8
    return "".join({TRAIN: "t", VALIDATION: "v", GAP: "-"}[part] for part in parts.tolist())


@pytest.mark.parametrize(
    ("labels", "parts"),
    [
        ("00000000", "ttttt-vv"),
        ("11111111", "ttttt-vv"),
        ("11110000", "tt-vv-tt"),
        ("01000010", "ttttt-vv"),
        ("00100100", "tttt-vv-"),
        ("00010000", "ttttt-vv"),
        ("00000001", "ttt-vv-t"),
    ],
)
def test_the_block_lies_where_both_parts_are_most_alike(labels, parts):
    assert parts_of(labels) == parts


def test_a_lone_attack_window_stays_in_training():
    parts = parts_of("0000010000", share=0.3)
    assert parts[5] == "t"


@given(
    labels=st.lists(st.integers(0, 1), min_size=30, max_size=80),
    window=st.integers(2, 12),
    stride=st.integers(2, 24),
    share=st.floats(0.05, 0.5),
)
def test_parts_never_share_a_frame(labels, window, stride, share):
    labels = np.array(labels, np.uint8)
    if len(labels) < round(share * len(labels)) + gap_windows(window, stride) + 1:
        return
    parts = split_windows(labels, window=window, stride=stride, validation_share=share)
    held, trained = np.flatnonzero(parts == VALIDATION), np.flatnonzero(parts == TRAIN)
    assert len(held) == max(1, round(share * len(labels)))
    assert (np.diff(held) == 1).all()
    assert len(trained) > 0
    for other in trained:
        earlier, later = sorted([other, held[np.argmin(np.abs(held - other))]])
        assert later * stride - (earlier * stride + window) >= window
    assert np.array_equal(
        parts, split_windows(labels, window=window, stride=stride, validation_share=share)
    )


@given(labels=st.lists(st.integers(0, 1), min_size=8, max_size=40))
def test_both_parts_hold_attacks_wherever_a_position_allows(labels):
    labels = np.array(labels, np.uint8)
    parts = split_windows(labels, window=100, stride=100, validation_share=0.25)
    block = round(0.25 * len(labels))

    def attacks_in_both(first: int) -> bool:
        outside = np.concatenate([labels[: max(0, first - 1)], labels[first + block + 1 :]])
        return bool(labels[first : first + block].any() and outside.any())

    possible = any(attacks_in_both(first) for first in range(len(labels) - block + 1))
    found = labels[parts == VALIDATION].any() and labels[parts == TRAIN].any()
    assert found == possible


def test_a_capture_too_short_to_split_is_an_error():
    with pytest.raises(DataError, match=r"train_01_a/x has 2 whole windows .* at least 3"):
        split_windows(
            np.zeros(2, np.uint8),
            window=100,
            stride=100,
            validation_share=0.2,
            capture="train_01_a/x",
        )


def test_the_published_numbers_of_windows(real_captures):
    captures = {
        name: read_capture(path, bad_row_share=0.0)[0]
        for name, path in find_captures(real_captures / "hcrl_sa").items()
        if name.startswith("train_")
    }
    assert len(captures) == 6
    assert count_windows(captures) == 9_367
    kept, _ = drop_repeated(captures)
    assert count_windows(kept) == 6_271
    for frames in kept.values():
        attack = frames["attack"].to_numpy()
        labels = window_labels(attack, window_starts(len(frames), 100, 100), 100)
        parts = split_windows(labels, window=100, stride=100, validation_share=0.2)
        for part in (TRAIN, VALIDATION):
            assert labels[parts == part].any() == labels.any()
            assert not labels[parts == part].all()


def count_windows(captures) -> int:
    return sum(len(window_starts(len(frames), 100, 100)) for frames in captures.values())
