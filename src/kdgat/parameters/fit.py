"""How a graph network is trained."""

from typing import Annotated

from pydantic import Field

from kdgat.parameters.batch_size import BatchSize
from kdgat.parameters.types import Group, NonNegativeFloat, OpenShare, PositiveFloat, PositiveInt


class Fit(Group):
    """How a graph network is trained."""

    epochs: PositiveInt = Field(description="largest number of epochs")
    epoch_share: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        description="share of the training graphs in an epoch, taken for the nearest 1 / n; the "
        "next epoch sees others"
    )
    patience: PositiveInt = Field(
        description="epochs without a better validation loss before training stops"
    )
    batch_size: BatchSize
    learning_rate: PositiveFloat = Field(description="peak learning rate of AdamW")
    weight_decay: NonNegativeFloat = Field(description="decoupled weight decay of AdamW")
    gradient_clip: PositiveFloat = Field(description="largest gradient norm")


class Curriculum(Group):
    """Which training graphs the epochs of mode `curriculum` see.

    Epoch e of E has pace p = min(1, e / (pace_share * (E - 1))). Of each class it draws from the
    graphs whose hardness rank is at most start_share + (1 - start_share) * p; the ratio of benign
    to attack graphs moves from start_ratio to end_ratio. Every epoch draws as many graphs as
    in mode `normal` (`epoch_share`). Patience counts from full pace on.
    """

    start_ratio: PositiveFloat = Field(description="benign graphs per attack graph, first epoch")
    end_ratio: PositiveFloat = Field(description="benign graphs per attack graph at full pace")
    start_share: OpenShare = Field(
        description="easiest share of the graphs seen in the first epoch"
    )
    pace_share: OpenShare = Field(description="share of the epochs after which all graphs are seen")
