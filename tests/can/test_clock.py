"""Time that runs on with the traffic."""

import numpy as np
import pandas as pd

from kdgat.can.clock import bus_time, without_jumps
from kdgat.can.recording import Recording
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.vehicles import VEHICLES

STEPS = np.array([5.0, 5.5, 5.25, 6.0, 3606.0, 3606.5, 0.5, 1.0])


def drive(seconds: float) -> pd.DataFrame:
    return simulate_vehicle(
        VEHICLES["aster"],
        generator=np.random.default_rng(0),
        duration=seconds,
        bitrate=500_000,
        start=0,
    )


def test_jumps_are_taken_out_and_frames_out_of_order_stay():
    assert without_jumps(STEPS).tolist() == [5.0, 5.5, 5.25, 6.0, 6.0, 6.5, 6.5, 7.0]
    assert bus_time(STEPS).tolist() == [5.0, 5.5, 5.5, 6.25, 6.25, 6.75, 6.75, 7.25]
    orderly = np.array([1.0, 1.5, 10.0])
    assert without_jumps(orderly) is orderly


def test_a_recording_that_pauses_or_starts_its_clock_again_is_one_that_does_not():
    """Training draws short episodes over all of its time: an hour of none would hold the most."""
    frames = drive(4.0)
    usual = Recording.of(frames).timestamp
    for jump in (3600.0, -1e6):
        later = frames.assign(timestamp=frames["timestamp"] + jump * (frames.index > 1000))
        found = Recording.of(later).timestamp
        same = np.arange(len(usual)) <= 1000
        np.testing.assert_allclose(found[same], usual[same])
        gap = usual[1001] - usual[1000]
        np.testing.assert_allclose(found[~same], usual[~same] - gap, atol=1e-6)


def test_what_windows_are_drawn_from_runs_on_where_the_clock_is_set_back():
    frames = drive(2.0)
    back = frames.assign(timestamp=frames["timestamp"] - 0.5 * (frames.index >= 1000))
    steps = np.diff(Recording.of(back).forward().timestamp)
    expected = np.diff(frames["timestamp"])
    assert steps[999] == 0.0
    np.testing.assert_allclose(np.delete(steps, 999), np.delete(expected, 999), atol=1e-9)
