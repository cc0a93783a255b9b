"""Stage `teacher`."""

from typing import Literal

from pydantic import Field

from kdgat.parameters.fit import Curriculum, Fit
from kdgat.parameters.networks import ClassifierModel
from kdgat.parameters.types import Group, Share


class Teacher(Group):
    """Stage `teacher`: the teacher GAT."""

    mode: Literal["normal", "curriculum"] = Field(description="what each epoch sees")
    id_dropout: Share = Field(
        description="share of training windows whose IDs are hidden (the unknown row)"
    )
    model: ClassifierModel
    fit: Fit
    curriculum: Curriculum
