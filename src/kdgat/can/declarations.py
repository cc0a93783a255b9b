"""What is known about a dataset, declared in YAML: adding one needs no Python."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from kdgat.can.readers import FORMATS
from kdgat.errors import DataError
from kdgat.parameters import Group

ATTACK_FREE = "attack_free"
SUPPRESS = "suppress"
"""An attack that silences an ID: no frame is part of it."""

UNKNOWN = "unknown"


def car_name(capture: str, vehicle: str) -> str:
    """Name a capture's vehicle; one that nobody names is a vehicle of its own, called as it is."""
    return capture if vehicle == UNKNOWN else vehicle


Scenario = Annotated[str, Field(pattern=r"^(train|test)_[a-z0-9_]+$")]
Checksum = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Labels(Group):
    """Where the labels of the frames come from."""

    source: Literal["rows", "intervals"] = Field(
        description="rows: each row has a label, in formats that have labels; "
        "intervals: the file of intervals alone says which frames are attacks"
    )
    intervals: str | None = Field(
        default=None,
        description="file with the intervals of attacks, relative to the dataset's folder; "
        "with rows it only numbers the episodes, and bounds those that silence an ID",
    )
    names: dict[str, str] = Field(
        default={}, description="capture -> its name in there, where the two differ"
    )


class Declaration(Group):
    """One dataset."""

    title: str = Field(description="full name")
    source: str = Field(description="where to get it")
    layout: str = Field(description="how to lay it out below its folder, one sentence")
    licence: str = Field(description="what one may do with it")
    citation: str = Field(description="paper to cite")
    formats: list[str] = Field(
        description="formats of its captures; Parquet is always allowed, others are refused"
    )
    labels: Labels
    scenarios: dict[Scenario, list[str]] = Field(
        default={},
        description="scenario -> patterns of files, relative to the dataset's folder; a file goes "
        "to the first that fits; without any, each folder train_* or test_* is a scenario",
    )
    ignored: list[str] = Field(default=[], description="patterns of files that are left out")
    vehicles: dict[str, str] = Field(
        default={}, description="pattern of <scenario>/<capture> -> vehicle, the first that fits"
    )
    attack_types: dict[str, str] = Field(
        default={}, description="pattern of <scenario>/<capture> -> attack type, likewise"
    )
    checksums: dict[str, Checksum] = Field(
        default={}, description="file, relative to the dataset's folder -> SHA-256"
    )


def read_declaration(path: Path) -> Declaration:
    """Read the declaration of a dataset.

    Raises:
        DataError: The file is no YAML, or a key is unknown, missing or out of range.
    """
    try:
        declaration = Declaration.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole"
        found = "" if first["type"] == "missing" else f", found {first['input']!r}"
        raise DataError(f"{path}: {key}: {first['msg']}{found}.") from None
    unknown = sorted(set(declaration.formats) - set(FORMATS))
    if unknown:
        raise DataError(
            f"{path}: formats: {', '.join(unknown)} unknown; allowed: {', '.join(FORMATS)}."
        )
    return declaration


def vehicle_of(name: str, declaration: Declaration | None = None) -> str:
    """Return the vehicle of a capture.

    Where no declaration says it, it is what follows the last hyphen of the capture's name
    (`DoS-kia`: kia), unless that is a number: then it is unknown.

    Args:
        name: `<scenario>/<capture>`.
        declaration: Of the dataset, if there is one.
    """
    declared = _first_match(name, declaration.vehicles if declaration else {})
    return declared or _parts(name)[1] or UNKNOWN


def attack_type_of(name: str, declaration: Declaration | None = None) -> str:
    """Return the attack type of a capture.

    Where no declaration says it, it is the capture's name without vehicle and number, in small
    letters (`DoS-kia`, `DoS-1`: dos; `attack-free-kia`: attack_free).
    """
    declared = _first_match(name, declaration.attack_types if declaration else {})
    return declared or _parts(name)[0]


def _first_match(name: str, patterns: dict[str, str]) -> str | None:
    return next((value for pattern, value in patterns.items() if fnmatchcase(name, pattern)), None)


def _parts(name: str) -> tuple[str, str]:
    """Split a capture's name into attack type and vehicle, the latter empty if not named."""
    stem = name.rsplit("/", 1)[-1].lower()
    unnumbered = re.sub(r"(.)[-_]\d+$", r"\1", stem)
    attack_type, hyphen, vehicle = unnumbered.rpartition("-")
    if unnumbered != stem or not hyphen or unnumbered == "attack-free":
        attack_type, vehicle = unnumbered, ""
    return attack_type.replace("-", "_"), vehicle
