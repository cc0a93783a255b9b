"""Frames on time: every case one ID, times in ms, due every 10 ms unless it says otherwise."""

import numpy as np
import pytest

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graphs import _habits, _rows
from kdgat.can.on_time import frames_followed
from kdgat.can.profile import Profile
from kdgat.can.recording import Recording


def recording(times) -> Recording:
    number = len(times)
    frames = frame_table(
        timestamp=np.asarray(times, float) / 1e3,
        arbitration_id=np.full(number, 0x10),
        dlc=np.zeros(number, int),
        payload=np.full((number, 8), ABSENT, np.int16),
        attack=np.zeros(number, int),
    )
    return Recording.of(frames)


def followed(times, known=tuple(range(0, 500, 10))) -> list[int]:
    profile, sent = Profile.empty().update_with(recording(known)), recording(times)
    codes, ids = sent.numbers
    rows = _rows(profile, ids)
    return frames_followed(sent.clock, sent.before, codes, rows, _habits(profile)).tolist()


def test_a_frame_on_time_follows_the_last_one_on_time():
    #                own own own forged own own
    assert followed([0, 10, 20, 26, 30, 40]) == [-1, 0, 1, 2, 2, 4]


def test_without_forged_frames_each_follows_the_one_before():
    assert followed([0, 10, 20.9, 29.1, 40, 46, 58]) == [-1, 0, 1, 2, 3, 4, 5]


def test_the_frame_nearest_to_its_time_is_the_one_on_time():
    """One that is 0.8 ms early is on time until the car's own comes."""
    assert followed([0, 10, 19.2, 20, 30]) == [-1, 0, 1, 1, 3]
    assert followed([0, 10, 19.2, 20, 26, 30]) == [-1, 0, 1, 1, 3, 3]


@pytest.mark.parametrize(("late", "follows"), [(0.9, 1), (1.1, 2), (-0.9, 1), (-1.1, 2)])
def test_on_time_is_within_a_tenth_of_the_mean_gap(late, follows):
    assert followed([0, 10, 15, 20 + late])[3] == follows


@pytest.mark.parametrize(("late", "follows"), [(1.7, 1), (2.1, 2)])
def test_or_within_three_standard_deviations(late, follows):
    """Gaps of 9.4 and 10.6 ms: 0.6 ms."""
    known = np.cumsum([0.0, *[9.4, 10.6] * 20])
    assert followed([0, 10, 15, 20 + late], known)[3] == follows


@pytest.mark.parametrize(("deviation", "follows"), [(0.9, 1), (1.1, 2)])
def test_an_id_that_deviates_by_over_a_tenth_has_no_rhythm(deviation, follows):
    known = np.cumsum([0.0, *[10 - deviation, 10 + deviation] * 20])
    assert followed([0, 10, 15, 20], known)[3] == follows


@pytest.mark.parametrize(("gaps", "follows"), [(10, 1), (9, 2)])
def test_an_id_of_few_gaps_has_no_rhythm(gaps, follows):
    assert followed([0, 10, 15, 20], range(0, 10 * gaps + 1, 10))[3] == follows


def test_an_unknown_id_has_no_rhythm():
    assert followed([0, 10, 15, 20], ()) == [-1, 0, 1, 2]


def test_a_missed_period_does_not_stop_the_clock():
    """Nothing at 10 and 20 ms, but forged frames at 24 and 36 ms."""
    assert followed([0, 24, 30, 36, 40]) == [-1, 0, 1, 2, 2]


def test_a_frame_after_a_missed_period_follows_the_one_before():
    assert followed([0, 10, 25, 30]) == [-1, 0, 1, 2]


def test_a_lost_rhythm_is_taken_up_by_the_next_frame():
    """A pause of 63 ms, after which the car goes on 3 ms later than it was."""
    assert followed([0, 10, 73, 79, 83, 93]) == [-1, 0, 1, 2, 2, 4]
    # A pause of 43 ms has not lost it; the frame at 63 ms, 53 after the last on time, has.
    assert followed([0, 10, 53, 58, 63, 68, 73]) == [-1, 0, 1, 2, 3, 4, 4]


def test_a_clock_that_goes_wrong_slowly_is_followed():
    own = np.arange(200) * 10.05
    times = np.sort(np.concatenate([own, own[1:] - 4]))
    found = np.array(followed(times))
    assert (found[2::2] == np.arange(0, 398, 2)).all()


def test_the_first_frame_sets_the_clock_whoever_sent_it():
    """Frames of somebody else at 0, 10 and 20 ms, the car's own 4 ms later each time."""
    assert followed([0, 4, 10, 14, 20, 24]) == [-1, 0, 0, 2, 2, 4]


@pytest.mark.parametrize("rate", [0.9, 0.97, 0.99, 1.0, 1.01, 1.03, 1.1, 2.0])
def test_an_attacker_at_about_the_same_rate_does_not_become_the_rhythm(rate):
    generator = np.random.default_rng(0)
    own = np.arange(1000) * 10 + generator.uniform(-0.2, 0.2, 1000)
    forged = np.arange(53.0, 9990.0, 10 / rate)
    times = np.concatenate([own, forged])
    order = np.argsort(times)
    place = np.argsort(order)
    found = np.array(followed(times[order]))
    follows_own = found[place[1:1000]] == place[:999]
    assert follows_own[100:].mean() > 0.95
