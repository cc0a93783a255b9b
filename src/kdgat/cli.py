"""`kedro run` with errors for people: one sentence and exit code 1, no traceback."""

import copy
import functools
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from kedro.config import OmegaConfigLoader
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import settings
from kedro.io import DatasetError

from kdgat import locations
from kdgat.errors import KdgatError, is_disk_trouble, sentence_of
from kdgat.model_commands import models
from kdgat.page_commands import leaks, results
from kdgat.parameter_page import describe, parameter_lines, parameter_page
from kdgat.parameters import check_parameters
from kdgat.run_commands import FROM_RUN, repeat, tracking
from kdgat.score_command import score
from kdgat.sweep.commands import report, sweep


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

for command in (results, leaks, sweep, report, score):
    cli.add_command(command)

for command in (results, leaks, features, params, picture, sweep, report, score):
    command.callback = _with_sentences(command.callback)
