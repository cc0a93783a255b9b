"""The windows that detectors are trained on: recorded and injected, with and without a profile.

Everything is drawn: which profile a window meets, which pseudo-vehicles there are, when and how
they are attacked. A draw shows each recorded training window once; stores hold several draws.
"""

import logging
import math
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd

from kdgat.can.declarations import car_name
from kdgat.can.drawing import (
    SHORTEST_PART,
    Drawing,
    attacked_blocks,
    is_too_short,
    measured_blocks,
    num_draws,
    random_stream,
)
from kdgat.can.frames import MAX_DLC
from kdgat.can.graph_store import GraphStore
from kdgat.can.lessons import Lessons, learn_lessons
from kdgat.can.pseudo_vehicles import pseudo_vehicle
from kdgat.can.recording import Recording
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.splits import Cut, deal_windows
from kdgat.can.vehicles import draw_style, draw_vehicle
from kdgat.can.windows import window_labels, window_starts

LOGGER = logging.getLogger(__name__)

STRETCHES, STRETCHES_MET = 16, 4
"""Short lessons learned of each recording, and how many of a vehicle's a draw deals out."""

PIECE_SECONDS = 12.0
"""A pseudo-vehicle is made of so many s of a recording at least, where there are as many."""

SIMULATED_SECONDS = 12.0

PSEUDO, SIMULATED = "pseudo_vehicle", "simulated_vehicle"

Blocks = Iterator[tuple[str, GraphStore]]
"""A split, `drawn_train` or `drawn_validation`, and graphs for it."""


def drawn_blocks(
    captures: Mapping[str, pd.DataFrame], vehicles: Mapping[str, str], cut: Cut, drawing: Drawing
) -> Blocks:
    """Draw windows of the captures of `train_*` scenarios.

    Args:
        captures: `<scenario>/<capture>` -> frame table; a scenario may have a folder before it.
        vehicles: Capture -> vehicle. One whose vehicle is unknown is a vehicle of its own.
        cut: How captures are cut and split.
        drawing: How windows are drawn.
    """
    vehicles = {name: car_name(name, vehicle) for name, vehicle in vehicles.items()}
    benign = [name for name in captures if not captures[name]["attack"].any()]
    known = _learn(captures, vehicles, {vehicles[name] for name in benign}, drawing)
    sizes: dict[str, list[int]] = {}
    for name in captures:
        parts = deal_windows(name, captures[name], cut)
        recording = Recording.of(captures[name]).forward()
        lessons = known.get(vehicles[name], Lessons())
        yield from _recorded(name, recording, parts, lessons, cut, drawing)
        if name in benign and recording.dlc.max() > MAX_DLC:
            LOGGER.warning("%s: CAN FD frames, no attack is injected", name)
        elif name in benign:
            for split, starts in parts.items():
                sizes.setdefault(split, []).append(len(starts))
            others = [other for other in benign if vehicles[other] != vehicles[name]]
            yield from _synthetic(name, recording, parts, lessons, captures, others, cut, drawing)
    for split, numbers in sizes.items():
        yield from _simulated(split, float(np.mean(numbers)), cut, drawing)


def _learn(
    captures: Mapping[str, pd.DataFrame],
    vehicles: Mapping[str, str],
    attack_free: Collection[str],
    drawing: Drawing,
) -> dict[str, Lessons]:
    """Learn what attack-free captures teach, of other vehicles the attacked ones' beginnings."""
    known: dict[str, Lessons] = {}
    for name in captures:
        recording = Recording.of(captures[name])
        generator = random_stream(drawing, name, "lessons")
        if recording.attack.any() and vehicles[name] not in attack_free:
            recording = recording.part(slice(int(np.argmax(recording.attack))))
            time = recording.timestamp
            if len(time) == 0 or time[-1] - time[0] < drawing.profile.seconds:
                continue
        elif recording.attack.any():
            continue
        learned = learn_lessons(
            name,
            recording,
            seconds=drawing.profile.seconds,
            number=STRETCHES,
            generator=generator,
        )
        known[vehicles[name]] = known.get(vehicles[name], Lessons()) + learned
    return known


def _recorded(
    name: str,
    recording: Recording,
    parts: Mapping[str, np.ndarray],
    lessons: Lessons,
    cut: Cut,
    drawing: Drawing,
) -> Blocks:
    """Show each recorded window once a draw, each time against a profile drawn anew."""
    for split, starts in parts.items():
        y = window_labels(recording.attack, starts, cut.window)
        for number in range(num_draws(split, drawing)):
            generator = random_stream(drawing, name, split, number)
            met = lessons.some(STRETCHES_MET, generator)
            for block in measured_blocks(
                name, name, recording, starts, y, met, cut, drawing, generator
            ):
                yield f"drawn_{split}", block


def _synthetic(
    name: str,
    recording: Recording,
    parts: Mapping[str, np.ndarray],
    lessons: Lessons,
    captures: Mapping[str, pd.DataFrame],
    others: list[str],
    cut: Cut,
    drawing: Drawing,
) -> Blocks:
    """Attack the stretches of a split, as they are and as parts of pseudo-vehicles.

    A warning names a capture with stretches too short to be attacked.
    """
    short = 0
    for split, starts in parts.items():
        for number in range(num_draws(split, drawing)):
            generator = random_stream(drawing, name, split, number, "synthetic")
            stretch = _stretch(recording, starts, cut, generator)
            if stretch is None:
                continue
            short += is_too_short(stretch)
            met = lessons.some(STRETCHES_MET, generator)
            for block in attacked_blocks(
                name, name, split, stretch, len(starts), met, cut, drawing, generator
            ):
                yield f"drawn_{split}", block
            second = _other_stretch(captures, others, split, cut, generator)
            for place in range(drawing.injections.pseudo_vehicles):
                yield from _of_pseudo_vehicle(
                    f"{name}+{PSEUDO}_{place}",
                    split,
                    stretch,
                    second if generator.random() < 0.5 else None,
                    len(starts),
                    cut,
                    drawing,
                    generator,
                )
    if short and drawing.injections.share > 0:
        LOGGER.warning(
            "%s: %d stretches drawn of it last less than %g s and are not attacked as they are",
            *(name, short, SHORTEST_PART),
        )


def _other_stretch(
    captures: Mapping[str, pd.DataFrame],
    others: list[str],
    split: str,
    cut: Cut,
    generator: np.random.Generator,
) -> Recording | None:
    """Cut a stretch of the same split out of another car's recording, None if there is none."""
    if not others:
        return None
    other = str(generator.choice(others))
    recording = Recording.of(captures[other]).forward()
    if recording.dlc.max() > MAX_DLC:
        return None
    return _stretch(recording, deal_windows(other, captures[other], cut)[split], cut, generator)


def _of_pseudo_vehicle(
    label: str,
    split: str,
    first: Recording,
    second: Recording | None,
    number: int,
    cut: Cut,
    drawing: Drawing,
    generator: np.random.Generator,
) -> Blocks:
    """Draw windows of one of the pseudo-vehicles that share `number` windows."""
    parts = drawing.injections.pseudo_vehicles
    pieces = [
        None if stretch is None else _piece(stretch, parts, generator)
        for stretch in (first, second)
    ]
    recording = pseudo_vehicle(*pieces, generator, bitrate=drawing.injections.bitrate)
    yield from _of_car(label, split, recording, number / parts, cut, drawing, generator)


def _simulated(split: str, number: float, cut: Cut, drawing: Drawing) -> Blocks:
    """Draw windows of simulated cars, `number` in all; each car is met in one draw alone."""
    plan = drawing.injections
    for draw in range(num_draws(split, drawing)):
        for place in range(plan.simulated_vehicles):
            label = f"{SIMULATED}_{place}"
            generator = random_stream(drawing, label, split, draw)
            frames = simulate_vehicle(
                draw_vehicle(draw_style(label, generator)),
                generator=generator,
                duration=SIMULATED_SECONDS,
                bitrate=plan.bitrate,
                start=0.0,
            )
            share = number / plan.simulated_vehicles
            recording = Recording.of(frames)
            yield from _of_car(label, split, recording, share, cut, drawing, generator)


def _of_car(
    label: str,
    split: str,
    recording: Recording,
    number: float,
    cut: Cut,
    drawing: Drawing,
    generator: np.random.Generator,
) -> Blocks:
    """Draw benign and attacked windows of one car that does not exist."""
    starts = window_starts(len(recording), cut.window, cut.stride)
    if len(starts) == 0:
        return
    lessons = learn_lessons(
        label, recording, seconds=drawing.profile.seconds, number=STRETCHES_MET, generator=generator
    )
    wanted = math.ceil(drawing.injections.pseudo_share * number)
    chosen = np.sort(generator.permutation(starts)[:wanted])
    y = np.zeros(len(chosen), np.uint8)
    for block in measured_blocks(
        label, label, recording, chosen, y, lessons, cut, drawing, generator
    ):
        yield f"drawn_{split}", block
    for block in attacked_blocks(
        label, label, split, recording, number, lessons, cut, drawing, generator
    ):
        yield f"drawn_{split}", block


def _stretch(
    recording: Recording, starts: np.ndarray, cut: Cut, generator: np.random.Generator
) -> Recording | None:
    """Cut out one of the unbroken stretches of a split's windows, longer ones more often."""
    if len(starts) == 0:
        return None
    breaks = np.flatnonzero(np.diff(starts) > cut.stride)
    first, last = np.r_[0, breaks + 1], np.r_[breaks, len(starts) - 1]
    length = (last - first + 1).astype(float)
    chosen = int(generator.choice(len(first), p=length / length.sum()))
    return recording.part(slice(starts[first[chosen]], starts[last[chosen]] + cut.window))


def _piece(recording: Recording, parts: int, generator: np.random.Generator) -> Recording:
    """Cut one of `parts` pieces out of a recording, or one of `PIECE_SECONDS` if that is longer."""
    time = recording.timestamp
    duration = time[-1] - time[0]
    span = min(duration, max(duration / parts, PIECE_SECONDS))
    begin = time[0] + generator.uniform(0.0, duration - span)
    first, last = np.searchsorted(time, [begin, begin + span])
    return recording.part(slice(first, last + 1))
