"""How captures become graphs, and what the leak report lets pass."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from kdgat.parameters.types import (
    DatasetName,
    Group,
    NonNegativeFloat,
    NonNegativeInt,
    OpenShare,
    PositiveFloat,
    PositiveInt,
    Share,
    split_at_plus,
)


class LeakLimits(Group):
    """What the leak report lets pass: one limit for each of its checks."""

    shared_windows: Share = Field(description="share of a split's windows that another split holds")
    close_windows: Share = Field(
        description="share of validation windows less than a window away from a training window"
    )
    known_frames: Share = Field(
        description="share of a held-out capture's frames that occur in training, times included"
    )
    retimed_frames: Share = Field(
        description="share of a held-out capture's frames that occur in training at other times"
    )
    position: Share = Field(description="AUROC on validation from a window's place in its file")
    shuffled_labels: PositiveFloat = Field(
        description="standard errors by which a model fitted on meaningless labels may beat 0.5"
    )
    bag_of_ids: Share = Field(
        description="AUROC of telling captures with attacks by the IDs in their benign windows"
    )
    file_timestamps: Share = Field(
        description="AUROC of telling captures with attacks by timestamps of benign windows"
    )
    file_features: Share = Field(
        description="AUROC of telling captures with attacks by features of benign windows"
    )


AttackName = Literal[
    "dos", "fuzzing", "spoofing_dense", "spoofing_sparse", "replay", "suppress", "masquerade"
]
LeakCheck = Literal[tuple(LeakLimits.model_fields)]


class ProfileDraw(Group):
    """What the features of a window are measured against.

    Of the windows trained on, the share `drop` meets no profile, like a zero-shot one; of the rest
    `short_share` meet that of a short stretch of their vehicle, like a calibrated one, the others
    that of all other time of their vehicle.
    """

    seconds: PositiveFloat = Field(
        description="length of a calibrated capture's prefix, s; its windows are not scored"
    )
    drop: Share = Field(description="share of windows trained on without a profile")
    short_share: Share = Field(description="share of the others whose profile is a short one")


class Injections(Group):
    """Synthetic attacks on the attack-free training captures."""

    seed: Annotated[int, Field(ge=0)] = Field(description="seed of profiles and attacks")
    draws: PositiveInt = Field(
        description="independent draws for training; each epoch sees as much as one holds"
    )
    validation_draws: PositiveInt = Field(description="independent draws for validation")
    share: NonNegativeFloat = Field(
        description="attack windows injected in a draw, per window of the attack-free captures"
    )
    pseudo_share: NonNegativeFloat = Field(
        description="benign windows of pseudo-vehicles in a draw, likewise"
    )
    pseudo_vehicles: NonNegativeInt = Field(
        description="pseudo-vehicles that a draw makes of each attack-free capture"
    )
    simulated_vehicles: NonNegativeInt = Field(
        description="simulated cars in a draw, together as many windows as one such capture's"
    )
    held_out: Annotated[list[AttackName], BeforeValidator(split_at_plus)] = Field(
        description="attacks that training never sees, validation does"
    )
    held_out_rates: Annotated[float, Field(ge=0.0, le=0.1)] = Field(
        description="how far beyond both ends of training's rates validation's reach, as a share "
        "of their range"
    )
    bitrate: PositiveInt = Field(description="speed of the bus, bit/s")


class Guard(Group):
    """What a prefix may look like that a car's profile is learned from."""

    top_ratio: PositiveFloat = Field(
        description="largest ratio of the frames of its busiest and its third busiest ID"
    )
    rare_ids: Share = Field(description="largest share of IDs with one or two frames")
    rate_ratio: PositiveFloat = Field(
        description="largest ratio of the frames in its busiest and its quietest tenth"
    )
    early_share: Share = Field(
        description="largest share of frames that come in under half of their ID's median gap"
    )
    steady_early_share: Share = Field(
        description="largest share of frames that do so and whose ID is steady: more than half of "
        "its gaps lie within a quarter of their median"
    )
    silence: PositiveFloat = Field(
        description="longest silence of a regular ID, in its usual longest gaps"
    )


class DataProcessing(Group):
    """How captures become graphs."""

    window: Annotated[int, Field(ge=2)] = Field(description="frames in a window")
    stride: PositiveInt = Field(description="frames from one window's start to the next")
    validation_share: OpenShare = Field(
        description="share of each training capture's windows held out for validation"
    )
    bad_row_share: Share = Field(
        description="share of malformed rows above which a capture is refused"
    )
    profile: ProfileDraw
    injections: Injections
    guard: Guard
    left_out_vehicles: Annotated[list[str], BeforeValidator(split_at_plus)] = Field(
        description="vehicles that nothing is fitted on: their training captures are judged like "
        "test captures, as scenario `test_left_out`"
    )
    further_vehicles: Annotated[list[DatasetName], BeforeValidator(split_at_plus)] = Field(
        description="datasets whose attack-free training captures are further cars to train on"
    )
    allowed_leaks: Annotated[list[LeakCheck], BeforeValidator(split_at_plus)] = Field(
        description="checks of the leak report that may fail"
    )
    allowed_repeats: Annotated[list[str], BeforeValidator(split_at_plus)] = Field(
        description="test captures, <scenario>/<capture>, that may repeat training"
    )
    also_trained_on: Annotated[list[DatasetName], BeforeValidator(split_at_plus)] = Field(
        description="other datasets whose training captures count as seen"
    )
    leak_limits: LeakLimits


class Simulator(Group):
    """The built-in dataset `synthetic`."""

    seed: Annotated[int, Field(ge=0)] = Field(description="seed of buses and attacks")
    duration: PositiveFloat = Field(description="length of each simulated capture, s")
    bitrate: PositiveInt = Field(description="speed of the bus, bit/s")
