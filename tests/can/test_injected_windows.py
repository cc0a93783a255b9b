"""Windows of injected attacks, and cars that do not exist."""

import numpy as np
import pytest

from kdgat.can.injected_windows import attacked_windows, draw_short_episodes
from kdgat.can.injections import ATTACKS
from kdgat.can.pseudo_vehicles import pseudo_vehicle
from kdgat.can.recording import Recording
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.traffic import on_bus
from kdgat.can.vehicles import VEHICLES

BITRATE = 500_000


@pytest.fixture(scope="module")
def recordings():
    return {
        name: Recording.of(
            simulate_vehicle(
                VEHICLES[name],
                generator=np.random.default_rng(3),
                duration=8.0,
                bitrate=BITRATE,
                start=1000.0,
            )
        )
        for name in ("aster", "birch")
    }


def attacked(recording, attack: str, seed: int = 0):
    return attacked_windows(
        on_bus(recording, BITRATE),
        attack,
        np.random.default_rng(seed),
        number=20,
        window=100,
        stride=100,
        rates_beyond=0.0,
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_windows_are_labelled_and_few(recordings, attack):
    windows = attacked(recordings["aster"], attack)
    assert 0 < windows.y.sum() <= 20
    assert (windows.y == 0).sum() <= 5
    assert (np.diff(windows.starts) > 0).all()
    held = windows.recording.attack
    counts = np.array([held[start : start + 100].sum() for start in windows.starts])
    if attack == "suppress":
        assert not held.any()
    else:
        np.testing.assert_array_equal(counts > 0, windows.y == 1)


def test_a_suppressed_id_is_missing_from_windows_labelled_so(recordings):
    recording = recordings["aster"]
    windows = attacked(recording, "suppress")
    ids = set(recording.arbitration_id)
    every = windows.recording.arbitration_id
    for start in windows.starts[windows.y == 1]:
        assert ids - set(every[start : start + 100])


def test_equal_generators_draw_equal_windows(recordings):
    one, two = (attacked(recordings["aster"], "fuzzing", seed=5) for _ in range(2))
    assert one.recording.frames().equals(two.recording.frames())
    np.testing.assert_array_equal(one.starts, two.starts)
    other = attacked(recordings["aster"], "fuzzing", seed=6)
    assert not other.recording.frames().equals(one.recording.frames())


def test_episodes_follow_one_another_after_a_benign_beginning():
    episodes = np.array(draw_short_episodes(50.0, 80.0, np.random.default_rng(0)))
    assert episodes[0, 0] >= 51.0
    assert (episodes[:, 1] > episodes[:, 0]).all()
    assert (episodes[1:, 0] > episodes[:-1, 1]).all()
    assert episodes[-1, 1] < 80.0
    assert draw_short_episodes(0.0, 0.2, np.random.default_rng(0)) == []


@pytest.mark.parametrize("mixed", [False, True])
def test_a_pseudo_vehicle_is_benign_new_and_in_order(recordings, mixed):
    first = recordings["aster"]
    second = recordings["birch"] if mixed else None
    car = pseudo_vehicle(first, second, np.random.default_rng(2), bitrate=BITRATE)
    again = pseudo_vehicle(first, second, np.random.default_rng(2), bitrate=BITRATE)
    assert car.frames().equals(again.frames())
    assert not car.attack.any()
    assert (np.diff(car.timestamp) >= 0).all()
    known = len(set(first.arbitration_id)) + (len(set(second.arbitration_id)) if mixed else 0)
    assert 4 <= len(set(car.arbitration_id)) <= known
    assert set(car.arbitration_id) != set(first.arbitration_id)
