"""When an ID is silent, worked out by hand, and found again where it was injected."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdgat.can.frames import frame_table
from kdgat.can.injections import inject
from kdgat.can.silences import Silence, find_silences, joined, report_silences


def frames_at(times: dict[int, np.ndarray]) -> pd.DataFrame:
    """Frames of IDs at seconds of their own, in order, without data."""
    time = np.concatenate(list(times.values()))
    ids = np.repeat(list(times), [len(own) for own in times.values()])
    order = np.argsort(time, kind="stable")
    number = len(time)
    return frame_table(
        timestamp=time[order],
        arbitration_id=ids[order].astype(np.uint32),
        dlc=np.zeros(number, np.uint8),
        payload=np.full((number, 8), -1, np.int16),
        attack=np.zeros(number, np.uint8),
        episode=np.zeros(number, np.int32),
    )


TICKS = np.arange(100.0, 130.0, 0.125)  # exact in binary


def without(start: float, end: float) -> np.ndarray:
    return TICKS[~((start < TICKS) & (end > TICKS))]


def test_a_silence_lasts_from_the_last_frame_to_the_next():
    frames = frames_at({5: TICKS, 7: without(110.0, 114.0)})
    assert find_silences(frames) == [Silence(110.0, 114.0, 7)]


def test_ten_usual_gaps_are_no_silence_and_more_are():
    assert find_silences(frames_at({5: TICKS, 7: without(110.0, 111.25)})) == []
    assert find_silences(frames_at({5: TICKS, 7: without(110.0, 111.375)})) != []


def test_an_id_may_be_silent_from_the_beginning_or_to_the_end():
    frames = frames_at({5: TICKS, 7: TICKS[TICKS >= 120.0], 9: TICKS[TICKS <= 120.0]})
    assert find_silences(frames) == [Silence(100.0, 120.0, 7), Silence(120.0, TICKS[-1], 9)]


def test_an_id_that_sends_in_bursts_is_not_silent_between_them():
    bursts = np.concatenate([start + np.arange(20) / 128 for start in (101.0, 112.0, 128.0)])
    assert find_silences(frames_at({5: TICKS, 7: bursts})) == []


def test_a_pause_of_the_recording_is_no_silence():
    assert find_silences(frames_at({5: without(110.0, 114.0), 7: without(110.0, 114.0)})) == []


def test_a_pause_of_the_recording_hides_no_silence():
    frames = frames_at({5: TICKS, 7: without(120.0, 124.0)})
    time = frames["timestamp"].to_numpy()
    paused = frames.assign(timestamp=np.where(time < 105.0, time, time + 600.0))
    # The pause counts as no time, and so does the eighth of a second that it fell into.
    assert find_silences(paused) == [Silence(119.875, 123.875, 7)]
    within = frames.assign(timestamp=np.where(time < 122.0, time, time + 600.0))
    assert find_silences(within) == [Silence(120.0, 123.875, 7)]


def test_a_few_frames_have_no_rhythm():
    few = np.concatenate([np.arange(100.0, 109.0), [129.0]])
    assert find_silences(frames_at({5: TICKS, 7: few})) == []


def test_a_step_back_in_time_is_no_silence_and_hides_none():
    frames = frames_at({5: TICKS, 7: without(120.0, 124.0)})
    time = frames["timestamp"].to_numpy()
    stepped = frames.assign(timestamp=np.where(time < 105.0, time, time - 104.0))
    (silence,) = find_silences(stepped)
    assert (silence.end - silence.start, silence.arbitration_id) == (4.0, 7)


def test_silences_at_the_same_time_are_one_episode():
    silences = [Silence(3.0, 5.0, 7), Silence(4.0, 4.5, 9), Silence(5.0, 6.0, 8)]
    assert joined([Silence(8.0, 9.0, 7), *silences]) == [(3.0, 6.0), (8.0, 9.0)]
    assert joined([]) == []


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted), max_size=8),
)
def test_joined_times_cover_the_same_instants_once(bounds):
    once = joined([Silence(start, end, 1) for start, end in bounds])
    instants = np.arange(0, 20.5, 0.5)
    covered = [sum(start <= now <= end for start, end in once) for now in instants]
    assert covered == [int(any(start <= now <= end for start, end in bounds)) for now in instants]


def test_injected_silences_are_found(benign):
    attacked = inject(benign, "suppress", np.random.default_rng(0), bitrate=500_000)
    found = find_silences(attacked.frames)
    assert len(found) == len(attacked.episodes)
    for silence, episode in zip(found, attacked.episodes.itertuples(), strict=True):
        assert silence.start <= episode.start < episode.end <= silence.end
        assert f"{silence.arbitration_id:#05x}" == episode.arbitration_ids


def test_benign_traffic_has_none(benign):
    assert find_silences(benign) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "its frames tell of no such time"),
        (1, "by its frames 0x007 from 1.0 to 4.0 s"),
        (5, "0x007 from 3.0 to 6.0 s and 2 times more"),
    ],
)
def test_the_log_names_silences(number, text, caplog):
    caplog.set_level(logging.INFO)
    found = [Silence(101.0 + shift, 104.0 + shift, 7) for shift in range(number)]
    report_silences("test_05_suppress/drive", found, 100.0)
    assert "test_05_suppress/drive: nothing declares when an ID is silent" in caplog.text
    assert text in caplog.text
