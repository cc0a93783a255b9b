"""Which profile a window is measured against: never one that has seen it."""

import logging

import numpy as np
import pytest

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graphs import NODE_FEATURES
from kdgat.can.profile import Profile, fit_profile
from kdgat.can.profile_sources import Profiles, learn_profiles
from kdgat.can.splits import Cut, split_blocks
from kdgat.can.windows import window_starts
from kdgat.errors import DataError
from kdgat.parameters import ProfileSource

WINDOW = 10
VEHICLE = ProfileSource(source="vehicle", seconds=5.0)
PREFIX = ProfileSource(source="prefix", seconds=0.5)
CUT = Cut(window=WINDOW, stride=WINDOW, validation_share=0.2)


def drive(num_frames: int, attacked: slice = slice(0, 0), first_id: int = 0):
    """Frames a ms apart; a frame's first two bytes are its number, so that bytes tell the time."""
    attack = np.zeros(num_frames, np.uint8)
    attack[attacked] = 1
    payload = np.full((num_frames, 8), ABSENT, np.int16)
    payload[:, 0], payload[:, 1] = np.arange(num_frames) // 256, np.arange(num_frames) % 256
    return frame_table(
        timestamp=100 + np.arange(num_frames) / 1000,
        arbitration_id=first_id + np.arange(num_frames) % 5,
        dlc=np.full(num_frames, 2),
        payload=payload,
        attack=attack,
    )


def pairs(profiles: Profiles, name: str, frames):
    starts = window_starts(len(frames), WINDOW, 3)
    return list(profiles.of_windows(name, frames, starts, WINDOW))


def test_no_source_gives_no_profile():
    ((starts, profile),) = pairs(Profiles(), "train_01/a", drive(100))
    assert profile is None
    assert len(starts) == len(window_starts(100, WINDOW, 3))


def test_the_halves_of_a_capture_are_measured_against_each_other():
    captures = {"train_01/a": drive(1000)}
    vehicles = {"train_01/a": "kia"}
    profiles = learn_profiles(captures.items(), vehicles, VEHICLE, WINDOW)
    early, late = pairs(profiles, "train_01/a", captures["train_01/a"])
    assert len(early[0]) + len(late[0]) == len(window_starts(1000, WINDOW, 3))
    for starts, profile in (early, late):
        seen = (starts[:, None] + np.arange(WINDOW)).ravel()
        # Byte 0 is the frame's number / 256; counts say how many frames were learned.
        learned = range(500, 1000) if starts[0] == 0 else range(500 - WINDOW)
        assert profile.count.sum() == len(learned)
        assert not set(seen.tolist()) & set(learned)
        assert profile.byte_max[:, 0].max() == learned[-1] // 256


def test_other_captures_of_the_vehicle_are_learned_whole():
    captures = {
        "train_01/a": drive(400),
        "train_01/b": drive(600),
        "train_01/other": drive(300, first_id=50),
        "train_02/attack": drive(200, slice(5, 9)),
        "test_01/c": drive(200),
    }
    vehicles = dict.fromkeys(captures, "kia") | {"train_01/other": "unknown"}
    profiles = learn_profiles(captures.items(), vehicles, VEHICLE, WINDOW)
    everything = 400 + 600 - 2 * WINDOW
    for name in ("train_02/attack", "test_01/c"):
        for _, profile in pairs(profiles, name, captures[name]):
            assert profile.count.sum() == everything
    (early, late) = pairs(profiles, "train_01/a", captures["train_01/a"])
    assert early[1].count.sum() == everything - (200 - WINDOW)
    assert late[1].count.sum() == everything - 200
    ((_, profile),) = pairs(profiles, "train_01/other", captures["train_01/other"])
    assert profile is None


def test_the_prefix_is_learned_and_left_out():
    frames = drive(1000)
    ((starts, profile),) = pairs(Profiles(PREFIX), "test_01/a", frames)
    assert starts.min() == 501  # the first start, in steps of 3, from 500 on
    assert profile.count.sum() == 500
    np.testing.assert_array_equal(
        profile.byte_max, Profile.empty().update(frames.iloc[:500]).byte_max
    )


def test_a_capture_shorter_than_the_prefix_is_refused():
    with pytest.raises(DataError, match=r"test_01/a lasts 0.3 s: no window is left after .* 0.5 s"):
        pairs(Profiles(PREFIX), "test_01/a", drive(300))


def test_an_attack_in_the_prefix_is_told(caplog):
    caplog.set_level(logging.WARNING, "kdgat")
    pairs(Profiles(PREFIX), "test_01/a", drive(1000, slice(100, 107)))
    assert "test_01/a: 7 attack frames in the first 0.5 s" in caplog.text


@pytest.mark.parametrize("source", [VEHICLE, PREFIX])
def test_stores_hold_features_against_the_profile(source):
    captures = {
        "train_01/a": drive(3000),
        "train_02/b": drive(3000, slice(1200, 2400)),
        "test_01/c": drive(1500, slice(700, 800), first_id=2),
    }
    vehicles = dict.fromkeys(captures, "kia")
    profiles = learn_profiles(captures.items(), vehicles, source, WINDOW)
    windows = {split: 0 for split in ("train", "validation", "test")}
    for split, block in split_blocks(captures, CUT, profiles):
        windows[split] += len(block)
        assert (block.x[:, NODE_FEATURES.index("has_profile")] == 1).all()
        if len(block):
            starts = block.start.tolist()
            assert starts == sorted(starts)
            assert source is VEHICLE or starts[0] >= 500
    assert windows["test"] == (150 if source is VEHICLE else 100)
    assert min(windows.values()) > 0


def test_a_profile_is_that_of_all_recordings():
    captures = {"train_01/a": drive(400)}
    profiles = learn_profiles(captures.items(), {"train_01/a": "kia"}, VEHICLE, WINDOW)
    halves = profiles.pieces["kia"]
    assert len(halves) == 2
    whole = fit_profile([captures["train_01/a"]])
    merged = halves["train_01/a", 0].merge(halves["train_01/a", 1])
    np.testing.assert_allclose(merged.gap_mean, whole.gap_mean, rtol=1e-9)
