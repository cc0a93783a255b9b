"""One run and the version of everything it saves."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from kdgat.errors import ParameterError, sentence_of
from kdgat.hooks import KdgatHooks
from kdgat.signals import Received, listening
from kdgat.slurm.job import job_name


class KdgatSession(KedroSession):
    """A Kedro session whose id, the version of all it saves, also names job or process.

    Two runs that start in the same millisecond thus never share a version, and versions
    still sort by time: `2026-01-31T12.00.00.000Z-j4711_3` or `...-p1234`.
    """

    def __init__(self, session_id: str, **kwargs: Any):
        super().__init__(session_id=f"{session_id}-{_process_name()}", **kwargs)

    def run(self, pipeline_names: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """Run the named pipelines, in the order of their names, or the whole chain.

        Raises:
            ParameterError: A pipeline does not exist.
            SystemExit: 128 + a signal that ended the run.
        """
        names = sorted(pipeline_names or [])
        with listening() as received, self._ending(received):
            try:
                # A later life of a run finds what the earlier one has saved; a new version nothing.
                return super().run(pipeline_names=names, **{**kwargs, "only_missing_outputs": True})
            except ValueError:
                _refuse_unknown(names)
                raise

    @contextmanager
    def _ending(self, received: Received) -> Iterator[None]:
        """Put the true end of the run on record, however it comes."""
        status, error = "KILLED", None
        try:
            yield
            status = "FINISHED"
        except Exception as cause:
            status, error = "FAILED", sentence_of(cause)
            raise
        finally:
            if received.signal is not None:
                status, error = "KILLED", received.signal.name
            for hooks in self._hook_manager.get_plugins():
                if isinstance(hooks, KdgatHooks):
                    hooks.end_run(status, error)


def _process_name() -> str:
    return job_name() or f"p{os.getpid()}"


def _refuse_unknown(names: list[str]) -> None:
    for name in names:
        if name not in pipelines:
            close = get_close_matches(name, pipelines, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(pipelines)}"
            raise ParameterError(f"unknown pipeline '{name}': {hint}") from None
