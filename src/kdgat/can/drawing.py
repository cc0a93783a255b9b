"""How windows are drawn: what all of them share, whichever car they come from."""

import logging
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from kdgat.can.graph_store import GraphStore
from kdgat.can.injected_windows import EVIDENCE_IN_PROFILE, attacked_windows
from kdgat.can.injections import ATTACKS
from kdgat.can.lessons import Lessons, assign_profiles
from kdgat.can.recording import Recording
from kdgat.can.splits import Cut, capture_blocks
from kdgat.can.traffic import on_bus
from kdgat.errors import DataError
from kdgat.parameters import Injections, ProfileDraw

LOGGER = logging.getLogger(__name__)

SHORTEST_PART = 2.0
"""A part of a recording shorter than so many s is not attacked."""


@dataclass(frozen=True)
class Drawing:
    """How windows are drawn.

    Attributes:
        profile: How often a window meets which profile.
        injections: Number of draws, attacks and pseudo-vehicles.
    """

    profile: ProfileDraw
    injections: Injections


def attacked_blocks(
    label: str,
    origin: str,
    split: str,
    recording: Recording,
    number: float,
    lessons: Lessons,
    cut: Cut,
    drawing: Drawing,
    generator: np.random.Generator,
) -> Iterator[GraphStore]:
    """Inject each attack that the split may see, an equal number of windows of each.

    Validation also sees the attacks that training does not, and rates beyond those of training.

    Args:
        label: Name of the car's windows; `+<attack>` is added.
        origin: The capture that its lessons may have been learned from.
        split: `train` or `validation`.
        recording: Its frames, without attacks.
        number: Benign windows that the split has of the car: what the attacks are a share of.
        lessons: What is known of the car.
        cut: How captures are cut.
        drawing: How windows are drawn.
        generator: Source of all randomness.
    """
    plan = drawing.injections
    is_training = split == "train"
    attacks = [name for name in ATTACKS if not (is_training and name in plan.held_out)]
    # Half of the windows come from the car itself, half from pseudo-vehicles.
    wanted = math.ceil(plan.share * number / len(attacks) / 2) if attacks else 0
    if wanted == 0:
        return
    if is_too_short(recording):
        LOGGER.info("%s is not attacked: it lasts less than %g s", label, SHORTEST_PART)
        return
    traffic = on_bus(recording, plan.bitrate)
    for attack in attacks:
        try:
            windows = attacked_windows(
                traffic,
                attack,
                generator,
                number=wanted,
                window=cut.window,
                stride=cut.stride,
                rates_beyond=0.0 if is_training else plan.held_out_rates,
            )
        except DataError as error:
            LOGGER.info("%s is not attacked: %s", label, error)
            continue
        must = attack in EVIDENCE_IN_PROFILE
        if must and (not lessons.long or drawing.profile.drop == 1.0):
            continue
        yield from measured_blocks(
            f"{label}+{attack}", origin, *windows, lessons, cut, drawing, generator, always=must
        )


def is_too_short(recording: Recording) -> bool:
    """Say whether a recording is too short to be attacked."""
    return bool(recording.timestamp[-1] - recording.timestamp[0] < SHORTEST_PART)


def measured_blocks(
    label: str,
    origin: str,
    recording: Recording,
    starts: np.ndarray,
    y: np.ndarray,
    lessons: Lessons,
    cut: Cut,
    drawing: Drawing,
    generator: np.random.Generator,
    *,
    always: bool = False,
) -> Iterator[GraphStore]:
    """Turn windows into graphs, each against the profile that is drawn for it.

    Args:
        label: Name that the windows get as their capture.
        origin: The capture that the lessons may have been learned from.
        recording: Frames of the windows.
        starts: int64 `[num_windows]`, first frames, ascending.
        y: uint8 `[num_windows]`, labels.
        lessons: What is known of the car.
        cut: How captures are cut.
        drawing: How windows are drawn.
        generator: Source of all randomness.
        always: Draw no window without a profile; one that all lessons have seen is left out.
    """
    if len(starts) == 0:
        return
    time = recording.timestamp
    draw = drawing.profile.model_copy(update={"drop": 0.0}) if always else drawing.profile
    dealt = assign_profiles(
        origin,
        time[starts],
        time[starts + cut.window - 1],
        lessons,
        draw,
        generator,
    )
    for places, profile in dealt:
        if always and profile is None:
            continue
        first = 0
        for block in capture_blocks(label, recording, starts[places], cut, profile):
            labels = y[places][first : first + len(block)]
            first += len(block)
            yield replace(block, y=torch.from_numpy(labels.copy()))


def num_draws(split: str, drawing: Drawing) -> int:
    """Say how often a split is drawn."""
    plan = drawing.injections
    return plan.draws if split == "train" else plan.validation_draws


def random_stream(drawing: Drawing, *names: object) -> np.random.Generator:
    """Open the random stream of a name: what one capture draws does not depend on another's."""
    words = [zlib.crc32(str(word).encode()) for word in names]
    return np.random.default_rng([drawing.injections.seed, *words])
