"""`kedro sweep` and `kedro report`."""

import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import click
import yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kdgat.errors import KdgatError, MissingInputError, ParameterError
from kdgat.sweep.plan import Plan, make_plan, read_plan

COLOURS = {"done": "green", "running": "cyan", "failed": "red", "missing": "yellow"}


def _plan_options(command: click.Command) -> click.Command:
    options = [
        click.argument(
            "plan_file", required=False, type=click.Path(dir_okay=False, path_type=Path)
        ),
        click.option("--pipelines", help="without a plan file: names, with commas"),
        click.option("--datasets", help="without a plan file: names, with commas"),
        click.option("--seeds", help="without a plan file: such as 1-5,8"),
        click.option(
            "--override",
            "overrides",
            multiple=True,
            help="without a plan file: VARIANT, or VARIANT:KEY=VALUE,KEY=VALUE; once per variant",
        ),
        click.option("--env", "environment", help="Kedro's environment"),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_plan_options
@click.option("--at-a-time", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--status", "only_status", is_flag=True, help="show where the plan stands, run nothing"
)
@click.option("--cell", "only_cell", help="run this cell alone, and what it builds on")
@click.option("--report/--no-report", "wants_report", default=True, show_default=True)
def sweep(
    plan_file: Path | None,
    at_a_time: int,
    only_status: bool,
    only_cell: str | None,
    wants_report: bool,
    **choices: Any,
) -> None:
    """Run what is missing of a plan: pipelines × datasets × seeds × variants.

    PLAN_FILE is a small YAML file (docs/comparing.md). Running it again runs only what is missing,
    failed or was made with other parameters; it ends with a report.
    """
    # MLflow and Kedro's pipelines: only when they are needed, or every command would wait.
    from kdgat.sweep.execute import Executor
    from kdgat.sweep.report import collect_plan, run_reporting
    from kdgat.sweep.status import State, assess
    from kdgat.sweep.work import plan_work

    plan = _read(plan_file, choices)
    works = plan_work(plan)
    asked = works[plan.cell(only_cell)].with_all_before() if only_cell else list(works.values())
    if only_status:
        statuses = assess(works.values())
    else:
        signal.signal(signal.SIGTERM, _end)
        Executor(at_a_time=at_a_time, say=_say).run(asked)
        statuses = assess(works.values())
    cells = {cell: statuses[work] for cell, work in works.items()}
    _show(cells, plan)
    done = all(statuses[work].state == State.DONE for work in asked)
    if wants_report and not only_status and not only_cell:
        name = plan_file.stem if plan_file else "sweep"
        try:
            collection = collect_plan(works, statuses)
            page = run_reporting(collection, name, plan.environment, reference=plan.reference)
            click.echo(f"report: {page}")
        except MissingInputError as error:
            click.echo(f"no report: {error}")
    if not done and not only_status:
        asked_for = "cell" if only_cell else "plan"
        raise KdgatError(
            f"the {asked_for} is not done: see the table above; the same command goes on"
        )


@click.command()
@_plan_options
@click.option(
    "--run", "run_ids", multiple=True, help="a version, or an MLflow run id; may be repeated"
)
@click.option("--filter", "search", default="", help="runs that match this filter of MLflow")
@click.option("--name", help="folder of the report  [default: the plan's name, else report]")
@click.option("--metric", help="column of the scorecard to compare by  [default: reporting.metric]")
def report(
    plan_file: Path | None,
    run_ids: tuple[str, ...],
    search: str,
    name: str | None,
    metric: str | None,
    **choices: Any,
) -> None:
    """Compare runs: those of a plan, or any that made scorecards.

    Without a plan the variants are named by the parameters in which the runs differ.
    """
    from kdgat.sweep.report import collect_plan, collect_runs, run_reporting
    from kdgat.sweep.status import assess
    from kdgat.sweep.work import plan_work

    environment, reference = choices["environment"], None
    if plan_file or any(choices[key] for key in ("pipelines", "datasets", "seeds", "overrides")):
        if run_ids or search:
            raise ParameterError(
                "a plan says which runs are compared: leave --run and --filter out"
            )
        plan = _read(plan_file, choices)
        works = plan_work(plan)
        collection = collect_plan(works, assess(works.values()))
        environment, reference = plan.environment, plan.reference
    else:
        collection = collect_runs(list(run_ids), search)
    folder = name or (plan_file.stem if plan_file else "report")
    page = run_reporting(collection, folder, environment, reference=reference, metric=metric)
    click.echo(f"report: {page}")


def _read(plan_file: Path | None, choices: dict[str, Any]) -> Plan:
    given = {key: value for key, value in choices.items() if value}
    if plan_file is not None:
        if given.keys() - {"environment"}:
            raise ParameterError(f"{plan_file} says what to run: leave --{min(given)} out")
        plan = read_plan(plan_file)
        return plan.model_copy(update=given)
    if not {"pipelines", "datasets", "seeds"} <= given.keys():
        raise ParameterError("name a plan file, or --pipelines, --datasets and --seeds")
    variants = dict(map(_variant, choices["overrides"]))
    if len(variants) < len(choices["overrides"]):
        raise ParameterError("--override names a variant twice: give it all its changes at once")
    raw = {**given, "overrides": variants or {"plain": {}}}
    for key in ("pipelines", "datasets"):
        raw[key] = [name.strip() for name in given[key].split(",")]
    return make_plan(raw, source="command line")


def _variant(text: str) -> tuple[str, dict[str, Any]]:
    name, _, changes = text.partition(":")
    pairs = [change.partition("=") for change in changes.split(",") if change]
    if any(not sign for _, sign, _ in pairs):
        raise ParameterError(f"--override {text}: write VARIANT:KEY=VALUE,KEY=VALUE")
    try:
        return name, {key: yaml.safe_load(value) for key, _, value in pairs}
    except yaml.YAMLError as error:
        raise ParameterError(f"--override {text}: a value is not YAML: {error.problem}") from error


def _show(cells: dict, plan: Plan) -> None:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for heading in ("dataset", "seed", "variant", *plan.pipelines):
        table.add_column(heading)
    by_name = {cell.name: status.state for cell, status in cells.items()}
    for cell in plan.cells(plan.pipelines[0]):
        states = [
            by_name[f"{pipeline}{cell.name.removeprefix(cell.pipeline)}"]
            for pipeline in plan.pipelines
        ]
        coloured = [f"[{COLOURS[state]}]{state}[/]" for state in states]
        table.add_row(cell.dataset, str(cell.seed), cell.variant, *coloured)
    console = Console(width=max(100, Console().width))
    console.print(table)
    counts = {state: list(by_name.values()).count(state) for state in COLOURS}
    console.print(", ".join(f"{count} {state}" for state, count in counts.items()), highlight=False)
    for cell, status in cells.items():
        if status.reason:
            line = f"{status.state} {cell.name}: {status.reason}"
            console.print(escape(line), highlight=False, soft_wrap=True)


def _say(line: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')}  {line}")


def _end(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
