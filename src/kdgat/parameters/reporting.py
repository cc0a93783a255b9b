"""The comparison of many runs."""

from typing import Annotated, Literal

from pydantic import Field

from kdgat.parameters.types import FolderName, Group, OpenShare, PositiveInt


class Reporting(Group):
    """The comparison of many runs."""

    name: FolderName = Field(description="folder of the report")
    metric: Literal["f1", "auroc", "false_positive_rate"] = Field(
        description="column of the scorecard by which variants are compared and ranked"
    )
    reference: str = Field(
        description="variant that all others are compared with; empty: every two are compared"
    )
    bootstrap: PositiveInt = Field(description="bootstrap samples behind an interval")
    bootstrap_seed: Annotated[int, Field(ge=0)] = Field(
        description="seed of bootstrap and sampled sign flips"
    )
    confidence: OpenShare = Field(description="confidence level of intervals and tests")
