"""Every parameter with its type, default and meaning: for the terminal, and as a page."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kdgat.markdown import table
from kdgat.parameters import Parameters
from kdgat.parameters.types import PATTERNS

PAGE_INTRODUCTION = """# Configuration

Written by `kedro params --output docs/configuration.md` from the types in `src/kdgat/parameters/`
and the values in `conf/base/`; not by hand. In a terminal: `kedro params teacher.fit`.

Values are read in this order, the later wins:

1. `conf/base/`: the defaults below;
2. `conf/<environment>/`: `--env smoke` shrinks the chain for tests; `conf/local/` is yours, not in
   git, and read where no other environment is named;
3. the command line: `--params seed=2,teacher.mode=curriculum`, names dotted as below. It cannot
   give a list; where the type says so, `a+b` stands for one.

An unknown name, a wrong type or a value out of range ends in one sentence before anything runs,
with exit code 1. The parameters of a run are in its MLflow run, its record and every model it made.

| variable of the environment | moves | default |
|---|---|---|
| `KDGAT_DATA_ROOT` | everything that kdgat writes | `data` |
| `KDGAT_RAW_ROOT` | where captures are read | `01_raw` in the data root |
| `MLFLOW_TRACKING_URI` | the tracking store, a server for instance | `mlflow.db` in the data root |
| `KEDRO_ENV` | the environment, as `--env` | `local` |
"""
TYPE_NAMES = {bool: "true or false", str: "text", int: "whole number", float: "number"}
LIMITS = {
    "ge": "at least {}",
    "gt": "above {}",
    "le": "at most {}",
    "lt": "below {}",
    "pattern": "{}",
}
PLUS = "on the command line a+b"


class Described(NamedTuple):
    """One parameter.

    Attributes:
        name: dotted, as `--params` takes it.
        type: what it may be, in words.
        default: as YAML.
        meaning: one sentence.
    """

    name: str
    type: str
    default: str
    meaning: str


def describe(parameters: Parameters, *words: str) -> list[Described]:
    """Describe every parameter.

    Args:
        parameters: the defaults.
        words: only parameters whose names hold one of them; without words, all.

    Returns:
        In the order of the chain.
    """
    found = _leaves(parameters, "")
    return [row for row in found if not words or any(word in row.name for word in words)]


def parameter_lines(rows: list[Described]) -> str:
    """Lay parameters out for a terminal: name and default, and below what it may be and means."""
    return "\n".join(f"{row.name} = {row.default}\n    {row.meaning} ({row.type})" for row in rows)


def parameter_page(parameters: Parameters) -> str:
    """Write the page of all parameters: a section for every key at the top of `conf/`."""
    parts = [PAGE_INTRODUCTION]
    single = [name for name in type(parameters).model_fields if not _is_group(parameters, name)]
    parts.append(_section("run", "What runs.", describe_single(parameters, single)))
    for name, value in parameters:
        if isinstance(value, BaseModel):
            text = " ".join((type(value).__doc__ or "").split())
            parts.append(_section(name, text, list(_leaves(value, f"{name}."))))
    return "\n".join(parts)


def describe_single(parameters: Parameters, names: list[str]) -> list[Described]:
    """Describe the parameters that stand in no group."""
    return [row for row in _leaves(parameters, "") if row.name in names]


def type_in_words(annotation: Any, metadata: list[Any]) -> str:
    """Say what a value may be: `whole number, at least 1`, `number, 0 to 1`, `fixed or adaptive`.

    Args:
        annotation: of a field, without its limits.
        metadata: limits, as pydantic keeps them.
    """
    if get_origin(annotation) is Annotated:
        base, *limits = get_args(annotation)
        inner = [limit for item in limits for limit in getattr(item, "metadata", [item])]
        return type_in_words(base, [*metadata, *inner])
    if get_origin(annotation) is Literal:
        return " or ".join(str(choice) for choice in get_args(annotation))
    if get_origin(annotation) is list:
        return _list_in_words(get_args(annotation)[0], metadata)
    if get_origin(annotation) is dict:
        return "group by name"
    return ", ".join([TYPE_NAMES[annotation], *_limits(metadata)])


def _list_in_words(item: Any, metadata: list[Any]) -> str:
    length = [str(limit.min_length) for limit in metadata if hasattr(limit, "min_length")]
    count = f"{length[0]} × " if length else "list: "
    plus = [PLUS] if any(hasattr(limit, "func") for limit in metadata) else []
    return "; ".join([count + type_in_words(item, []), *plus])


def _limits(metadata: list[Any]) -> Iterator[str]:
    held = {
        name: getattr(limit, name)
        for limit in metadata
        for name in LIMITS
        if getattr(limit, name, None) is not None
    }
    if held.keys() >= {"ge", "le"}:
        yield f"{held['ge']} to {held['le']}"
        return
    for name, words in LIMITS.items():
        if name in held:
            yield words.format(PATTERNS.get(held[name], held[name]))


def _is_group(parameters: BaseModel, name: str) -> bool:
    return isinstance(getattr(parameters, name), BaseModel)


def _leaves(group: BaseModel, prefix: str) -> Iterator[Described]:
    for name, field in type(group).model_fields.items():
        value = getattr(group, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield _described(f"{prefix}{name}", field, value)


def _described(name: str, field: FieldInfo, value: Any) -> Described:
    default = yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()
    words = type_in_words(field.annotation, field.metadata)
    return Described(name, words, default, field.description or "")


def _section(name: str, text: str, rows: list[Described]) -> str:
    lines = [(f"`{row.name}`", f"`{row.default}`", row.type, row.meaning) for row in rows]
    return f"## {name}\n\n{text}\n\n{table(('parameter', 'default', 'type', 'meaning'), lines)}\n"
