"""A small bus simulator: a car's ECUs hand frames to the bus, the bus decides when they go."""

import numpy as np
import pandas as pd
from numba import njit

from kdgat.can.bus import arbitrate, frame_time, priority
from kdgat.can.frames import ABSENT, MAX_DLC, frame_table
from kdgat.can.messages import SIGNAL_STEP, Diagnostic, Driving, Event, Message
from kdgat.can.vehicles import NUM_SIGNALS, Vehicle

PADDING = 0x55
"""Unused bytes of a diagnostic frame."""

Traffic = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Release time (float64, s), arbitration ID, dlc (int64) and payload (uint8 `[n, 8]`)."""


def simulate_vehicle(
    vehicle: Vehicle,
    *,
    generator: np.random.Generator,
    duration: float,
    bitrate: int,
    start: float,
) -> pd.DataFrame:
    """Simulate the benign traffic of a car as a logger on its bus would record it.

    Every ECU hands its frames to the bus at its own rhythm; where several wait, the lowest
    arbitration ID is sent first. A timestamp is the end of a frame, rounded to 1 µs.

    Args:
        vehicle: The car.
        generator: Source of all randomness: equal generators give equal frames.
        duration: Time over which frames are handed to the bus, s.
        bitrate: Speed of the bus, bit/s.
        start: Bus time at which the capture begins, s.

    Returns:
        Frame table, timestamps ascending, no attack.
    """
    driving = Driving(duration, draw_signals(duration, generator), generator)
    traffic = [_message_traffic(message, driving) for message in vehicle.messages]
    traffic += _diagnostic_traffic(vehicle.diagnostic, driving)
    release, arbitration_id, dlc, payload = (
        np.concatenate(part) for part in zip(*traffic, strict=True)
    )
    ready = np.rint(release * 1e6).astype(np.int64)
    by_time = np.argsort(ready, kind="stable")
    time_on_bus = frame_time(arbitration_id, dlc, payload, bitrate)
    order, end = arbitrate(ready[by_time], time_on_bus[by_time], priority(arbitration_id)[by_time])
    sent = by_time[order]
    return frame_table(
        timestamp=(round(start * 1e6) + end) / 1e6,
        arbitration_id=arbitration_id[sent],
        dlc=dlc[sent],
        payload=mark_absent(payload[sent], dlc[sent]),
        attack=np.zeros(len(sent), np.uint8),
    )


def draw_signals(duration: float, generator: np.random.Generator) -> np.ndarray:
    """Draw slow physical signals: float32 `[NUM_SIGNALS, num_samples]`, 0 to 1.

    Each is white noise through two equal first-order low-passes with a time constant of 0.5 to
    8 s, squashed by a logistic function.
    """
    num_samples = int(np.ceil(duration / SIGNAL_STEP)) + 1
    keep = np.exp(-SIGNAL_STEP / generator.uniform(0.5, 8.0, NUM_SIGNALS))
    noise = generator.standard_normal((NUM_SIGNALS, num_samples)).astype(np.float32)
    first = generator.standard_normal((2, NUM_SIGNALS))
    return _low_pass_twice(noise, keep, first)


def mark_absent(payload: np.ndarray, dlc: np.ndarray) -> np.ndarray:
    """Return bytes as int16 `[num_frames, 8]` with `ABSENT` from position `dlc` on."""
    return np.where(np.arange(MAX_DLC) < dlc[:, None], payload.astype(np.int16), ABSENT)


@njit(cache=True, nogil=True)
def _low_pass_twice(noise, keep, first):
    num_signals, num_samples = noise.shape
    signals = np.empty((num_signals, num_samples), np.float32)
    for number in range(num_signals):
        fast, slow = first[0, number], 2.0 * first[1, number]
        # With this gain the first low-pass keeps unit variance.
        gain = np.sqrt(1.0 - keep[number] ** 2)
        for sample in range(num_samples):
            fast = keep[number] * fast + gain * noise[number, sample]
            slow = keep[number] * slow + (1.0 - keep[number]) * 3.0 * fast
            signals[number, sample] = 1.0 / (1.0 + np.exp(-slow))
    return signals


def _message_traffic(message: Message, driving: Driving) -> Traffic:
    release = message.rhythm.releases(driving)
    payload = np.zeros((len(release), MAX_DLC), np.uint8)
    for field in message.fields:
        field.write(payload, release, driving)
    return _traffic(release, message.arbitration_id, message.dlc, payload)


def _diagnostic_traffic(diagnostic: Diagnostic, driving: Driving) -> list[Traffic]:
    """Simulate sessions: a request asks for one value, its response repeats the question."""
    sessions = Event(diagnostic.gap).releases(driving)
    steps = np.arange(diagnostic.requests) * diagnostic.period
    asked = np.sort((sessions[:, None] + steps).ravel())
    asked = asked[asked < driving.duration]
    delay = driving.generator.uniform(0.2, 1.0, len(asked)) * diagnostic.delay
    question = driving.generator.choice([0x04, 0x05, 0x0B, 0x0C, 0x0D, 0x0F, 0x11], len(asked))
    request = np.full((len(asked), MAX_DLC), PADDING, np.uint8)
    request[:, :2] = (0x02, 0x01)
    request[:, 2] = question
    response = request.copy()
    response[:, :2] = (0x03, 0x41)
    response[:, 3] = np.rint(255 * driving.signal(0, asked))
    return [
        _traffic(asked, diagnostic.request_id, MAX_DLC, request),
        _traffic(asked + delay, diagnostic.response_id, MAX_DLC, response),
    ]


def _traffic(release: np.ndarray, arbitration_id: int, dlc: int, payload: np.ndarray) -> Traffic:
    number = len(release)
    return release, np.full(number, arbitration_id), np.full(number, dlc), payload
