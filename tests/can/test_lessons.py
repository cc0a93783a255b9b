"""Which profile a window is measured against: never one that has seen its time."""

import numpy as np
import pytest

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.lessons import Lessons, assign_profiles, learn_lessons
from kdgat.can.profile import Profile, fit_profile
from kdgat.can.recording import Recording
from kdgat.parameters import ProfileDraw

WINDOW = 10


def draw_of(drop: float, short_share: float) -> ProfileDraw:
    return ProfileDraw(seconds=0.5, drop=drop, short_share=short_share)


def drive(num_frames: int, first_id: int = 0):
    """Frames a ms apart; a frame's first two bytes are its number, so that bytes tell the time."""
    payload = np.full((num_frames, 8), ABSENT, np.int16)
    payload[:, 0], payload[:, 1] = np.arange(num_frames) // 256, np.arange(num_frames) % 256
    return frame_table(
        timestamp=100 + np.arange(num_frames) / 1000,
        arbitration_id=first_id + np.arange(num_frames) % 5,
        dlc=np.full(num_frames, 2),
        payload=payload,
        attack=np.zeros(num_frames, np.uint8),
    )


def learn(name: str, frames, number: int = 3) -> Lessons:
    generator = np.random.default_rng(0)
    recording = Recording.of(frames)
    return learn_lessons(name, recording, seconds=0.5, number=number, generator=generator)


def dealt(name: str, frames, lessons: Lessons, draw: ProfileDraw):
    starts = np.arange(0, len(frames) - WINDOW + 1, WINDOW)
    time = frames["timestamp"].to_numpy()
    generator = np.random.default_rng(1)
    return list(
        assign_profiles(name, time[starts], time[starts + WINDOW - 1], lessons, draw, generator)
    )


def test_halves_teach_what_the_whole_recording_does():
    frames = drive(1000)
    first, second = learn("train_01/a", frames).long
    merged = first.profile.merge(second.profile)
    np.testing.assert_allclose(merged.gap_mean, fit_profile([frames]).gap_mean, rtol=1e-9)
    assert (first.end, second.start) == pytest.approx((100.499, 100.5))


def test_stretches_are_about_as_long_as_a_prefix():
    for lesson in learn("train_01/a", drive(5000), number=50).short:
        assert 0.24 < lesson.end - lesson.start < 1.01


def test_some_bytes_rest_throughout_a_short_lesson_and_nothing_else_differs():
    frames = drive(5000)
    time = frames["timestamp"].to_numpy()
    rested = 0
    for lesson in learn("train_01/a", frames, number=50).short:
        stretch = frames[(time >= lesson.start) & (time <= lesson.end)]
        known, found = fit_profile([stretch]), lesson.profile
        np.testing.assert_array_equal(found.gap_mean, known.gap_mean)
        np.testing.assert_array_equal(found.dlc_max, known.dlc_max)
        still = (found.byte_min != known.byte_min) | (found.byte_max != known.byte_max)
        np.testing.assert_array_equal(found.byte_min[still], known.byte_last[still])
        np.testing.assert_array_equal(found.byte_max[still], known.byte_last[still])
        assert (found.byte_changes[still] == 0).all()
        np.testing.assert_array_equal(found.byte_changes[:, 2:], known.byte_changes[:, 2:])
        rested += int(still.any(axis=1).sum())
    # Of 250 IDs a tenth rests, three in four of those with at least one of two bytes.
    assert 5 < rested < 40


@pytest.mark.parametrize("short_share", [0.0, 0.5, 1.0])
def test_no_window_meets_a_profile_that_has_seen_its_time(short_share):
    frames = drive(2000)
    lessons = learn("train_01/a", frames)
    numbers = np.zeros(200, int)
    for places, profile in dealt("train_01/a", frames, lessons, draw_of(0.0, short_share)):
        numbers[places] += 1
        assert profile is not None
        stretches = [part for part in lessons.short if part.profile is profile]
        for place in places:
            begin = 100 + place * WINDOW / 1000
            end = begin + (WINDOW - 1) / 1000
            if stretches:
                assert end < stretches[0].start or begin > stretches[0].end
            else:  # bytes 0 and 1 are the number of the frame: what was learned is the other half
                learned_late = profile.byte_min[:, 0].max() > 0
                assert learned_late == (place < 100)
    assert (numbers == 1).all()


@pytest.mark.parametrize("frames_ahead", [1, 4000])
def test_stretches_are_as_long_where_a_clock_is_set_back(frames_ahead):
    frames = drive(8000)
    ahead = (frames.index >= 4000 - frames_ahead) & (frames.index < 4000)
    lessons = learn("train_01/a", frames.assign(timestamp=frames["timestamp"] + 3 * ahead), 20)
    assert max(part.profile.count.sum() for part in lessons.short) <= 1001


def test_other_recordings_of_the_vehicle_are_learned_whole():
    frames = drive(400)
    lessons = learn("train_01/a", frames) + learn("train_01/b", drive(600))
    ((places, profile),) = dealt("train_02/c", frames, lessons, draw_of(0.0, 0.0))
    assert len(places) == 40
    assert profile.count.sum() == 1000
    counts = {p.count.sum() for _, p in dealt("train_01/a", frames, lessons, draw_of(0.0, 0.0))}
    assert counts == {800}


def test_some_windows_meet_no_profile():
    frames = drive(20_000)
    lessons = learn("train_01/a", frames)
    none = sum(
        len(places)
        for places, profile in dealt("train_01/a", frames, lessons, draw_of(0.35, 0.5))
        if profile is None
    )
    assert 0.3 < none / 2000 < 0.4
    ((places, profile),) = dealt("train_01/a", frames, Lessons(), draw_of(0.0, 0.5))
    assert profile is None
    assert len(places) == 2000


def test_a_short_recording_leaves_no_profile_rather_than_its_own():
    lesson = learn("train_01/a", drive(1000)).long[0]
    alone = Lessons(long=(lesson,))
    dealt_ = dealt("train_01/a", drive(500), alone, draw_of(0.0, 0.0))
    assert [profile for _, profile in dealt_] == [None]
    assert isinstance(lesson.profile, Profile)
