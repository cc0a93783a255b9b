"""Habits drawn anew: what may change in a recording and what may not."""

from itertools import pairwise

import numpy as np
import pytest

from kdgat.can.frames import ABSENT, MAX_DLC, frame_table, payload
from kdgat.can.recording import Recording
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.variations import with_habits_drawn_anew
from kdgat.can.vehicles import VEHICLES, draw_style, draw_vehicle


@pytest.fixture(scope="module")
def car():
    return simulate_vehicle(
        VEHICLES["birch"],
        generator=np.random.default_rng(4),
        duration=4.0,
        bitrate=500_000,
        start=0.0,
    )


def varied_by(frames, seed: int):
    recording = Recording.of(frames)
    return with_habits_drawn_anew(recording, np.random.default_rng(seed)).frames()


@pytest.mark.parametrize("seed", range(6))
def test_frames_that_stay_keep_time_and_id(car, seed):
    varied = varied_by(car, seed)
    before = set(zip(car["timestamp"], car["arbitration_id"], strict=True))
    assert set(zip(varied["timestamp"], varied["arbitration_id"], strict=True)) < before
    assert set(varied["arbitration_id"]) == set(car["arbitration_id"])


@pytest.mark.parametrize("seed", range(6))
def test_result_is_a_frame_table(car, seed):
    varied = varied_by(car, seed)
    data, dlc = payload(varied), varied["dlc"].to_numpy()
    present = np.arange(MAX_DLC) < dlc[:, None]
    assert ((data == ABSENT) == ~present).all()
    assert (data[present] <= 255).all()
    assert (np.diff(varied["timestamp"]) >= 0).all()


def test_some_cars_keep_their_payloads_and_others_do_not(car):
    columns = ["timestamp", "arbitration_id", *(f"byte_{place}" for place in range(MAX_DLC))]
    kept = []
    for seed in range(20):
        varied = varied_by(car, seed)
        kept.append(len(varied[columns].merge(car[columns])) == len(varied))
    assert 4 <= sum(kept) <= 16


def test_an_id_sent_on_change_keeps_each_change_and_a_heartbeat():
    """One ID, a thousand frames, a byte that counts every hundredth: 10 changes."""
    number = 1000
    data = np.full((number, MAX_DLC), ABSENT)
    data[:, 0] = np.arange(number) // 100
    frames = frame_table(
        timestamp=np.arange(number) / 100,
        arbitration_id=np.full(number, 0x100),
        dlc=np.ones(number, int),
        payload=data,
        attack=np.zeros(number, int),
    )
    lengths = set()
    for seed in range(40):
        varied = varied_by(frames, seed)
        lengths.add(len(varied))
        gaps = np.diff(varied["timestamp"])
        assert gaps.max() <= 0.01 * 5 * 50
    assert {1000, 500} <= lengths
    assert min(lengths) < 100


def test_remote_frames_stay_as_they_are():
    number = 50
    frames = frame_table(
        timestamp=np.arange(number) / 10,
        arbitration_id=np.full(number, 0x200),
        dlc=np.full(number, 4),
        payload=np.full((number, MAX_DLC), ABSENT),
        attack=np.zeros(number, int),
        is_remote=np.ones(number, bool),
    )
    for seed in range(10):
        varied = varied_by(frames, seed)
        assert (varied["dlc"] == 4).all()
        assert (payload(varied) == ABSENT).all()


def test_drawn_styles_give_cars_unlike_one_another():
    generator = np.random.default_rng(0)
    drawn = [draw_vehicle(draw_style(f"car_{place}", generator)) for place in range(5)]
    ids = [{message.arbitration_id for message in car.messages} for car in drawn]
    assert all(a != b for a, b in pairwise(ids))
    assert len({len(car.messages) for car in drawn}) > 1
