"""What a sweep runs: one small YAML file, read the same way here and on a cluster.

    pipelines: [data_processing, autoencoder, teacher, distillation, fusion]
    datasets: [synthetic]
    seeds: 1-5                   # or a list: [1, 2, 7]
    overrides:                   # name of a variant -> the parameters it changes
      distilled: {}
      undistilled: {distillation.soft.enabled: false}
    one_seed: [teacher]          # may be left out: stages that run once for all seeds
    one_variant: [teacher]       # may be left out: stages that run as the first variant, for all
    reference: distilled         # may be left out: the variant that all others are compared with
    environment: smoke           # may be left out: Kedro's --env

A plan's cells are independent but for one rule: a cell may begin when the cell of the pipeline
before it, with the same dataset, seed and variant, is done.
"""

from itertools import product
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from kdgat.errors import ParameterError
from kdgat.parameters import Group, flatten
from kdgat.sweep.cells import WHOLE_CHAIN, Cell, Value

PLAIN_VARIANT = "plain"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Plan(Group):
    """Pipelines × datasets × seeds × variants."""

    pipelines: Annotated[list[Name], Field(min_length=1)] = Field(
        description="one after the other for each dataset, seed and variant; or just `chain`"
    )
    datasets: Annotated[list[Name], Field(min_length=1)] = Field(
        description="folders below the raw root"
    )
    seeds: Annotated[list[Seed], Field(min_length=1)] = Field(
        description="seeds of every model: a list, or `1-5`"
    )
    overrides: Annotated[dict[Name, dict[str, Value]], Field(min_length=1)] = Field(
        default={PLAIN_VARIANT: {}},
        description="name of a variant -> dotted parameter -> value",
    )
    one_seed: list[Name] = Field(
        default=[], description="pipelines that run with the first seed alone, for all seeds"
    )
    one_variant: list[Name] = Field(
        default=[], description="pipelines that run as the first variant alone, for all variants"
    )
    reference: Name | None = Field(
        default=None, description="variant that the report compares all others with; else all pairs"
    )
    environment: Name | None = Field(default=None, description="Kedro's --env")

    @field_validator("seeds", mode="before")
    @classmethod
    def _expand_seeds(cls, seeds: object) -> object:
        return parse_seeds(str(seeds)) if isinstance(seeds, str | int) else seeds

    @field_validator("overrides", mode="before")
    @classmethod
    def _flatten_overrides(cls, overrides: object) -> object:
        if not isinstance(overrides, dict):
            return overrides
        for name, changes in overrides.items():
            if not isinstance(changes, dict | None):
                raise ValueError(f"variant '{name}' is {changes!r}: write {{key: value}}")
        return {name: flatten(changes or {}) for name, changes in overrides.items()}

    @field_validator("overrides")
    @classmethod
    def _refuse_owned(cls, overrides: dict[str, dict]) -> dict[str, dict]:
        for name, changes in overrides.items():
            for key in ("dataset", "seed"):
                if key in changes:
                    raise ValueError(f"variant '{name}' sets {key}: list {key}s in the plan itself")
            for key, value in changes.items():
                if any(sign in str(value) for sign in ",="):
                    raise ValueError(f"{key} is {value!r}: --params takes no ',' or '=' in a value")
        return overrides

    @field_validator("pipelines", "datasets", "seeds")
    @classmethod
    def _refuse_twice(cls, values: list) -> list:
        if len(set(values)) < len(values):
            raise ValueError(f"{values} holds an entry twice")
        return values

    @field_validator("pipelines")
    @classmethod
    def _chain_alone(cls, pipelines: list[str]) -> list[str]:
        if WHOLE_CHAIN in pipelines and len(pipelines) > 1:
            raise ValueError(f"'{WHOLE_CHAIN}' is all pipelines: it stands alone")
        return pipelines

    @model_validator(mode="after")
    def _refuse_foreign_stage(self) -> Self:
        for key in ("one_seed", "one_variant"):
            for name in getattr(self, key):
                if name not in self.pipelines:
                    raise ValueError(f"{key} names {name}, which is not among the pipelines")
        if self.reference is not None and self.reference not in self.overrides:
            variants = ", ".join(self.overrides)
            raise ValueError(f"reference is {self.reference}, the variants are {variants}")
        return self

    def run_variant(self, cell: Cell) -> str:
        """Name the variant that a cell's run is of: the first, where one run serves them all."""
        return next(iter(self.overrides)) if cell.pipeline in self.one_variant else cell.variant

    def runs(self, pipeline: str) -> list[int]:
        """Say which run serves each cell of a pipeline.

        Args:
            pipeline: one of the plan's.

        Returns:
            For cell n the number of the cell whose run it is: n, or the first with the same
            dataset where `one_seed` or `one_variant` let one run serve several.
        """
        cells = self.cells(pipeline)
        keys = [(cell.dataset, cell.trained_with, self.run_variant(cell)) for cell in cells]
        return [keys.index(key) for key in keys]

    def cells(self, pipeline: str | None = None) -> list[Cell]:
        """List the cells, pipeline by pipeline in the plan's order.

        Args:
            pipeline: only its cells; cell i of every pipeline has the same dataset, seed and
                variant, so that array task i of one stage follows array task i of another.

        Returns:
            The cells; the order never changes for the same plan.
        """
        wanted = self.pipelines if pipeline is None else [pipeline]
        first = next(iter(self.overrides))
        return [
            Cell(
                name,
                dataset,
                seed,
                variant,
                tuple(self.overrides[first if name in self.one_variant else variant].items()),
                self.environment,
                run_seed=self.seeds[0] if name in self.one_seed else None,
            )
            for name, dataset, seed, variant in product(
                wanted, self.datasets, self.seeds, self.overrides
            )
        ]

    def cell(self, name: str) -> Cell:
        """Find a cell by name.

        Raises:
            ParameterError: The plan has no such cell.
        """
        found = {cell.name: cell for cell in self.cells()}
        if name not in found:
            raise ParameterError(
                f"the plan has no cell '{name}'; one of its is '{next(iter(found))}'"
            )
        return found[name]


def read_plan(path: Path) -> Plan:
    """Read a plan file.

    Args:
        path: YAML as in this module's head.

    Returns:
        The checked plan.

    Raises:
        ParameterError: The file is missing or not YAML, a key is unknown, a value out of range.
    """
    if not path.is_file():
        raise ParameterError(f"there is no plan file {path}")
    try:
        raw = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ParameterError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return make_plan(raw, source=str(path))


def make_plan(raw: Any, source: str) -> Plan:
    """Check a plan.

    Args:
        raw: what the plan file or the command line says.
        source: where it says so, for the error.

    Raises:
        ParameterError: A key is unknown or missing, a value has the wrong type or is out of range.
    """
    try:
        return Plan.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the plan"
        allowed = f" (allowed: {', '.join(Plan.model_fields)})"
        hint = allowed if first["type"] in ("extra_forbidden", "model_type") else ""
        rule = first["msg"].removeprefix("Value error, ")
        raise ParameterError(f"{source}: {where}: {rule}{hint}") from None


def parse_seeds(text: str) -> list[int]:
    """Read `1-3,7` as [1, 2, 3, 7].

    Raises:
        ValueError: A part is neither a number nor a range, or the range is empty.
    """
    seeds = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise ValueError(f"'{text}' is neither a list of seeds nor a range such as 1-5")
        if int(last or first) < int(first):
            raise ValueError(f"the range {part.strip()} runs backwards")
        seeds += range(int(first), int(last or first) + 1)
    return seeds
