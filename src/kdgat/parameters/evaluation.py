"""Operating points and the scorecard."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from kdgat.parameters.types import Group, OpenShare, PositiveInt, numbers_at_plus

Rate = Annotated[float, Field(gt=0.0, le=0.5)]


class Budget(Group):
    """The false-positive rate asked for, by protocol."""

    zero_shot: Rate = Field(description="false-positive rate asked of benign windows")
    calibrated: Rate = Field(description="the same of windows with a profile of their car")


class OperatingPoint(Group):
    """Where a score becomes an alarm: the same rule for every model, protocol and capture."""

    budget: Budget

    @property
    def budgets(self) -> dict[str, float]:
        """Protocol -> false-positive rate asked for."""
        return self.budget.model_dump()


class Evaluation(Group):
    """The scorecard."""

    persistence: Annotated[
        list[PositiveInt], Field(min_length=2, max_length=2), BeforeValidator(numbers_at_plus)
    ] = Field(
        description="k and n, at least k: an alarm of the alarm and episode scorecards needs k of "
        "the last n windows above the operating point"
    )
    bootstrap: PositiveInt = Field(description="bootstrap samples behind an interval")
    bootstrap_seed: Annotated[int, Field(ge=0)] = Field(
        description="seed of the bootstrap: equal for all runs, so that runs compare"
    )
    confidence: OpenShare = Field(description="confidence level of the intervals")
    trees: PositiveInt = Field(
        description="trees of each forest among the baselines, and of boosting"
    )
    drawn_model: Literal[
        "teacher_autoencoder",
        "teacher_classifier",
        "teacher_fusion",
        "student_autoencoder",
        "student_classifier",
        "student_fusion",
    ] = Field(description="model whose scores are drawn over time")

    @field_validator("persistence")
    @classmethod
    def _check_persistence(cls, persistence: list[int]) -> list[int]:
        if persistence[0] > persistence[1]:
            raise PydanticCustomError("k_of_n", "k, the first, should be at most n, the second")
        return persistence
