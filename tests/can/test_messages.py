import numpy as np
import pytest

from kdgat.can.messages import (
    Burst,
    Checksum,
    Constant,
    Counter,
    Driving,
    Event,
    Periodic,
    Signal,
    State,
)


@pytest.fixture
def driving() -> Driving:
    ramp = np.linspace(0.0, 1.0, 1001, dtype=np.float32)
    return Driving(10.0, ramp[None], np.random.default_rng(3))


def written(field, driving: Driving, num_frames: int = 40) -> np.ndarray:
    payload = np.zeros((num_frames, 8), np.uint8)
    field.write(payload, np.linspace(0.0, 10.0, num_frames), driving)
    return payload


def test_periodic_frames_keep_their_period_within_the_jitter(driving):
    gaps = np.diff(Periodic(0.1, 0.05).releases(driving))
    assert len(gaps) in (98, 99)
    assert (np.abs(gaps - 0.1) <= 0.1 * 2 * 0.05 + 1e-9).all()
    assert gaps.std() > 0


def test_events_come_at_their_mean_rate(driving):
    time = Event(0.01).releases(driving)
    assert 850 < len(time) < 1150
    assert (np.diff(time) >= 0).all()
    assert time.min() >= 0
    assert time.max() < 10


def test_bursts_are_trains_of_equal_spacing():
    driving = Driving(300.0, np.zeros((1, 2), np.float32), np.random.default_rng(4))
    gaps = np.diff(Burst(gap=30.0, frames=5, spacing=0.002).releases(driving))
    assert np.isclose(gaps, 0.002).mean() > 0.7


def test_a_constant_stays(driving):
    payload = written(Constant(2, 0xAB), driving)
    assert set(payload[:, 2]) == {0xAB}
    assert payload.sum() == 40 * 0xAB


def test_a_counter_counts_and_wraps(driving):
    counts = written(Counter(1, 16, 0x30), driving)[:, 1].astype(int)
    assert (counts >> 4 == 3).all()
    assert (np.diff(counts & 15) % 16 == 1).all()


def test_a_state_takes_its_values_only(driving):
    values = written(State(0, (1, 7, 9), 0.3), driving, 500)[:, 0]
    assert set(values) == {1, 7, 9}
    assert 0.1 < (np.diff(values.astype(int)) != 0).mean() < 0.3


def test_a_signal_in_two_bytes_follows_the_ramp(driving):
    payload = written(Signal(3, 2, 0, low=100, high=60_100, noise=0.0), driving, 5)
    value = 256 * payload[:, 3].astype(int) + payload[:, 4]
    assert value.tolist() == [100, 15_100, 30_100, 45_100, 60_100]


def test_a_checksum_closes_the_exclusive_or(driving):
    payload = written(Counter(0, 256, 0), driving)
    Checksum(7, 0x5A).write(payload, np.zeros(40), driving)
    assert (np.bitwise_xor.reduce(payload, axis=1) == 0x5A).all()
