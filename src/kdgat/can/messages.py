"""What an ECU sends: rhythms say when, fields say what is in the payload."""

from dataclasses import dataclass

import numpy as np

SIGNAL_STEP = 0.01
"""Spacing of the samples of a physical signal, s."""


@dataclass(frozen=True)
class Driving:
    """What happens in one capture: the physical signals that all messages of a car report.

    Attributes:
        duration: Length of the capture, s.
        signals: float32 `[num_signals, num_samples]`, 0 to 1, one sample every `SIGNAL_STEP`.
        generator: Source of all randomness of the capture.
    """

    duration: float
    signals: np.ndarray
    generator: np.random.Generator

    def signal(self, number: int, time: np.ndarray) -> np.ndarray:
        """Return physical signal `number` at `time` s: float64 `[num_frames]`, 0 to 1."""
        return np.interp(time / SIGNAL_STEP, np.arange(self.signals.shape[1]), self.signals[number])


@dataclass(frozen=True)
class Periodic:
    """One frame every `period` s, each up to `jitter` periods early or late."""

    period: float
    jitter: float

    def releases(self, driving: Driving) -> np.ndarray:
        """Return when frames are handed to the bus: float64 `[num_frames]`, s, ascending."""
        phase = driving.generator.uniform(0.0, self.period)
        time = np.arange(phase, driving.duration, self.period)
        early_or_late = driving.generator.uniform(-self.jitter, self.jitter, len(time))
        return np.sort(_inside(time + self.period * early_or_late, driving.duration))


@dataclass(frozen=True)
class Event:
    """One frame whenever something happens, on average every `gap` s (a Poisson process)."""

    gap: float

    def releases(self, driving: Driving) -> np.ndarray:
        """Return when frames are handed to the bus: float64 `[num_frames]`, s, ascending."""
        number = driving.generator.poisson(driving.duration / self.gap)
        return np.sort(driving.generator.uniform(0.0, driving.duration, number))


@dataclass(frozen=True)
class Burst:
    """A train of `frames` frames, `spacing` s apart, on average every `gap` s."""

    gap: float
    frames: int
    spacing: float

    def releases(self, driving: Driving) -> np.ndarray:
        """Return when frames are handed to the bus: float64 `[num_frames]`, s, ascending."""
        start = Event(self.gap).releases(driving)
        train = np.arange(self.frames) * self.spacing
        return np.sort(_inside((start[:, None] + train).ravel(), driving.duration))


@dataclass(frozen=True)
class Constant:
    """A byte that never changes."""

    position: int
    value: int

    def write(self, payload: np.ndarray, time: np.ndarray, driving: Driving) -> None:
        """Fill this field's column of `payload`, uint8 `[num_frames, 8]`."""
        payload[:, self.position] = self.value


@dataclass(frozen=True)
class Counter:
    """A byte that counts frames from 0 to `modulus` - 1 and over, above a fixed `base`."""

    position: int
    modulus: int
    base: int

    def write(self, payload: np.ndarray, time: np.ndarray, driving: Driving) -> None:
        """Fill this field's column of `payload`, uint8 `[num_frames, 8]`."""
        first = driving.generator.integers(self.modulus)
        payload[:, self.position] = self.base + (first + np.arange(len(time))) % self.modulus


@dataclass(frozen=True)
class State:
    """A byte that holds one of `values` and takes another in a share `change` of the frames."""

    position: int
    values: tuple[int, ...]
    change: float

    def write(self, payload: np.ndarray, time: np.ndarray, driving: Driving) -> None:
        """Fill this field's column of `payload`, uint8 `[num_frames, 8]`."""
        stretch = np.cumsum(driving.generator.random(len(time)) < self.change)
        chosen = driving.generator.integers(len(self.values), size=len(time) + 1)
        payload[:, self.position] = np.array(self.values)[chosen[stretch]]


@dataclass(frozen=True)
class Signal:
    """A physical signal in one byte or two (high byte first), with `noise` last digits of noise.

    A signal value of 0 is sent as `low`, one of 1 as `high`.
    """

    position: int
    width: int
    number: int
    low: int
    high: int
    noise: float

    def write(self, payload: np.ndarray, time: np.ndarray, driving: Driving) -> None:
        """Fill this field's columns of `payload`, uint8 `[num_frames, 8]`."""
        exact = self.low + (self.high - self.low) * driving.signal(self.number, time)
        measured = exact + self.noise * driving.generator.standard_normal(len(time))
        raw = np.clip(np.rint(measured), 0, 256**self.width - 1).astype(np.int64)
        for place in range(self.width):
            shift = 8 * (self.width - 1 - place)
            payload[:, self.position + place] = (raw >> shift) & 0xFF


@dataclass(frozen=True)
class Checksum:
    """A byte that makes the exclusive-or of all eight bytes equal `seed`; the last field."""

    position: int
    seed: int

    def write(self, payload: np.ndarray, time: np.ndarray, driving: Driving) -> None:
        """Fill this field's column of `payload`, uint8 `[num_frames, 8]`."""
        payload[:, self.position] = 0
        payload[:, self.position] = np.bitwise_xor.reduce(payload, axis=1) ^ self.seed


Rhythm = Periodic | Event | Burst
Field = Constant | Counter | State | Signal | Checksum


@dataclass(frozen=True)
class Message:
    """One arbitration ID of a car: its length, rhythm and payload."""

    arbitration_id: int
    dlc: int
    rhythm: Rhythm
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Diagnostic:
    """A tester that asks and an ECU that answers, in sessions (after ISO 15765-4, OBD-II).

    Attributes:
        request_id: Arbitration ID of the tester.
        response_id: Arbitration ID of the ECU.
        gap: Mean time between the starts of two sessions, s.
        requests: Requests in a session.
        period: Time between two requests, s.
        delay: Longest time from request to response, s.
    """

    request_id: int
    response_id: int
    gap: float
    requests: int
    period: float
    delay: float


def _inside(time: np.ndarray, duration: float) -> np.ndarray:
    return time[(time >= 0.0) & (time < duration)]
