import numpy as np
import pytest

from kdgat.can.frames import ABSENT, payload
from kdgat.can.messages import Constant, Counter, Diagnostic, Message, Periodic
from kdgat.can.repeats import content_hash
from kdgat.can.simulator import draw_signals, mark_absent, simulate_vehicle
from kdgat.can.vehicles import VEHICLES, Vehicle

START = 1_650_000_000.25


def simulate(vehicle: Vehicle, seed: int = 0, duration: float = 5.0, bitrate: int = 500_000):
    generator = np.random.default_rng(seed)
    return simulate_vehicle(
        vehicle, generator=generator, duration=duration, bitrate=bitrate, start=START
    )


@pytest.fixture(scope="module", params=VEHICLES)
def vehicle(request) -> Vehicle:
    return VEHICLES[request.param]


def test_one_seed_one_capture(vehicle):
    assert content_hash(simulate(vehicle)) == content_hash(simulate(vehicle))
    assert content_hash(simulate(vehicle)) != content_hash(simulate(vehicle, seed=1))


def test_load_and_timestamps_are_those_of_a_real_bus(vehicle):
    frames = simulate(vehicle)
    time = frames["timestamp"].to_numpy()
    assert 1_000 < len(frames) / 5 < 2_200
    # 47 bits at 500 kbit/s take 94 µs: no two frames can be closer.
    assert np.diff(time).min() > 93e-6
    assert START < time[0] < START + 0.1
    assert np.array_equal(time, np.round(time, 6))
    assert not frames["attack"].any()


def test_ids_and_lengths_are_those_of_the_car(vehicle):
    frames = simulate(vehicle)
    lengths = {message.arbitration_id: message.dlc for message in vehicle.messages}
    lengths |= dict.fromkeys([vehicle.diagnostic.request_id, vehicle.diagnostic.response_id], 8)
    assert set(frames["arbitration_id"]) <= set(lengths)
    assert (frames["dlc"] == frames["arbitration_id"].map(lengths)).all()


def test_a_full_bus_sends_by_priority():
    """Two messages every ms on a bus that carries one: the lower ID never waits for the other."""
    messages = tuple(
        Message(number, 8, Periodic(0.001, 0.0), tuple(Constant(x, 0x5A) for x in range(8)))
        for number in (0x100, 0x200)
    )
    silent = Diagnostic(0x7E0, 0x7E8, gap=1e9, requests=1, period=1.0, delay=0.01)
    frames = simulate(Vehicle("full", messages, silent), duration=1.0, bitrate=120_000)
    time = frames["timestamp"].to_numpy() - START
    low = time[frames["arbitration_id"] == 0x100]
    high = time[frames["arbitration_id"] == 0x200]
    assert len(low) == len(high)
    assert np.diff(low).max() < 0.003
    assert high[-1] > 1.5 * low[-1]


def test_counters_survive_the_bus():
    vehicle = VEHICLES["aster"]
    frames = simulate(vehicle)
    for message in vehicle.messages:
        counters = [x for x in message.fields if isinstance(x, Counter)]
        own = payload(frames[frames["arbitration_id"] == message.arbitration_id]).astype(int)
        for counter in counters:
            steps = np.diff(own[:, counter.position] - counter.base) % counter.modulus
            assert (steps == 1).all()


def test_responses_answer_requests():
    vehicle = VEHICLES["dogwood"]
    frames = simulate(vehicle, duration=60.0)
    asked = frames[frames["arbitration_id"] == vehicle.diagnostic.request_id]
    answered = frames[frames["arbitration_id"] == vehicle.diagnostic.response_id]
    assert len(asked) == len(answered) > 20
    assert sorted(asked["byte_2"]) == sorted(answered["byte_2"])
    assert (answered["byte_1"] == 0x41).all()


def test_signals_are_slow_and_between_0_and_1():
    signals = draw_signals(60.0, np.random.default_rng(0))
    assert signals.shape == (8, 6001)
    assert signals.min() >= 0
    assert signals.max() <= 1
    assert np.abs(np.diff(signals, axis=1)).max() < 0.05
    assert (signals.std(axis=1) > 0.02).all()


def test_absent_bytes_are_marked():
    marked = mark_absent(np.full((2, 8), 9, np.uint8), np.array([0, 3]))
    assert marked.tolist() == [[ABSENT] * 8, [9, 9, 9] + [ABSENT] * 5]
