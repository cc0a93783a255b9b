"""Sizes of the networks."""

from typing import Annotated

from pydantic import Field

from kdgat.parameters.types import Group, PositiveInt


class AutoencoderModel(Group):
    """Size of a variational graph autoencoder."""

    id_rows: PositiveInt = Field(
        description="hash rows of arbitration IDs, without the unknown row"
    )
    id_dim: PositiveInt = Field(description="width of the ID embedding")
    hidden: PositiveInt = Field(description="channels of one attention head")
    heads: PositiveInt = Field(description="attention heads of each encoder layer")
    layers: PositiveInt = Field(description="encoder layers")
    latent: PositiveInt = Field(description="width of a node's latent")
    decoder: PositiveInt = Field(description="width of the decoder's hidden layers")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(description="dropout in the encoder")


class ClassifierModel(Group):
    """Size of a graph attention classifier."""

    id_rows: PositiveInt = Field(
        description="hash rows of arbitration IDs, without the unknown row"
    )
    id_dim: PositiveInt = Field(description="width of the ID embedding")
    hidden: PositiveInt = Field(description="channels of one attention head")
    heads: PositiveInt = Field(description="attention heads of each layer")
    layers: PositiveInt = Field(description="attention layers, all read by jumping knowledge")
    readout: PositiveInt = Field(description="width of the read-out's hidden layer")
    maximum_readout: bool = Field(
        description="the read-out sees the maximum over a window's nodes beside the mean"
    )
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(description="dropout between layers")


class QNetwork(Group):
    """Size of a Q-network."""

    hidden: PositiveInt = Field(description="width of the hidden layers")
    layers: PositiveInt = Field(description="hidden layers")
