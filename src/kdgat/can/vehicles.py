"""The cars of the built-in dataset, drawn once and for all from the style of each."""

from dataclasses import dataclass

import numpy as np

from kdgat.can.messages import (
    Burst,
    Checksum,
    Constant,
    Counter,
    Diagnostic,
    Event,
    Field,
    Message,
    Periodic,
    Signal,
    State,
)

NUM_SIGNALS = 8
"""Physical signals of a car: speed, engine speed, steering angle and the like."""

PERIODS = (0.005, 0.008, 0.01, 0.0125, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Periods of cyclic messages that a drawn style chooses from, s."""


@dataclass(frozen=True)
class Style:
    """How the messages of a car are drawn.

    Attributes:
        name: Name of the car.
        seed: Seed of the draw: the same style is always the same car.
        frame_rate: Frames that periodic messages send together, 1/s.
        periods: Periods to draw from, s.
        full_share: Share of messages with 8 bytes; the others have 1 to 7.
        jitter: Largest jitter of a message, share of its period.
        events: Messages sent on events.
        event_gap: Largest mean time between two events of a message, s.
        bursts: Messages sent in bursts.
        burst_gap: Largest mean time between two bursts of a message, s.
        sessions: Mean time between diagnostic sessions, s.
    """

    name: str
    seed: int
    frame_rate: float
    periods: tuple[float, ...]
    full_share: float
    jitter: float
    events: int
    event_gap: float
    bursts: int
    burst_gap: float
    sessions: float


@dataclass(frozen=True)
class Vehicle:
    """A car: everything that its ECUs send."""

    name: str
    messages: tuple[Message, ...]
    diagnostic: Diagnostic


def draw_style(name: str, generator: np.random.Generator) -> Style:
    """Draw a style: a car unlike any other, within what buses of passenger cars carry.

    In most cars no message is so rare that the first seconds of a recording lack it: what comes
    up later is an attack more often than not (docs/decisions/0003-drawn-windows.md).
    """
    number = int(generator.integers(3, len(PERIODS) + 1))
    return Style(
        name=name,
        seed=int(generator.integers(2**31)),
        frame_rate=float(generator.uniform(600.0, 2400.0)),
        periods=tuple(np.sort(generator.choice(PERIODS, number, replace=False)).tolist()),
        full_share=float(generator.uniform(0.3, 1.0)),
        jitter=float(generator.uniform(0.02, 0.3)),
        events=int(_log_uniform(1.0, 30.0, generator)) - 1,
        event_gap=_log_uniform(0.5, 3.0, generator),
        bursts=int(_log_uniform(1.0, 8.0, generator)) - 1,
        burst_gap=_log_uniform(1.5, 5.0, generator),
        sessions=_log_uniform(30.0, 3000.0, generator),
    )


def _log_uniform(low: float, high: float, generator: np.random.Generator) -> float:
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


def draw_vehicle(style: Style) -> Vehicle:
    """Draw a car of a style: IDs, rhythms and payload layouts.

    Frequent messages tend to have low IDs, as a car's network designer would give them.
    """
    generator = np.random.default_rng(style.seed)
    rhythms = [
        *_draw_periodic(style, generator),
        *(Event(generator.uniform(0.2, style.event_gap)) for _ in range(style.events)),
        *(_draw_burst(style, generator) for _ in range(style.bursts)),
    ]
    urgency = [_mean_gap(rhythm) * generator.lognormal(sigma=0.7) for rhythm in rhythms]
    numbers = np.sort(generator.choice(np.arange(0x080, 0x700), len(rhythms), replace=False))
    messages = tuple(
        _draw_message(int(number), rhythms[place], style, generator)
        for number, place in zip(numbers, np.argsort(urgency), strict=True)
    )
    return Vehicle(style.name, messages, _draw_diagnostic(style, generator))


def _draw_periodic(style: Style, generator: np.random.Generator) -> list[Periodic]:
    rhythms, frame_rate = [], 0.0
    while frame_rate < style.frame_rate:
        period = float(generator.choice(style.periods))
        rhythms.append(Periodic(period, float(generator.uniform(0.005, style.jitter))))
        frame_rate += 1.0 / period
    return rhythms


def _draw_burst(style: Style, generator: np.random.Generator) -> Burst:
    return Burst(
        gap=float(generator.uniform(1.0, style.burst_gap)),
        frames=int(generator.integers(4, 21)),
        spacing=float(generator.uniform(0.001, 0.006)),
    )


def _draw_diagnostic(style: Style, generator: np.random.Generator) -> Diagnostic:
    request_id = int(generator.integers(0x7E0, 0x7E8))
    return Diagnostic(
        request_id=request_id,
        response_id=request_id + 8,
        gap=style.sessions,
        requests=int(generator.integers(10, 60)),
        period=float(generator.uniform(0.02, 0.1)),
        delay=float(generator.uniform(0.002, 0.015)),
    )


def _mean_gap(rhythm: Periodic | Event | Burst) -> float:
    match rhythm:
        case Periodic(period=period):
            return period
        case Event(gap=gap):
            return gap
        case Burst(gap=gap, frames=frames):
            return gap / frames


def _draw_message(
    arbitration_id: int,
    rhythm: Periodic | Event | Burst,
    style: Style,
    generator: np.random.Generator,
) -> Message:
    dlc = 8 if generator.random() < style.full_share else int(generator.integers(1, 8))
    return Message(arbitration_id, dlc, rhythm, _draw_fields(dlc, generator))


def _draw_fields(dlc: int, generator: np.random.Generator) -> tuple[Field, ...]:
    """Draw a payload layout: values from the front, counter and checksum at the back."""
    back: list[Field] = []
    end = dlc
    if end >= 3 and generator.random() < 0.4:
        end -= 1
        back.append(Checksum(end, int(generator.integers(256))))
    if end >= 2 and generator.random() < 0.6:
        end -= 1
        back.append(_draw_counter(end, generator))
    front: list[Field] = []
    position = 0
    while position < end:
        field, width = _draw_value(position, end - position, generator)
        front.append(field)
        position += width
    return (*front, *reversed(back))


def _draw_counter(position: int, generator: np.random.Generator) -> Counter:
    if generator.random() < 0.3:
        return Counter(position, 256, 0)
    return Counter(position, 16, 16 * int(generator.integers(16)))


def _draw_value(position: int, room: int, generator: np.random.Generator) -> tuple[Field, int]:
    kind = generator.choice(["constant", "state", "signal"], p=[0.4, 0.2, 0.4])
    if kind == "constant":
        return Constant(position, int(generator.choice([0, 0, 0xFF, generator.integers(256)]))), 1
    if kind == "state":
        values = tuple(int(value) for value in generator.integers(256, size=4))
        return State(position, values, float(10 ** generator.uniform(-3.0, -0.5))), 1
    width = min(room, int(generator.integers(1, 3)))
    low, high = (int(bound) for bound in np.sort(generator.integers(256**width, size=2)))
    noise = float(generator.uniform(0.0, 2.0)) if width == 2 else 0.2
    return Signal(position, width, int(generator.integers(NUM_SIGNALS)), low, high, noise), width


STYLES = (
    Style(
        name="aster",
        seed=11,
        frame_rate=1300.0,
        periods=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
        full_share=0.9,
        jitter=0.05,
        events=5,
        event_gap=3.0,
        bursts=2,
        burst_gap=5.0,
        sessions=8.0,
    ),
    Style(
        name="birch",
        seed=12,
        frame_rate=1600.0,
        periods=(0.01, 0.02, 0.04, 0.1, 0.2, 1.0),
        full_share=0.8,
        jitter=0.1,
        events=8,
        event_gap=3.0,
        bursts=3,
        burst_gap=5.0,
        sessions=10.0,
    ),
    Style(
        name="cedar",
        seed=13,
        frame_rate=1450.0,
        periods=(0.0125, 0.025, 0.05, 0.1, 0.25, 0.5),
        full_share=0.6,
        jitter=0.08,
        events=6,
        event_gap=3.0,
        bursts=3,
        burst_gap=5.0,
        sessions=9.0,
    ),
    Style(
        name="dogwood",
        seed=14,
        frame_rate=1750.0,
        periods=(0.008, 0.016, 0.03, 0.06, 0.12, 0.5),
        full_share=0.6,
        jitter=0.12,
        events=10,
        event_gap=3.0,
        bursts=4,
        burst_gap=5.0,
        sessions=7.0,
    ),
)

VEHICLES = {style.name: draw_vehicle(style) for style in STYLES}
"""The cars by name: aster, birch and cedar occur in training, dogwood in test alone."""
