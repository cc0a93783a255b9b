"""`kedro run` with errors for people: one sentence and exit code 1, no traceback."""

import copy
import functools
import sys
import warnings
from collections.abc import Callable

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError

from kdgat.errors import KdgatError


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
        except (KdgatError, DatasetError) as error:
            click.echo(f"error: {_innermost_sentence(error)}", err=True)
            sys.exit(1)

    return guarded


def _innermost_sentence(error: BaseException) -> str:
    """Kedro wraps what a dataset raises; the wrapped error says it best."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KdgatError):
            return str(cause)
        cause = cause.__cause__
    return " ".join(str(error).split())


run = copy.copy(kedro_run)
run.callback = _with_sentences(kedro_run.callback)
cli.add_command(run)
