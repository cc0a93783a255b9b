import numpy as np
import pandas as pd
from six_frames import BITRATE, START, microseconds, six_frames

from kdgat.can.attackers import Added
from kdgat.can.bus import frame_time
from kdgat.can.frames import ABSENT, payload
from kdgat.can.merging import merge
from kdgat.can.recording import Recording
from kdgat.can.traffic import Traffic, on_bus


def added(ready: int, arbitration_id: int) -> Added:
    """One frame without data that wants the bus `ready` µs after the first timestamp."""
    data = np.full((1, 8), ABSENT, np.int16)
    start = round(START * 1e6)
    return Added(np.array([start + ready]), np.array([arbitration_id]), np.array([0]), data)


def time_on_bus(frames: pd.DataFrame) -> np.ndarray:
    return frame_time(frames["arbitration_id"], frames["dlc"], payload(frames), BITRATE)


def traffic(frames: pd.DataFrame) -> Traffic:
    return on_bus(Recording.of(frames), BITRATE)


def merged(ready: int, arbitration_id: int) -> pd.DataFrame:
    return merge(traffic(six_frames()), added(ready, arbitration_id)).frames()


def test_an_added_frame_on_the_idle_bus_moves_nothing():
    # ID 0 without data takes 53 bits of 2 µs.
    frames = merged(2500, 0)
    assert microseconds(frames) == [0, 1000, 2000, 2606, 3000, 4000, 5000]
    assert frames["attack"].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert frames["arbitration_id"].tolist() == [0x100, 0x200, 0x100, 0, 0x200, 0x100, 0x200]
    assert frames["byte_0"].tolist() == [0, 1, 2, ABSENT, 3, 4, 5]


def test_an_added_frame_waits_for_the_frame_on_the_bus():
    assert microseconds(merged(1990, 0)) == [0, 1000, 2000, 2106, 3000, 4000, 5000]


def test_an_added_frame_on_the_bus_delays_the_recorded_one():
    begins = 4000 - int(time_on_bus(six_frames())[4])
    frames = merged(begins - 10, 0)
    late = begins - 10 + 106
    assert microseconds(frames) == [0, 1000, 2000, 3000, late, late + 4000 - begins, 5000]
    assert frames["attack"].tolist() == [0, 0, 0, 0, 1, 0, 0]


def test_of_two_that_wait_the_lower_id_goes_first():
    begins = 4000 - int(time_on_bus(six_frames())[4])
    assert merged(begins, 0)["attack"].tolist() == [0, 0, 0, 0, 1, 0, 0]
    high = merged(begins, 0x7FF)
    assert high["attack"].tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert microseconds(high)[4] == 4000


def test_frames_stamped_at_the_same_time_keep_their_order():
    frames = six_frames(ids=(0x300, 0x200, 0x100, 0x300, 0x200, 0x100))
    frames["timestamp"] = START + np.array([0, 1, 1, 1, 1, 2]) / 1000
    result = merge(traffic(frames), added(1500, 0)).frames()
    assert result["byte_0"].tolist() == [0, 1, 2, 3, 4, ABSENT, 5]
    # The median gap is 0: such a logger shows no time on the bus, for added frames neither.
    assert microseconds(result) == [0, 1000, 1000, 1000, 1000, 1500, 2000]


def test_added_frames_are_as_short_as_a_batching_logger_shows():
    frames = six_frames()
    frames["timestamp"] = START + np.array([0, 3, 6, 9, 12, 1000]) / 1e6
    result = merge(traffic(frames), added(500, 0)).frames()
    assert microseconds(result) == [0, 3, 6, 9, 12, 503, 1000]
