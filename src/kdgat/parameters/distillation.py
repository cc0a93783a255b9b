"""Stage `distillation`."""

from typing import Literal

from pydantic import Field

from kdgat.parameters.autoencoder import AutoencoderLoss
from kdgat.parameters.fit import Curriculum, Fit
from kdgat.parameters.networks import AutoencoderModel, ClassifierModel
from kdgat.parameters.types import Group, NonNegativeFloat, PositiveFloat, Share


class Soft(Group):
    """What the students learn from their teachers."""

    enabled: bool = Field(description="false trains the same students without any teacher")
    temperature: PositiveFloat = Field(description="temperature of the soft targets")
    soft_weight: Share = Field(description="share of the soft loss in the classifier's loss")
    latent_weight: NonNegativeFloat = Field(description="weight of matching the teacher's latent")
    reconstruction_weight: NonNegativeFloat = Field(
        description="weight of matching the teacher's reconstruction"
    )


class Distillation(Group):
    """Stage `distillation`: both students.

    The student autoencoder sees benign graphs alone; the curriculum is the student classifier's,
    ranked by the student autoencoder.
    """

    mode: Literal["normal", "curriculum"] = Field(
        description="what each epoch of the student classifier sees"
    )
    id_dropout: Share = Field(
        description="share of training windows whose IDs are hidden (the unknown row)"
    )
    soft: Soft
    autoencoder: AutoencoderModel
    autoencoder_loss: AutoencoderLoss
    autoencoder_fit: Fit
    classifier: ClassifierModel
    classifier_fit: Fit
    curriculum: Curriculum
