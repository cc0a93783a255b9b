"""The guard of the prefix, and what it does to a capture."""

import numpy as np
import pandas as pd
import pytest

from kdgat.can.calibration_prefix import (
    calibrated_blocks,
    inspect_prefix,
    inspect_prefixes,
    prefix_figures,
    prefix_table,
    surplus_frames,
)
from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graphs import NODE_FEATURES
from kdgat.can.injections import inject
from kdgat.can.profile import PER_ID, Profile
from kdgat.can.recording import Recording
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.splits import Cut
from kdgat.can.vehicles import VEHICLES
from kdgat.parameters import Guard

GUARD = Guard(
    top_ratio=4.0,
    rare_ids=0.3,
    rate_ratio=1.25,
    early_share=0.01,
    steady_early_share=0.002,
    silence=20.0,
)
CUT = Cut(window=100, stride=100, validation_share=0.2)
WINDOWS = {"window": 100, "stride": 100}


@pytest.fixture(scope="module")
def benign():
    return simulate_vehicle(
        VEHICLES["dogwood"],
        generator=np.random.default_rng(7),
        duration=10.0,
        bitrate=500_000,
        start=0.0,
    )


def test_figures_by_hand():
    clock = np.arange(100) / 10 + 0.05
    ids = np.where(np.arange(100) % 2, 5, 6)
    figures = prefix_figures(clock, ids, 10.0)
    assert figures["top_ratio"] == 50
    assert figures["rare_ids"] == 0.0
    assert figures["rate_ratio"] == 1.0
    assert figures["early_share"] == 0.0
    assert figures["silence"] == pytest.approx(1.0)

    ids[60:] = 5  # ID 6 falls silent, ID 5 sends twice as often
    figures = prefix_figures(clock, ids, 10.0)
    assert figures["top_ratio"] == 70
    assert figures["silence"] == pytest.approx(4.1 / 0.2, rel=0.03)


def test_the_busiest_id_is_measured_by_the_third_so_that_a_flood_may_have_two():
    ids = np.repeat([1, 2, 3, 4], [40, 40, 8, 7])
    assert prefix_figures(np.arange(95) / 95, ids, 1.0)["top_ratio"] == 5.0


def test_early_frames_count_apart_where_their_id_is_steady():
    steady = np.sort(np.append(np.arange(0, 10, 0.1), [3.03, 7.04]))  # two frames come early
    unsteady = np.cumsum([0.0, *np.tile([0.02, 0.1, 0.3], 20)])  # a median of .1, a third early
    clock = np.concatenate([steady, unsteady])
    ids = np.repeat([5, 6], [steady.size, unsteady.size])[np.argsort(clock, kind="stable")]
    figures = prefix_figures(np.sort(clock), ids, 10.5)
    assert figures["steady_early_share"] == 2 / clock.size
    assert figures["early_share"] == 22 / clock.size


def test_surplus_frames_by_hand():
    """Of 0, .1, .2, ... one is added at .33 and one at .48, and the frame of .8 is sent at .74."""
    clock = np.array([0, 0.1, 0.2, 0.3, 0.33, 0.4, 0.48, 0.5, 0.6, 0.7, 0.74, 0.9, 1, 1.1, 1.2])
    assert surplus_frames(clock, np.full(15, 7)).tolist() == [4, 6]
    assert surplus_frames(clock[:8], np.full(8, 7)).tolist() == []  # too few to know its rhythm


def test_an_added_frame_at_either_end_is_told_from_its_neighbour_where_it_can_be():
    even = np.arange(0, 2, 0.1)
    assert surplus_frames(np.insert(even, 1, 0.03), np.full(21, 7)).tolist() == [1]
    assert surplus_frames(np.append(even, 1.93), np.full(21, 7)).tolist() == []  # no frame after


def test_a_run_of_frames_within_one_gap_is_surplus():
    even = np.arange(0, 2, 0.1)
    for added in ([0.53, 0.56], [0.535, 0.565], [0.52, 0.55, 0.58]):
        clock = np.sort(np.append(even, added))
        found = surplus_frames(clock, np.full(len(clock), 7))
        assert clock[found].tolist() == added


def test_an_id_without_a_steady_rhythm_has_no_surplus_frame():
    clock = np.cumsum([0.0, *np.tile([0.02, 0.1, 0.3], 20)])
    assert not len(surplus_frames(clock, np.full(len(clock), 7)))


def test_a_benign_prefix_has_no_surplus_frame(benign):
    assert not len(inspect_prefix(benign, 5.0, GUARD, **WINDOWS).surplus)


def three_spoofed(benign):
    """Three forged frames of a steady ID, far apart, in the first 5 s; their number and places."""
    times = benign["timestamp"] - benign["timestamp"].iloc[0]
    steady = benign["arbitration_id"].value_counts().index[0]
    own = benign[(benign["arbitration_id"] == steady) & times.between(0.5, 4.5)]
    forged = own.iloc[[5, len(own) // 2, -5]].copy()
    forged["timestamp"] += 0.3 * own["timestamp"].diff().median()
    forged["byte_0"], forged["attack"] = 255 - forged["byte_0"], 1
    frames = pd.concat([benign, forged]).sort_values("timestamp", ignore_index=True)
    return frames, steady, np.flatnonzero(frames["attack"])


def test_a_profile_does_not_learn_three_forged_frames(benign, caplog):
    frames, steady, places = three_spoofed(benign)
    prefixes = inspect_prefixes({"test_01/a": frames.copy()}, 5.0, GUARD, CUT)
    prefix = prefixes["test_01/a"]
    assert prefix.complaint == ""
    assert prefix.surplus.tolist() == places.tolist()
    assert f"but for 3 frames of {steady:#x}, which come in between" in caplog.text
    table = prefix_table(prefixes).iloc[0]
    assert (table["surplus_frames"], table["attack_frames"]) == (3, 3)
    learned = prefix.profile(Recording.of(frames))
    clean = Profile.empty().update(benign.iloc[: prefix.num_frames - 3])
    for name in PER_ID:
        np.testing.assert_array_equal(getattr(learned, name), getattr(clean, name))


def test_labels_do_not_choose_surplus_frames(benign):
    frames, _, places = three_spoofed(benign)
    prefix = inspect_prefix(frames.assign(attack=0), 5.0, GUARD, **WINDOWS)
    assert prefix.surplus.tolist() == places.tolist()
    assert prefix.attack_frames == 0


def test_a_benign_prefix_passes(benign):
    prefix = inspect_prefix(benign, 5.0, GUARD, **WINDOWS)
    assert prefix.complaint == ""
    assert prefix.num_frames == (benign["timestamp"] - benign["timestamp"].iloc[0] < 5).sum()


@pytest.mark.parametrize(
    ("attack", "sign"),
    [
        ("dos", "rate_ratio"),
        ("fuzzing", "rare_ids"),
        ("spoofing_sparse", "steady_early_share"),
        ("replay", "early_share"),
        ("suppress", "silence"),
    ],
)
def test_an_attack_in_the_prefix_is_noticed_without_labels(benign, attack, sign):
    generator = np.random.default_rng(0)
    frames = inject(benign, attack, generator, bitrate=500_000, episodes=[(3.0, 8.0)]).frames
    prefix = inspect_prefix(frames.assign(attack=0), 5.0, GUARD, **WINDOWS)
    assert f"{sign} is " in prefix.complaint


def test_a_prefix_not_taken_for_benign_leaves_no_profile(benign, caplog):
    generator = np.random.default_rng(0)
    attacked = inject(benign, "fuzzing", generator, bitrate=500_000, episodes=[(1.0, 4.0)]).frames
    captures = {"test_01/good": benign, "test_01/bad": attacked, "train_01/a": benign}
    prefixes = inspect_prefixes(captures, 5.0, GUARD, CUT)
    assert "test_01/bad: its first 5 s are not taken for benign (rare_ids is" in caplog.text
    informed = {}
    for split, block in calibrated_blocks(captures, CUT, prefixes, with_profile=True):
        assert split == "calibrated_test"
        assert (block.start >= prefixes[block.captures[0]].num_frames).all()
        informed[block.captures[0]] = block.x[:, NODE_FEATURES.index("has_profile")].mean().item()
    assert informed == {"test_01/good": 1.0, "test_01/bad": 0.0}
    for _, block in calibrated_blocks(captures, CUT, prefixes, with_profile=False):
        assert block.x[:, NODE_FEATURES.index("has_profile")].max() == 0
    table = prefix_table(prefixes).set_index("capture")
    assert table.loc["test_01/good", "complaint"] == ""
    assert table.loc["test_01/bad", "rare_ids"] > 0.3


def even_traffic(num_frames: int):
    """Five IDs in turn, a frame a millisecond."""
    return frame_table(
        timestamp=np.arange(num_frames) / 1000,
        arbitration_id=np.arange(num_frames) % 5,
        dlc=np.zeros(num_frames, np.uint8),
        payload=np.full((num_frames, 8), ABSENT, np.int16),
        attack=np.zeros(num_frames, np.uint8),
    )


@pytest.mark.parametrize(
    ("num_frames", "complaint", "starts", "informed"),
    [
        (300, "the capture lasts 0.3 s", [0, 100, 200], 0.0),
        (1000, "the capture lasts 1.0 s", list(range(0, 1000, 100)), 0.0),
        (1099, "no whole window comes after them", list(range(0, 1000, 100)), 0.0),
        (1100, "", [1000], 1.0),
        (1300, "", [1000, 1100, 1200], 1.0),
    ],
)
def test_a_capture_without_a_window_after_its_prefix_keeps_all_windows_and_has_no_profile(
    num_frames, complaint, starts, informed
):
    captures = {"test_01/a": even_traffic(num_frames)}
    prefixes = inspect_prefixes(captures, 1.0, GUARD, CUT)  # which last 1 s: 1000 frames
    assert prefixes["test_01/a"].complaint == complaint
    ((_, block),) = calibrated_blocks(captures, CUT, prefixes, with_profile=True)
    assert block.start.tolist() == starts
    assert block.x[:, NODE_FEATURES.index("has_profile")].mean() == informed
