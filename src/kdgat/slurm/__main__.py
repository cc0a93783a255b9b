"""`python -m kdgat.slurm submit | status | resubmit`."""

import os
import shutil
import sys
from dataclasses import replace
from difflib import get_close_matches
from inspect import isclass
from pathlib import Path
from typing import Any, get_origin

import click
import yaml

from kdgat import locations
from kdgat.errors import KdgatError, ParameterError, is_disk_trouble, sentence_of
from kdgat.parameters import Group, Parameters
from kdgat.slurm import stages
from kdgat.slurm.queue import states, states_if_any
from kdgat.slurm.sites import Site, read_site, refuse_owned
from kdgat.slurm.status import rows, table
from kdgat.slurm.submission import (
    Settings,
    Submission,
    environment_script,
    open_submission,
    start_submission,
)
from kdgat.sweep.cells import WHOLE_CHAIN
from kdgat.sweep.plan import Plan, make_plan, parse_seeds, read_plan

CHAIN = ("data_processing", "autoencoder", "teacher", "distillation", "fusion")
SITES = locations.PROJECT / "slurm" / "sites"
PIPELINES = locations.PROJECT / "src" / "kdgat" / "pipelines"
SITE_HELP = "Profile in slurm/sites/, or a path to a .yml  [default: $KDGAT_SLURM_SITE]"

site_option = click.option("--site", envvar="KDGAT_SLURM_SITE", help=SITE_HELP)
dry_option = click.option("--dry-run", is_flag=True, help="Print commands and scripts, send none.")
check_option = click.option("--check", is_flag=True, help="Dry run, and ask sbatch --test-only.")


@click.group()
def cli() -> None:
    """Run kdgat's pipelines as Slurm jobs: docs/cluster.md."""


@cli.command()
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--plan", "plan_file", type=Path, help="A sweep's plan file, for all of the below.")
@click.option("--dataset", "datasets", multiple=True, help="May be given several times.")
@click.option("--seeds", help="Such as 2, or 1-5, or 1,3,7.")
@click.option("--params", help="As of kedro run: key=value,key=value.")
@click.option("--env", "environment", help="As of kedro run.")
@click.option("--concurrency", type=click.IntRange(1), help="Most tasks of a stage at a time.")
@click.option("--warning", type=click.IntRange(1), help="Seconds of warning before the limit.")
@site_option
@dry_option
@check_option
def submit(
    words: tuple[str, ...],
    site: str | None,
    concurrency: int | None,
    warning: int | None,
    dry_run: bool,
    check: bool,
    **choice,
) -> None:
    """Send pipelines, each after the one before; without a name the whole chain, stage by stage.

    What follows -- goes to sbatch as it is:  slurm/submit fusion --seeds 2 -- --time=02:00:00
    """
    pipelines, flags = _split(words)
    plan = _plan(pipelines, **choice)
    _refuse_unknown(plan)
    profile = read_site(site, SITES)
    _refuse_unknown_datasets(plan, profile)
    settings = Settings(
        {stage: [*profile.flags(stage), *flags] for stage in plan.pipelines}, concurrency, warning
    )
    is_dry = dry_run or check
    submission = start_submission(plan, settings, profile, is_dry=is_dry)
    batches = stages.whole_plan(submission)
    if is_dry:
        _print_dry(submission, batches, environment_script(profile, submission.folder.parents[1]))
        _print_checks(submission, batches, check)
    else:
        try:
            _send(submission, batches)
        except KdgatError:
            if not submission.sent():
                shutil.rmtree(submission.folder)  # nothing was queued: leave nothing behind
            raise


@cli.command()
@click.argument("name", required=False)
@site_option
def status(name: str | None, site: str | None) -> None:
    """Show the cells of a submission (the newest, or NAME): job, state, last log line."""
    submission = open_submission(name, read_site(site, SITES))
    known = states_if_any()
    click.echo(f"submission {submission.folder}")
    click.echo("\n".join(table(rows(submission, known))))


@cli.command()
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--snapshot", is_flag=True, help="With the code as it is now, not as submitted.")
@site_option
@dry_option
@check_option
def resubmit(
    words: tuple[str, ...], snapshot: bool, site: str | None, dry_run: bool, check: bool
) -> None:
    """Send again what failed or is missing of a submission (the newest, or NAME).

    What follows -- is added to its flags of sbatch:  slurm/resubmit -- --time=08:00:00
    """
    names, flags = _split(words)
    if len(names) > 1:
        raise ParameterError(f"resubmit takes one submission, not {len(names)}")
    submission = open_submission(next(iter(names), None), read_site(site, SITES))
    longer = {stage: [*own, *flags] for stage, own in submission.settings.flags.items()}
    submission = replace(submission, settings=replace(submission.settings, flags=longer))
    known = states_if_any() if dry_run else states()
    batches = stages.what_is_missing(submission, known)
    if not batches:
        click.echo("nothing to send: every cell is complete or still in the queue")
    elif dry_run or check:
        click.echo("\n".join(stages.dry_lines(submission, batches)))
        _print_checks(submission, batches, check)
    else:
        if snapshot:
            submission.add_snapshot()
        _send(submission, batches)


def _split(words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Part names from what followed `--`: click has taken the `--` itself away."""
    arguments = sys.argv[1:]
    count = len(arguments) - arguments.index("--") - 1 if "--" in arguments else 0
    names, flags = list(words[: len(words) - count]), list(words[len(words) - count :])
    refuse_owned(flags, source="after --")
    return names, flags


def _plan(
    pipelines: list[str],
    *,
    plan_file: Path | None,
    datasets: tuple[str, ...],
    seeds: str | None,
    params: str | None,
    environment: str | None,
) -> Plan:
    if plan_file is not None:
        if pipelines or datasets or seeds or params or environment:
            raise ParameterError("--plan says everything: give no pipeline, dataset, seed, params")
        return read_plan(plan_file)
    defaults = _defaults()
    raw = {
        "pipelines": pipelines or list(CHAIN),
        "datasets": list(datasets) or [defaults["dataset"]],
        "seeds": _seeds(seeds) if seeds else [defaults["seed"]],
        "environment": environment,
    }
    if params:
        raw["overrides"] = {"changed": _changes(params)}
    return make_plan(raw, "the command line")


def _changes(text: str) -> dict[str, Any]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    for key, _, value in pairs:
        if not key or not value:
            raise ParameterError(f"--params {text}: write KEY=VALUE,KEY=VALUE")
        if key in ("dataset", "seed"):
            raise ParameterError(
                f"--params sets {key}: give --{key if key == 'dataset' else 'seeds'}"
            )
    return {key: yaml.safe_load(value) for key, _, value in pairs}


def _seeds(text: str) -> list[int]:
    try:
        return parse_seeds(text)
    except ValueError as error:
        raise ParameterError(f"--seeds: {error}") from None


def _defaults() -> dict:
    values: dict = {}
    for environment in ("base", "local"):
        path = locations.PROJECT / "conf" / environment / "globals.yml"
        if path.exists():
            values |= yaml.safe_load(path.read_text()) or {}
    return values


def _refuse_unknown(plan: Plan) -> None:
    known = sorted(path.parent.name for path in PIPELINES.glob("*/pipeline.py"))
    for name in plan.pipelines:
        if name not in (*known, WHOLE_CHAIN):
            there_are = ", ".join([*known, f"{WHOLE_CHAIN} (all in one job)"])
            raise ParameterError(f"there is no pipeline '{name}': {there_are}")
    locations.check_environment(plan.environment)
    _refuse_wrong_order(plan.pipelines)
    default = _defaults()["seed"]
    if plan.one_seed and plan.seeds[0] != default:
        raise ParameterError(
            f"one_seed runs {', '.join(plan.one_seed)} with the first seed, {plan.seeds[0]}: "
            f"let the seeds begin with the default one, {default}"
        )
    for key in sorted({key for changes in plan.overrides.values() for key in changes}):
        _refuse_unknown_parameter(key)


def _refuse_wrong_order(pipelines: list[str]) -> None:
    """Every stage waits for the one before it: that must not be one that needs it."""
    named = [name for name in pipelines if name in CHAIN]
    right = [name for name in CHAIN if name in named]
    if named != right:
        raise ParameterError(f"{', '.join(named)} do not follow one another: {', '.join(right)} do")


def _refuse_unknown_datasets(plan: Plan, site: Site) -> None:
    """A misspelt dataset is to be found now, where the captures can be seen from here."""
    root = Path(site.scratch or locations.data_root())
    raw_root = site.environment.get("KDGAT_RAW_ROOT") or os.environ.get("KDGAT_RAW_ROOT")
    raw = Path(raw_root or root / "01_raw")
    for name in plan.datasets:
        places = (raw / name, root / "05_model_input" / name)
        if name == locations.BUILT_IN_DATASET or not raw.is_dir() or any(map(Path.is_dir, places)):
            continue
        there = ", ".join(sorted(path.name for path in raw.iterdir() if path.is_dir()))
        raise ParameterError(f"there is no dataset '{name}' in {raw}: {there or 'it is empty'}")


def _refuse_unknown_parameter(key: str) -> None:
    """A misspelt parameter is to be found now, not when a job has waited its turn."""
    group: Any = Parameters
    for part in key.split("."):
        if get_origin(group) is dict:
            return
        fields = group.model_fields if isclass(group) and issubclass(group, Group) else {}
        if part not in fields:
            close = get_close_matches(part, fields, n=1, cutoff=0.5)
            hint = f": did you mean '{close[0]}'?" if close else ""
            raise ParameterError(f"unknown parameter '{key}'{hint}")
        group = fields[part].annotation


def _print_dry(submission: Submission, batches: list[stages.Batch], environment: str) -> None:
    folder = submission.folder
    click.echo(f"# would be written: {folder} with a snapshot of this checkout, and\n")
    click.echo(f"# {folder}/environment.sh\n{environment}")
    for stage in submission.plan.pipelines:
        runs = submission.plan.runs(stage)
        for number, cell in enumerate(submission.cells(stage)):
            shared = "" if runs[number] == number else f" (one run with cell {runs[number]})"
            click.echo(f"# cell {number}: kedro {' '.join(cell.arguments())}{shared}")
    click.echo(f"\n# {stages.SCRIPT}\n{stages.SCRIPT.read_text()}")
    click.echo("# would be run\n" + "\n".join(stages.dry_lines(submission, batches)))


def _print_checks(submission: Submission, batches: list[stages.Batch], is_wanted: bool) -> None:
    for line in stages.check(submission, batches) if is_wanted else ():
        click.echo(line)


def _send(submission: Submission, batches: list[stages.Batch]) -> None:
    for number, sent in enumerate(stages.send(submission, batches)):
        if number == 0:  # a refusal leaves no folder to speak of
            click.echo(f"submission {submission.folder}")
        count = "1 cell" if len(sent.cells) == 1 else f"{len(sent.cells)} cells"
        click.echo(f"{sent.stage}: job {sent.job}, {count}")
    click.echo(f"look with: slurm/status {submission.folder.name}")


def main() -> None:
    """Run a command; an error of ours is one sentence and exit code 1."""
    try:
        cli(prog_name="slurm")
    except (KdgatError, OSError) as error:
        if isinstance(error, OSError) and not is_disk_trouble(error):
            raise
        click.echo(f"error: {sentence_of(error)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
