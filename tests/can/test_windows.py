"""Window bounds, labels and the split in time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdgat.can.captures import find_captures, read_capture
from kdgat.can.repeats import content_hash, find_repeated
from kdgat.can.windows import (
    GAP,
    TRAIN,
    VALIDATION,
    attack_counts,
    episode_reach,
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
    repeated = find_repeated({name: content_hash(frames) for name, frames in captures.items()})
    kept = {name: captures[name] for name in captures.keys() - {name for name, _ in repeated}}
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


# --- episodes -----------------------------------------------------------------------------------


def test_episodes_reach_over_the_windows_that_hold_them():
    episode = np.array([0, 1, 0, 1, 0, 0, 0, 2, 0, 0])
    first, last = episode_reach(episode, np.array([0, 2, 4, 6, 8]), 2)
    assert first.tolist() == [0, 0, 2, 3, 4]
    assert last.tolist() == [1, 1, 2, 3, 4]


def test_overlapping_windows_share_the_episode_of_one_frame():
    first, last = episode_reach(np.array([0, 0, 0, 1, 0, 0]), np.arange(4), 3)
    assert first.tolist() == [0, 1, 1, 1]
    assert last.tolist() == [0, 3, 3, 3]


def split_episodes(lengths: list[tuple[int, int]], share: float = 0.2) -> tuple:
    """Split windows of one frame: pairs of (benign frames, frames of an episode)."""
    episode = np.concatenate(
        [[0] * benign + [k + 1] * attacks for k, (benign, attacks) in enumerate(lengths)] + [[0]]
    ).astype(int)
    starts = np.arange(len(episode))
    parts = split_windows(
        (episode > 0).astype(np.uint8),
        window=1,
        stride=1,
        validation_share=share,
        reach=episode_reach(episode, starts, 1),
    )
    return episode, parts


@given(
    lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6),
    share=st.floats(0.1, 0.5),
)
def test_an_episode_is_cut_only_where_no_position_leaves_attacks_on_both_sides(lengths, share):
    episode, parts = split_episodes([(5, 2), *lengths], share)
    both = set(episode[parts == TRAIN]) & set(episode[parts == VALIDATION]) - {0}
    if both:
        labels = (episode > 0).astype(np.uint8)
        block = int((parts == VALIDATION).sum())
        reach = episode_reach(episode, np.arange(len(episode)), 1)
        for first in range(len(episode) - block + 1):
            before = min(first - 1, reach[0][first])
            after = max(first + block, reach[1][first + block - 1]) + 1
            held = labels[first : first + block].sum()
            trained = labels[: max(0, before)].sum() + labels[after:].sum()
            assert not (held and trained)


def test_two_episodes_go_to_one_part_each():
    episode, parts = split_episodes([(8, 4), (8, 4)])
    trained, held = (set(episode[parts == part].tolist()) - {0} for part in (TRAIN, VALIDATION))
    assert len(trained) == len(held) == 1
    assert trained != held


def test_a_single_episode_is_cut_so_that_both_parts_know_the_attack():
    episode, parts = split_episodes([(8, 12)])
    assert 1 in episode[parts == TRAIN]
    assert 1 in episode[parts == VALIDATION]
