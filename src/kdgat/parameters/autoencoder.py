"""Stage `autoencoder`."""

from pydantic import Field

from kdgat.parameters.fit import Fit
from kdgat.parameters.networks import AutoencoderModel
from kdgat.parameters.types import Group, NonNegativeFloat, Share


class AutoencoderLoss(Group):
    """Weights of the parts of the autoencoder's loss."""

    edge_weight: NonNegativeFloat = Field(description="weight of the edge loss")
    id_weight: NonNegativeFloat = Field(description="weight of the ID loss")
    kl_weight: NonNegativeFloat = Field(description="weight of the KL divergence")
    id_dropout: Share = Field(
        description="share of training windows whose IDs are hidden (the unknown row)"
    )


class Autoencoder(Group):
    """Stage `autoencoder`: the teacher VGAE."""

    model: AutoencoderModel
    loss: AutoencoderLoss
    fit: Fit
