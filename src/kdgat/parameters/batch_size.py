"""How large batches are, and who decides."""

from typing import Annotated, Literal

from pydantic import Field

from kdgat.parameters.types import DatasetName, Group, OpenShare, PositiveInt

BatchSizeMode = Literal["fixed", "binary_search", "adaptive"]


class BatchSizeChange(Group):
    """What is otherwise for one mode or one dataset; what is not named stays."""

    graphs: PositiveInt | None = None
    mode: BatchSizeMode | None = None
    target: OpenShare | None = None
    smallest: PositiveInt | None = None
    largest: PositiveInt | None = None


class BatchSize(Group):
    """How large batches are, and who decides: `kdgat.training.batch_size` owns the rule.

    `fixed` takes `graphs` graphs a batch. The others fill a batch up to a budget of nodes and of
    edges, which begins at what `graphs` mean graphs hold and then follows the memory: once before
    training (`binary_search`), or after every epoch (`adaptive`). In every mode running out of
    memory halves the budget and repeats the batch.
    """

    graphs: PositiveInt = Field(description="graphs in a batch, always or to begin with")
    mode: BatchSizeMode = Field(description="who decides how large batches are")
    target: OpenShare = Field(description="share of the memory to fill, the rest is safety")
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(
        description="share of the old budget (its logarithm) that an epoch keeps, mode adaptive"
    )
    trials: PositiveInt = Field(description="most budgets tried, mode binary_search")
    smallest: PositiveInt = Field(description="nodes below which a budget never falls")
    largest: PositiveInt = Field(description="nodes above which a budget never rises")
    cpu_memory: PositiveInt = Field(description="memory that counts as there on a CPU, MB")
    scale_learning_rate: bool = Field(
        description="multiply the learning rate by batch size / `graphs` graphs"
    )
    by_mode: dict[Literal["normal", "curriculum", "distillation"], BatchSizeChange] = Field(
        description="what is otherwise in a mode; distillation lies over curriculum"
    )
    by_dataset: dict[DatasetName, BatchSizeChange] = Field(
        description="what is otherwise on a dataset; lies over by_mode"
    )
    replay: list[list[list[int]]] = Field(
        default=[],
        description="budgets of an earlier run: per epoch [first batch, nodes]; set by --from-run",
    )
