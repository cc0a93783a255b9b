"""Carries journals to the MLflow store: late if need be, and every record exactly once.

Exactly once, because every record may be sent twice: a run is looked up by its version before it
is created, metrics carry the time at which they were measured (the store drops a repeated one),
parameters, tags and status are the same the second time.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Experiment, RunTag
from mlflow.exceptions import MlflowException

from kdgat import locations
from kdgat.tracking import journal, records, view
from kdgat.tracking.batches import REFUSALS, Batch, Refused

LOGGER = logging.getLogger(__name__)
RECORDS_AT_ONCE = 400
ERROR = "error"  # the tag that says why a run did not finish
PROBE_SECONDS = 2.0
TURN_SECONDS = 60.0  # the longest wait for the other processes of this project


@dataclass
class State:
    """How far a journal has been delivered.

    Args:
        path: where this is kept, beside the journal.
        run_id: of the MLflow run.
        offset: bytes delivered.
    """

    path: Path
    run_id: str | None = None
    offset: int = 0

    @classmethod
    def of(cls, path: Path) -> "State":
        """Read the state of a journal."""
        place = path.with_suffix(".state")
        if not place.is_file():
            return cls(place)
        return cls(place, **json.loads(place.read_text()))

    def keep(self) -> None:
        """Write it, whole or not at all."""
        journal.write_whole(self.path, {"run_id": self.run_id, "offset": self.offset})


def deliver(path: Path) -> str | None:
    """Bring a journal to the store, as far as it is written; delete it when all is there.

    Args:
        path: the journal.

    Returns:
        The id of its MLflow run.

    Raises:
        MlflowException, OSError: the store does not answer; nothing is lost.
    """
    with FileLock(locations.tracking_lock(), timeout=TURN_SECONDS):
        state = State.of(path)
        if not path.is_file():
            return state.run_id
        client = open_store()
        try:
            while _deliver_some(path, state, client):
                state.keep()
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            # Another store, or an emptied one: the journal still holds the whole run.
            State(state.path).keep()
            raise
        records.note(path.stem, run_id=state.run_id)
        _, ended = journal.standing(path)
        if ended and state.offset == path.stat().st_size:
            path.unlink()
            state.path.unlink(missing_ok=True)
        return state.run_id


def deliver_others(mine: Path | None = None, dead_hosts: tuple[str, ...] = ()) -> list[str]:
    """Bring in what earlier runs left: journals whose process is gone.

    Args:
        mine: a journal to leave alone.
        dead_hosts: machines known to be gone, which cannot be asked.

    Returns:
        Versions of the runs brought in.
    """
    brought = []
    for path in sorted(Path(locations.journals()).glob(f"*{journal.SUFFIX}")):
        if path == mine:
            continue
        with suppress(FileNotFoundError):  # another process has brought it in meanwhile
            if not journal.is_left_behind(path, dead_hosts):
                continue
            with FileLock(locations.tracking_lock(), timeout=TURN_SECONDS):
                if journal.close_if_dead(path, dead_hosts):
                    LOGGER.warning("run %s %s", path.stem, journal.UNKNOWN_END)
                    records.note(path.stem, status="KILLED", error=journal.UNKNOWN_END)
            deliver(path)
            brought.append(path.stem)
    return brought


def run_of(version: str, client: MlflowClient) -> str | None:
    """Find the MLflow run of a version; None if the store has none."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(experiments, f"tags.version = '{version}'", max_results=1)
    return runs[0].info.run_id if runs else None


def open_store() -> MlflowClient:
    """Open the tracking store.

    Raises:
        OSError: it is a SQLite file that is locked, or cannot be written; MLflow itself would
            wait for minutes to find out.
    """
    uri = locations.tracking_uri()
    file = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and file.exists():
        try:
            with closing(sqlite3.connect(file, timeout=PROBE_SECONDS)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise OSError(f"{file}: {error}") from error
    return MlflowClient(uri)


def _deliver_some(path: Path, state: State, client: MlflowClient) -> bool:
    some = list(islice(journal.read(path, state.offset), RECORDS_AT_ONCE))
    for batch_or_record, offset in _in_batches(some):
        try:
            refused = _send(batch_or_record, path.stem, state, client)
        except MlflowException as error:
            if error.error_code not in REFUSALS:
                raise
            refused = [(batch_or_record, error)]
        for what, error in refused:
            _keep_refused(path, what, error)
        state.offset = offset
    return bool(some)


def _in_batches(
    some: list[tuple[dict[str, Any], int]],
) -> Iterator[tuple[Batch | dict[str, Any], int]]:
    batch, end = None, 0
    for record, offset in some:
        if record["kind"] in ("metrics", "params", "tags"):
            batch = batch or Batch()
            batch.take(record)
            end = offset
            continue
        if batch:
            yield batch, end
            batch = None
        yield record, offset
    if batch:
        yield batch, end


def _send(
    what: Batch | dict[str, Any], version: str, state: State, client: MlflowClient
) -> list[Refused]:
    if isinstance(what, Batch):
        return what.send(client, state.run_id)
    if what["kind"] == "run":
        state.run_id = _go_on(version, what, client) or _create_run(what, client)
    elif what["kind"] == "resume":
        _runs_again(state.run_id, client)
    elif what["kind"] == "text":
        client.log_text(state.run_id, what["text"], what["name"])
    elif what["kind"] == "artifact":
        if not Path(what["path"]).is_file():
            LOGGER.warning("%s is gone: run %s keeps no copy of it", what["path"], version)
            return []
        client.log_artifact(state.run_id, what["path"])
    else:
        if what["error"]:
            client.set_tag(state.run_id, ERROR, what["error"])
        client.set_terminated(state.run_id, what["status"], what["time"])
    return []


def _runs_again(run_id: str, client: MlflowClient) -> None:
    client.update_run(run_id, status="RUNNING")
    if ERROR in client.get_run(run_id).data.tags:  # of the life before
        client.delete_tag(run_id, ERROR)


def _go_on(version: str, record: dict[str, Any], client: MlflowClient) -> str | None:
    """Find the run that an earlier attempt, or an earlier life of the run, has created."""
    run_id = run_of(version, client)
    if run_id:
        _runs_again(run_id, client)
        Batch(tags=[RunTag(name, value) for name, value in record["tags"].items()]).send(
            client, run_id
        )
    return run_id


def _create_run(record: dict[str, Any], client: MlflowClient) -> str:
    run = client.create_run(
        _experiment(record["experiment"], client),
        start_time=record["time"],
        tags=record["tags"],
        run_name=record["name"],
    )
    return run.info.run_id


def _experiment(name: str, client: MlflowClient) -> str:
    """Find or make an experiment; its list of runs gets kdgat's view."""
    found = _find_or_make(name, client)
    if found.tags.get(view.TAG) != view.saved_view(name):
        client.set_experiment_tag(found.experiment_id, view.TAG, view.saved_view(name))
    return found.experiment_id


def _find_or_make(name: str, client: MlflowClient) -> Experiment:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return client.get_experiment(
                client.create_experiment(name, locations.artifact_location())
            )
        except MlflowException as error:  # on a server, another machine may have been quicker
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return found


def _keep_refused(path: Path, what: Batch | dict[str, Any], error: MlflowException) -> None:
    place = path.with_suffix(".refused")
    with place.open("a") as file:
        file.write(f"{what}\n{error}\n")
    LOGGER.warning("the tracking store refuses a record of run %s: see %s", path.stem, place)
