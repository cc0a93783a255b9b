"""What `kedro params` says, and that the page of all parameters is up to date."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from kdgat.locations import PROJECT
from kdgat.parameter_page import describe, parameter_lines, parameter_page, type_in_words
from kdgat.parameters.data_processing import DataProcessing


class Sizes(BaseModel):
    share: Annotated[float, Field(ge=0.0, le=1.0)]
    open_share: Annotated[float, Field(gt=0.0, lt=1.0)]
    half_open: Annotated[float, Field(gt=0.0, le=1.0)]
    count: Annotated[int, Field(ge=1)] = Field(description="how many")
    switch: bool
    mode: Literal["fixed", "adaptive"]
    pair: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)]
    more: dict[str, int]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("share", "number, 0.0 to 1.0"),
        ("open_share", "number, above 0.0, below 1.0"),
        ("half_open", "number, above 0.0, at most 1.0"),
        ("count", "whole number, at least 1"),
        ("switch", "true or false"),
        ("mode", "fixed or adaptive"),
        ("pair", "2 × whole number, at least 1"),
        ("more", "group by name"),
    ],
)
def test_types_in_words(name, words):
    field = Sizes.model_fields[name]
    assert type_in_words(field.annotation, field.metadata) == words


def test_a_list_says_how_the_command_line_gives_it():
    field = DataProcessing.model_fields["allowed_repeats"]
    assert type_in_words(field.annotation, field.metadata) == "list: text; on the command line a+b"


def test_words_choose_by_name(defaults):
    rows = describe(defaults, "teacher.fit.epochs", "seed")
    assert rows[0].name == "seed"
    assert [row.name for row in rows if "fit" in row.name] == ["teacher.fit.epochs"]
    line = parameter_lines([row for row in rows if row.name == "teacher.fit.epochs"])
    assert line.startswith("teacher.fit.epochs = ")
    assert line.endswith("largest number of epochs (whole number, at least 1)")
    assert describe(defaults, "nothing of the kind") == []


def test_page_is_up_to_date(defaults):
    page = PROJECT / "docs" / "configuration.md"
    assert parameter_page(defaults) == page.read_text(), (
        "run `kedro params --output docs/configuration.md`"
    )
