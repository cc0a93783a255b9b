"""Where a run computes and what it says."""

from typing import Literal

from pydantic import Field

from kdgat.parameters.types import Group, PositiveInt


class Compute(Group):
    """Where and how fast."""

    accelerator: Literal["auto", "cpu", "gpu"] = Field(description="device that trains and scores")
    devices: PositiveInt = Field(description="devices, or processes on CPUs, that train together")
    num_nodes: PositiveInt = Field(description="machines that train together, `devices` on each")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = Field(
        description="numbers in training: single, or half where it is safe"
    )
    threads: PositiveInt = Field(
        description="CPU threads of torch; results repeat at equal threads"
    )
    score_batch_size: PositiveInt = Field(description="graphs in a batch while scoring")


class Logging(Group):
    """What a run says."""

    level: Literal["warning", "info", "debug"] = Field(
        description="of the log; debug writes a file, and says the same as info elsewhere"
    )
