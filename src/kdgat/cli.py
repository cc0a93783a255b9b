"""`kedro run` with errors for people: one sentence and exit code 1, no traceback."""

import copy
import functools
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.config import OmegaConfigLoader
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import settings
from kedro.io import DatasetError

from kdgat import locations
from kdgat.errors import KdgatError, is_disk_trouble, sentence_of
from kdgat.model_commands import models
from kdgat.parameter_page import describe, parameter_lines, parameter_page
from kdgat.parameters import check_parameters
from kdgat.run_commands import FROM_RUN, repeat, tracking
from kdgat.score_command import score
from kdgat.sweep.commands import report, sweep
from kdgat.tracking import records

if TYPE_CHECKING:
    import pandas as pd

RESULTS_INTRODUCTION = """# Results

F1, precision, recall and false-positive rate (FPR) count windows (n) at an operating point fitted
on benign validation windows, one rule for all (docs/decisions/0004-operating-point.md); no choice
that a pipeline makes looks at test. Zero-shot: the window alone; so is every scenario
below that does not say `calibrated`. Calibrated: the first 5 s of a capture, which are not scored,
make the car's profile; a guard that distrusts them leaves the capture zero-shot.
"""

DETECTOR_FILES = (
    "teacher_autoencoder",
    "teacher_classifier",
    "student_autoencoder",
    "student_classifier",
)

RESULTS_BEGIN = "<!-- results, written by `kedro results`: begin -->"
RESULTS_END = "<!-- results: end -->"
LEAKS_BEGIN = "<!-- leak reports, written by `kedro leaks`: begin -->"
LEAKS_END = "<!-- leak reports: end -->"


@click.group(name="kdgat")
def cli() -> None:
    """Commands of kdgat."""


def _with_sentences(command: Callable) -> Callable:
    @functools.wraps(command)
    def guarded(*args, **kwargs):
        # The documented command is `kedro run --pipeline NAME`; Kedro 1.7 prefers the plural.
        warnings.filterwarnings("ignore", message="Option '--pipeline' is deprecated")
        try:
            return command(*args, **kwargs)
        except (KdgatError, DatasetError, OSError) as error:
            if isinstance(error, OSError) and not is_disk_trouble(error):
                raise
            click.echo(f"error: {sentence_of(error)}", err=True)
            sys.exit(1)

    return guarded


@cli.command()
@click.argument("datasets", nargs=-1, required=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=locations.PROJECT / "docs" / "results.md",
    help="the page to write; of one that exists, between its marks (default: docs/results.md)",
)
@click.option("--seed", type=int, default=1, show_default=True, help="whose scorecards to take")
@click.option(
    "--headline",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="also write the first dataset's table over seeds between the marks of this page",
)
def results(datasets: tuple[str, ...], output: Path, seed: int, headline: Path | None) -> None:
    """Write a page of results from the newest scorecard of each of DATASETS."""
    from kdgat.figures.seeds import headline_table

    folder = Path(locations.data_root()) / "08_reporting"
    sections = []
    for dataset in datasets:
        pages = folder.glob(f"{dataset}/seed_{seed}/scorecard_page.md/*/scorecard_page.md")
        newest = max(pages, key=lambda page: page.parent.name, default=None)
        if newest is None:
            raise click.ClickException(
                f"no scorecard of {dataset} with seed {seed}: "
                f"run `kedro run --params dataset={dataset},seed={seed}` first"
            )
        count = records.scored_configurations(dataset)
        sections.append(
            f"{newest.read_text()}\n{_over_seeds(dataset)}Configurations of {dataset} whose test "
            "scores the run records of this machine hold (parameters but the seed, at one state "
            f"of the code): {count}.\n"
        )
    if not output.parent.is_dir():
        raise click.ClickException(f"there is no folder {output.parent}: name a page (--output)")
    new = f"{RESULTS_INTRODUCTION}\n{RESULTS_BEGIN}\n{RESULTS_END}\n"
    words = output.read_text() if output.exists() else new
    filled = {output: _between(output, words, RESULTS_BEGIN, RESULTS_END, "\n".join(sections))}
    if headline:
        table = headline_table(_scorecards(datasets[0]))
        words = headline.read_text()
        filled[headline] = _between(headline, words, RESULTS_BEGIN, RESULTS_END, table)
    for page, text in filled.items():
        _write(page, text)


def _over_seeds(dataset: str) -> str:
    """Sum up all seeds that have detectors of their own; empty where that is one."""
    from kdgat.figures.seeds import seeds_table

    scorecards = _scorecards(dataset)
    if len(scorecards) < 2:
        return ""
    seeds = ", ".join(map(str, scorecards))
    return f"### Over seeds {seeds}\n\n{seeds_table(scorecards)}\n"


def _scorecards(dataset: str) -> "dict[int, pd.DataFrame]":
    """Read the newest scorecard of every seed that has detectors of its own."""
    import pandas as pd

    root = Path(locations.data_root())
    newest = {}
    for path in sorted(root.glob(f"08_reporting/{dataset}/seed_*/scorecard.csv/*/scorecard.csv")):
        folder = path.parents[2].name
        models = root / "06_models" / dataset / folder
        if all((models / f"{name}.safetensors").exists() for name in DETECTOR_FILES):
            newest[int(folder.removeprefix("seed_"))] = path
    return {seed: pd.read_csv(newest[seed]) for seed in sorted(newest)}


def _between(page: Path, words: str, begin: str, end: str, text: str) -> str:
    """Put a text between the marks of a page."""
    for mark in (begin, end):
        if words.count(mark) != 1:
            raise click.ClickException(
                f"{page} has {words.count(mark)} lines `{mark}`, and needs one to write there"
            )
    before, rest = words.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def _write(page: Path, text: str) -> None:
    page.write_text(text)
    click.echo(f"wrote {page}")


@cli.command()
@click.argument("datasets", nargs=-1, required=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    default=locations.PROJECT / "docs" / "data.md",
    help="the page with the two marks between which the table goes (default: docs/data.md)",
)
def leaks(datasets: tuple[str, ...], output: Path) -> None:
    """Write the newest leak report of each of DATASETS into the page on data."""
    from kdgat.leaks import compare_page

    folder = Path(locations.data_root()) / "05_model_input"
    reports = {}
    for dataset in datasets:
        found = sorted(folder.glob(f"{dataset}/leak_report.json/*/leak_report.json"))
        if not found:
            raise click.ClickException(
                f"no leak report of {dataset}: "
                f"run `kedro run --pipeline data_processing --params dataset={dataset}` first"
            )
        reports[dataset] = json.loads(found[-1].read_text())
    words = output.read_text()
    _write(output, _between(output, words, LEAKS_BEGIN, LEAKS_END, compare_page(reports)))


@cli.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=locations.PROJECT / "docs" / "features.md",
    help="the page to write (default: docs/features.md)",
)
def features(output: Path) -> None:
    """Write the page of features, from the tables in the code that define them."""
    from kdgat.can.feature_page import feature_page

    output.write_text(feature_page())
    click.echo(f"wrote {output}")


@cli.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=locations.PROJECT / "docs" / "pictures" / "pipelines.svg",
    help="the picture to write (default: docs/pictures/pipelines.svg)",
)
def picture(output: Path) -> None:
    """Draw which pipeline hands what to which, from the pipelines themselves."""
    import matplotlib

    from kdgat.figures.pipelines import pipeline_map
    from kdgat.pipeline_registry import stages_of_the_chain

    # text stays text, to be searched and compared; equal pipelines give equal files
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "kdgat"}):
        pipeline_map(stages_of_the_chain()).savefig(output, metadata={"Date": None})
    click.echo(f"wrote {output}")


@cli.command()
@click.argument("words", nargs=-1)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="write all of them as a page, such as docs/configuration.md",
)
def params(words: tuple[str, ...], output: Path | None) -> None:
    """List the parameters whose names hold one of WORDS: type, default and meaning."""
    defaults = check_parameters(default_configuration()["parameters"])
    if output is not None:
        output.write_text(parameter_page(defaults))
        click.echo(f"wrote {output}")
        return
    rows = describe(defaults, *words)
    if not rows:
        raise click.ClickException(f"no parameter's name holds {' or '.join(words)}")
    click.echo(parameter_lines(rows))


def default_configuration() -> OmegaConfigLoader:
    """Open the configuration in `conf/base` alone."""
    arguments = {**settings.CONFIG_LOADER_ARGS, "default_run_env": "base"}
    return OmegaConfigLoader(conf_source=settings.CONF_SOURCE, **arguments)


def _run_or_repeat(from_run: str | None, **arguments):
    if from_run is not None:
        arguments = repeat(from_run, arguments)
    locations.check_environment(arguments["env"])
    return kedro_run.callback(**arguments)


def _told_by_click(option: click.Parameter) -> click.Parameter:
    """Let click tell what is wrong with an option: Kedro itself prints `NoneType: None`."""
    check = option.callback
    if check is None:
        return option

    def checked(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        try:
            return check(context, parameter, value)
        except KedroCliError as error:
            raise click.BadParameter(error.message) from error

    told = copy.copy(option)
    told.callback = checked
    return told


run = copy.copy(kedro_run)
run.params = [*map(_told_by_click, kedro_run.params), FROM_RUN]
run.callback = _with_sentences(_run_or_repeat)
cli.add_command(run)

for group in (models, tracking):
    for command in group.commands.values():
        command.callback = _with_sentences(command.callback)
    cli.add_command(group)

for command in (sweep, report, score):
    cli.add_command(command)

for command in (results, leaks, features, params, picture, sweep, report, score):
    command.callback = _with_sentences(command.callback)
