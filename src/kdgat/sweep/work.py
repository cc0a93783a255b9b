"""What the cells of a plan do: equal work is done once, whatever the cells are called.

A stage that no override of a variant reaches gives the same model in every variant, and graphs do
not depend on the seed: such cells share one run.
"""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines, settings
from kedro.pipeline import Pipeline
from omegaconf import OmegaConf

from kdgat import locations
from kdgat.errors import ParameterError
from kdgat.parameters import check_parameters, flatten
from kdgat.sweep.cells import WHOLE_CHAIN, Cell
from kdgat.sweep.plan import Plan

DEFAULT_PIPELINE = "__default__"
SEED = "params:seed"
RUN_PARAMETERS = ("dataset", "seed")
ANY_SEED = "{seed}"


@dataclass(frozen=True)
class Work:
    """One run, asked for by one or more cells.

    Two of them are equal where pipeline, dataset, seed, parameters and inputs are.

    Args:
        pipeline: as in the plan.
        dataset: folder below the raw root.
        seed: None where the pipeline does not use one.
        parameters: dotted path and value, as text, of all that the pipeline reads.
        inputs: name of an input and the work of the plan that makes it.
        cell: the first cell that asks for it.
        outputs: name and file of all versioned outputs.
    """

    pipeline: str
    dataset: str
    seed: int | None
    parameters: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, "Work"], ...]
    cell: Cell = field(compare=False)
    outputs: tuple[tuple[str, Path], ...] = field(compare=False)

    @cached_property
    def key(self) -> str:
        """Name the work by its content, 16 hex digits."""
        content = [self.pipeline, self.dataset, self.seed, self.parameters]
        inputs = [(name, work.key) for name, work in self.inputs]
        text = json.dumps([content, inputs])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def before(self) -> list["Work"]:
        """List the works whose outputs this one reads, each once."""
        return list(dict.fromkeys(work for _, work in self.inputs))

    def with_all_before(self) -> list["Work"]:
        """List this work and all that it builds on, each once, what comes first first."""
        earlier = [each for work in self.before for each in work.with_all_before()]
        return list(dict.fromkeys([*earlier, self]))


def plan_work(plan: Plan) -> dict[Cell, Work]:
    """Resolve every cell of a plan.

    Args:
        plan: the plan.

    Returns:
        Cell -> work, in the plan's order.

    Raises:
        ParameterError: A pipeline does not exist, an override is no parameter or is out of range,
            or no pipeline of the plan reads it.
    """
    _refuse_unknown_pipelines(plan)
    _refuse_idle_overrides(plan)
    _refuse_other_seed(plan)
    resolved: dict[tuple, dict[str, str]] = {}
    files = {
        dataset: _templates(dataset, plan.environment, locations.data_root())
        for dataset in plan.datasets
    }
    makers: dict[tuple, dict[str, Work]] = {}
    works = {}
    for cell in plan.cells():
        changed = (cell.dataset, cell.overrides)
        if changed not in resolved:
            resolved[changed] = _parameters(cell)
        values = resolved[changed] | {"seed": str(cell.trained_with)}
        read = makers.setdefault((cell.dataset, cell.seed, plan.run_variant(cell)), {})
        works[cell] = _work(cell, values, read, files[cell.dataset])
        made = makers.setdefault((cell.dataset, cell.seed, cell.variant), {})
        made |= {name: works[cell] for name, _ in works[cell].outputs}
    return works


def pipeline_of(name: str) -> Pipeline:
    """Find a plan's pipeline among those registered."""
    return pipelines[DEFAULT_PIPELINE if name == WHOLE_CHAIN else name]


def configuration(environment: str | None, runtime_params: dict) -> OmegaConfigLoader:
    """Open the project's configuration as `kedro run` would."""
    locations.check_environment(environment)
    return OmegaConfigLoader(
        conf_source=settings.CONF_SOURCE,
        env=environment,
        runtime_params=runtime_params,
        **settings.CONFIG_LOADER_ARGS,
    )


def _refuse_unknown_pipelines(plan: Plan) -> None:
    known = [WHOLE_CHAIN, *(name for name in pipelines if name != DEFAULT_PIPELINE)]
    for name in plan.pipelines:
        if name not in known:
            raise ParameterError(f"unknown pipeline '{name}' in the plan: {', '.join(known)}")


def _refuse_idle_overrides(plan: Plan) -> None:
    read = set().union(*(_groups_read(name, locations.BUILT_IN_DATASET) for name in plan.pipelines))
    for variant, overrides in plan.overrides.items():
        for key in overrides:
            if not any(key == group or key.startswith(f"{group}.") for group in read):
                raise ParameterError(
                    f"variant '{variant}' changes {key}, which no pipeline of the plan reads: "
                    f"{', '.join(plan.pipelines)} read {', '.join(sorted(read))}"
                )


def _refuse_other_seed(plan: Plan) -> None:
    """A run finds models of its own seed and of the default one, and no others."""
    default = configuration(plan.environment, {})["globals"]["seed"]
    if plan.one_seed and plan.seeds[0] != default:
        raise ParameterError(
            f"one_seed runs {', '.join(plan.one_seed)} with the first seed, {plan.seeds[0]}: "
            f"let the seeds begin with the default one, {default}"
        )


def _groups_read(pipeline: str, dataset: str) -> set[str]:
    inputs = pipeline_of(pipeline).inputs()
    groups = {name.removeprefix("params:") for name in inputs if name.startswith("params:")}
    if "raw_captures" in inputs and dataset == locations.BUILT_IN_DATASET:
        groups.add("simulator")  # it writes the captures of the built-in dataset
    return groups - set(RUN_PARAMETERS)


def _parameters(cell: Cell) -> dict[str, str]:
    dots = [f"{key}={value}" for key, value in cell.overrides]
    changes = OmegaConf.to_container(OmegaConf.from_dotlist(dots))
    runtime = {"dataset": cell.dataset, "seed": cell.trained_with, **changes}
    raw = configuration(cell.environment, runtime)["parameters"]
    values = flatten(check_parameters(raw).model_dump(mode="json"))
    return {key: str(value) for key, value in values.items()}


def _work(cell: Cell, values: dict[str, str], made: dict[str, Work], files: dict[str, str]) -> Work:
    pipeline = pipeline_of(cell.pipeline)
    groups = _groups_read(cell.pipeline, cell.dataset)
    read = {
        key: value
        for key, value in values.items()
        if any(key == group or key.startswith(f"{group}.") for group in groups)
    }
    return Work(
        pipeline=cell.pipeline,
        dataset=cell.dataset,
        seed=cell.trained_with if _has_seed(pipeline, files) else None,
        parameters=tuple(sorted(read.items())),
        inputs=tuple((name, made[name]) for name in sorted(pipeline.inputs() & made.keys())),
        cell=cell,
        outputs=tuple(
            (name, _with_seed(files[name], cell.trained_with))
            for name in sorted(pipeline.all_outputs() & files.keys())
        ),
    )


def _has_seed(pipeline: Pipeline, files: dict[str, str]) -> bool:
    """Say whether a pipeline uses the seed, or reads or writes files of one."""
    read_or_made = pipeline.inputs() | pipeline.all_outputs()
    return SEED in read_or_made or any(ANY_SEED in files.get(name, "") for name in read_or_made)


def versioned_files(dataset: str, seed: int) -> dict[str, Path]:
    """Give the file of every versioned dataset of the catalog; a version lies below it."""
    return {
        name: _with_seed(file, seed)
        for name, file in _templates(dataset, None, locations.data_root()).items()
    }


@cache
def _templates(dataset: str, environment: str | None, data_root: str) -> dict[str, str]:
    """Give the versioned files with ANY_SEED in place of the seed: the catalog is slow to read.

    It names files below `data_root`, which therefore tells one answer from another.
    """
    catalog = configuration(environment, {"dataset": dataset, "seed": ANY_SEED})["catalog"]
    return {name: entry["filepath"] for name, entry in catalog.items() if entry.get("versioned")}


def _with_seed(template: str, seed: int) -> Path:
    return Path(template.replace(ANY_SEED, str(seed)))
