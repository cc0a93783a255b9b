"""All parameters of a run, checked as one tree."""

from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError

from kdgat.errors import ParameterError
from kdgat.parameters.autoencoder import Autoencoder
from kdgat.parameters.data_processing import DataProcessing, Simulator
from kdgat.parameters.distillation import Distillation
from kdgat.parameters.evaluation import Evaluation, OperatingPoint
from kdgat.parameters.fusion import Fusion
from kdgat.parameters.reporting import Reporting
from kdgat.parameters.run import Compute, Logging
from kdgat.parameters.teacher import Teacher
from kdgat.parameters.types import DatasetName, Group


class Parameters(Group):
    """All parameters of a run."""

    dataset: DatasetName = Field(description="folder below the raw root")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(description="seed of every model")
    data_processing: DataProcessing
    simulator: Simulator
    compute: Compute
    logging: Logging
    autoencoder: Autoencoder
    teacher: Teacher
    distillation: Distillation
    fusion: Fusion
    operating_point: OperatingPoint
    evaluation: Evaluation
    reporting: Reporting


def check_parameters(raw: dict) -> Parameters:
    """Check the whole tree of parameters.

    Args:
        raw: parameters as read from `conf/` and `--params`.

    Returns:
        The typed parameters.

    Raises:
        ParameterError: A key is unknown, a value has the wrong type or lies out of range.
    """
    try:
        return Parameters.model_validate(raw)
    except ValidationError as error:
        first, *others = error.errors()
        more = f" (and {len(others)} more)" if others else ""
        raise ParameterError(_sentence(first) + more) from None


def _sentence(error: dict) -> str:
    *path, key = error["loc"]
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        allowed = _fields_at(path)
        close = get_close_matches(key, allowed, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else f"allowed: {', '.join(allowed)}"
        return f"unknown parameter '{name}': {hint}"
    if error["type"] == "missing":
        return f"parameter '{name}' is missing"
    if error["type"] == "model_type":
        inside = ", ".join(f"{name}.{field}" for field in _fields_at([*path, key]))
        return f"parameter '{name}' is {error['input']!r}: it is a group of {inside}"
    rule = error["msg"].removeprefix("Input ")
    return f"parameter '{name}' is {error['input']!r}: {rule}"


def _fields_at(path: list[str]) -> list[str]:
    group: type = Parameters
    for key in path:
        if get_origin(group) is dict:  # of groups, by mode or dataset
            group = get_args(group)[1]
        else:
            group = group.model_fields[key].annotation
    return list(group.model_fields)


def flatten(parameters: BaseModel | dict[str, Any]) -> dict[str, Any]:
    """Name every single value by its dotted path, as `--params` takes it.

    Args:
        parameters: a group of parameters, or nested dictionaries.

    Returns:
        Dotted path -> value; a dictionary in a group is a value.
    """
    nested = dict if isinstance(parameters, dict) else BaseModel
    flat = {}
    for key, value in dict(parameters).items():
        if isinstance(value, nested):
            flat |= {f"{key}.{inner}": leaf for inner, leaf in flatten(value).items()}
        else:
            flat[key] = value
    return flat
