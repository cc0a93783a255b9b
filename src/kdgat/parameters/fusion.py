"""Stage `fusion`."""

from pydantic import Field

from kdgat.parameters.networks import QNetwork
from kdgat.parameters.types import Group, OpenShare, PositiveFloat, PositiveInt, Share


class Agent(Group):
    """How the fusion agent learns."""

    steps: PositiveInt = Field(description="gradient steps")
    episodes_per_step: PositiveInt = Field(
        description="one-window episodes played before each step"
    )
    batch_size: PositiveInt = Field(description="transitions drawn from the replay memory per step")
    replay_size: PositiveInt = Field(description="transitions that the replay memory holds")
    reward_scale: PositiveFloat = Field(
        description="logit; the reward tells verdicts apart up to about five times as much"
    )
    learning_rate: PositiveFloat = Field(description="learning rate of Adam")
    epsilon_start: Share = Field(description="share of random actions at the first step")
    epsilon_end: Share = Field(description="share of random actions after the decay")
    epsilon_decay: OpenShare = Field(description="share of the steps over which epsilon falls")
    evaluate_every: PositiveInt = Field(description="steps between two looks at validation")


class Fusion(Group):
    """Stage `fusion`: the agents of teachers and students."""

    teacher: QNetwork
    student: QNetwork
    agent: Agent
