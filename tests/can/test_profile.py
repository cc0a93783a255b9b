"""Profiles: six frames by hand, frame by frame against all at once, merging, files."""

import math
import statistics
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can.clock import PAUSE
from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.profile import Profile, fit_profile
from kdgat.errors import DataError


def table(timestamp, arbitration_id, payloads, attack=0):
    values = np.full((len(timestamp), 8), ABSENT, np.int16)
    for frame, data in enumerate(payloads):
        values[frame, : len(data)] = list(data)
    return frame_table(
        timestamp=np.array(timestamp, float),
        arbitration_id=np.array(arbitration_id),
        dlc=np.array([len(data) for data in payloads]),
        payload=values,
        attack=np.full(len(timestamp), attack),
    )


def assert_same_profile(one: Profile, other: Profile) -> None:
    for field in fields(Profile):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(mine, theirs, err_msg=field.name)
        assert np.asarray(mine).dtype == np.asarray(theirs).dtype, field.name


@st.composite
def recordings(draw, most=40):
    num_frames = draw(st.integers(1, most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps = generator.integers(draw(st.sampled_from([-200, 0])), 400, num_frames)
    steps[generator.integers(num_frames)] += draw(st.sampled_from([0, 10**8, -(10**8)]))
    return table(
        timestamp=1.5e9 + np.cumsum(steps) * 1e-5,
        arbitration_id=generator.integers(0, 6, num_frames) * 2**26,
        payloads=[
            generator.integers(0, 3, generator.integers(0, 9)).astype(np.uint8).tobytes()
            for _ in range(num_frames)
        ],
    )


def test_six_frames_by_hand():
    profile = Profile.empty().update(
        table(
            timestamp=[1.000, 1.004, 1.010, 1.012, 1.034, 1.020],
            arbitration_id=[0x10, 0x20, 0x10, 0x30, 0x10, 0x20],
            payloads=[b"\x00\x05", b"\x07", b"\x02\x05", b"", b"\x01", b"\x07"],
        )
    )
    # The last timestamp steps back: no time has passed, the clock stands at 34 ms.
    assert profile.arbitration_id.tolist() == [0x10, 0x20, 0x30]
    assert profile.count.tolist() == [3, 2, 1]
    np.testing.assert_allclose(profile.share, [3 / 6, 2 / 6, 1 / 6])
    assert profile.gap_count.tolist() == [2, 1, 0]
    np.testing.assert_allclose(profile.gap_mean, [0.017, 0.030, 0], atol=1e-9)
    np.testing.assert_allclose(profile.gap_std, [0.007, 0, 0], atol=1e-9)
    np.testing.assert_allclose(profile.gap_min, [0.010, 0.030, np.inf], atol=1e-9)
    np.testing.assert_allclose(profile.gap_max, [0.024, 0.030, 0], atol=1e-9)
    # 0x30 came after 12 ms and has now been silent for 22 ms.
    np.testing.assert_allclose(profile.longest_silence, [0.024, 0.030, 0.022], atol=1e-9)
    assert profile.dlc_min.tolist() == [1, 1, 0]
    assert profile.dlc_max.tolist() == [2, 1, 0]
    assert profile.byte_min[:, :2].tolist() == [[0, 5], [7, 256], [256, 256]]
    assert profile.byte_max[:, :2].tolist() == [[2, 5], [7, ABSENT], [ABSENT, ABSENT]]
    assert profile.byte_last[:, :2].tolist() == [[1, ABSENT], [7, ABSENT], [ABSENT, ABSENT]]
    # Byte 0 of 0x10 went 0, 2, 1; byte 1 was there, there, absent.
    np.testing.assert_allclose(profile.change_rate[:, :2], [[1, 1 / 2], [0, 0], [0, 0]])


@settings(max_examples=60, deadline=None)
@given(frames=recordings(), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_piece_by_piece_gives_the_same_numbers_as_all_at_once(frames, cuts):
    whole = Profile.empty().update(frames)
    pieces, single = Profile.empty(), Profile.empty()
    for first, last in pairwise([0, *sorted(min(cut, len(frames)) for cut in cuts), len(frames)]):
        pieces = pieces.update(frames.iloc[first:last])
    for frame in range(len(frames)):
        single = single.update(frames.iloc[frame : frame + 1])
    assert_same_profile(pieces, whole)
    assert_same_profile(single, whole)


@settings(max_examples=60, deadline=None)
@given(frames=recordings())
def test_any_recording_equals_a_slow_reference(frames):
    profile = Profile.empty().update(frames)
    steps = [s if 0 <= s <= PAUSE else 0.0 for s in np.diff(frames["timestamp"])]
    clock = [math.fsum(steps[:place]) for place in range(len(frames))]
    for row, number in enumerate(profile.arbitration_id):
        times = [clock[p] for p in range(len(frames)) if frames["arbitration_id"][p] == number]
        gaps = [after - before for before, after in pairwise(times)]
        assert profile.count[row] == len(times)
        silences = [times[0], *gaps, clock[-1] - times[-1]]
        assert profile.longest_silence[row] == pytest.approx(max(silences))
        if gaps:
            assert profile.gap_mean[row] == pytest.approx(statistics.fmean(gaps))
            assert profile.gap_std[row] == pytest.approx(statistics.pstdev(gaps), abs=1e-12)
            assert profile.gap_min[row] == pytest.approx(min(gaps))
            assert profile.gap_max[row] == pytest.approx(max(gaps))


@settings(max_examples=60, deadline=None)
@given(one=recordings(), two=recordings())
def test_merged_profiles_equal_one_that_saw_both_recordings(one, two):
    merged = Profile.empty().update(one).merge(Profile.empty().update(two))
    both = Profile.empty().update(one).end_recording().update(two).end_recording()
    for field in fields(Profile):
        mine, theirs = getattr(merged, field.name), getattr(both, field.name)
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-15, err_msg=field.name)


def test_recordings_are_not_continued():
    one = table([0.0, 1.0], [5, 5], [b"\x01", b"\x01"])
    two = table([100.0, 103.0], [5, 6], [b"\x02", b"\x00"])
    profile = fit_profile([one, two])
    assert profile.gap_count.tolist() == [1, 0]
    assert profile.byte_changes.sum() == 0
    # 5 was silent for the last 3 s; 6 for those and, before it was known, for all of the first.
    assert profile.longest_silence.tolist() == [3.0, 3.0]
    assert profile.duration == 4.0
    assert profile.longest_recording == 3.0


def test_an_empty_profile_merges_to_the_other():
    profile = fit_profile([table([0.0, 1.0], [5, 6], [b"\x01", b"\x01"])])
    assert_same_profile(Profile.empty().merge(profile), profile)
    assert len(Profile.empty()) == 0


@settings(max_examples=20, deadline=None)
@given(frames=recordings())
def test_what_is_saved_is_loaded(tmp_path_factory, frames):
    folder = tmp_path_factory.mktemp("profile")
    for profile in (Profile.empty(), Profile.empty().update(frames), fit_profile([frames])):
        profile.save(folder / "car.parquet")
        assert_same_profile(Profile.load(folder / "car.parquet"), profile)
    assert [path.name for path in folder.iterdir()] == ["car.parquet"]


def test_a_stored_profile_goes_on_learning(tmp_path):
    frames = table(np.arange(6) / 10, [5, 6, 5, 5, 6, 5], [bytes([n]) for n in range(6)])
    Profile.empty().update(frames.iloc[:3]).save(tmp_path / "car.parquet")
    continued = Profile.load(tmp_path / "car.parquet").update(frames.iloc[3:])
    assert_same_profile(continued, Profile.empty().update(frames))


def test_a_file_that_is_no_profile_is_refused(tmp_path):
    path = tmp_path / "car.parquet"
    table([0.0], [5], [b""]).to_parquet(path)
    with pytest.raises(DataError, match=r"car.parquet is not a profile"):
        Profile.load(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"car.parquet is not a profile"):
        Profile.load(path)


def test_attack_frames_are_refused():
    with pytest.raises(DataError, match="recording 0 of a profile holds 1 attack frames"):
        fit_profile([table([0.0], [5], [b""], attack=1)])
