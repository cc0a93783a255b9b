"""Ranges that parameters share, and the group they stand in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0.0)]
NonNegativeInt = Annotated[int, Field(ge=0)]
NonNegativeFloat = Annotated[float, Field(ge=0.0)]
DATASET_NAME, FOLDER_NAME = r"^[a-z][a-z0-9_]*$", r"^[^/.][^/]*$"
PATTERNS = {DATASET_NAME: "small letters, digits and _", FOLDER_NAME: "no /, no . first"}
"""Patterns of text, in words."""

DatasetName = Annotated[str, Field(pattern=DATASET_NAME)]
FolderName = Annotated[str, Field(pattern=FOLDER_NAME)]


class Group(BaseModel):
    """A closed, frozen group of parameters: an unknown key or a wrong type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def split_at_plus(value: object) -> object:
    """`--params` cannot give a list: `a+b` stands for one."""
    return [name for name in value.split("+") if name] if isinstance(value, str) else value


def numbers_at_plus(value: object) -> object:
    """The same for whole numbers: `2+3`."""
    if not isinstance(value, str):
        return value
    return [int(part) if part.isdecimal() else part for part in value.split("+")]
