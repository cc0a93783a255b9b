"""What of a plan is done, running, failed or missing: read off the records and files of runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from kdgat import locations
from kdgat.parameters import flatten
from kdgat.sweep.work import Work
from kdgat.tracking import journal, records
from kdgat.tracking.owners import Owner

EXIT_LINE = "exit code "
ERROR_LINE = "error: "
Record = dict[str, Any]


class State(StrEnum):
    """Where a cell stands."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    MISSING = "missing"


@dataclass(frozen=True)
class Status:
    """Where a work stands.

    Args:
        state: done only where a finished run with these parameters and inputs exists and all its
            files are there.
        version: of the newest such run, or of the one that runs or failed; None without one.
        run_id: its MLflow run; None where the tracking store has not answered yet.
        seconds: it took; None while it runs and without a run.
        reason: why it failed.
    """

    state: State
    version: str | None = None
    run_id: str | None = None
    seconds: float | None = None
    reason: str = ""


def log_folder() -> Path:
    """Return the folder of the logs and locks of local sweeps."""
    return Path(locations.data_root()) / "09_tracking" / "sweeps"


def log_file(work: Work) -> Path:
    """Return the log of a work that a local sweep ran."""
    return log_folder() / f"{work.pipeline}-{work.key}.log"


def lock_of(work: Work) -> FileLock:
    """Return the lock that a local sweep holds while it runs a work."""
    log_folder().mkdir(parents=True, exist_ok=True)
    return FileLock(log_folder() / f"{work.pipeline}-{work.key}.lock")


def assess(works: Iterable[Work], held: Work | None = None) -> dict[Work, Status]:
    """Say where each work stands.

    Args:
        works: of one plan; a work may come before or after what it builds on.
        held: the work whose lock the caller holds.

    Returns:
        Work -> status, each work once.
    """
    everything = all_records()
    finished: dict[Work, list[Record]] = {}
    statuses: dict[Work, Status] = {}
    for work in sorted(dict.fromkeys(works), key=_depth):
        matching = [
            record
            for record in everything
            if _does(record, work) and _builds_on(record, finished, work)
        ]
        finished[work] = [record for record in matching if _is_done(record, work)]
        is_locked = work != held and _is_locked(work)
        statuses[work] = _status(work, finished[work], matching, is_locked=is_locked)
    return statuses


def all_records() -> list[Record]:
    """Read the records of all runs in the data folder, newest first."""
    return [record for _, record in reversed(list(records.readable()))]


def status_of(record: Record, outputs: Iterable[Path]) -> Status:
    """Say where a single run stands.

    Args:
        record: of the run.
        outputs: files that it must have left.
    """
    if _has_left(record, outputs):
        return _of_record(State.DONE, record)
    if record["status"] == "FINISHED":
        return _of_record(State.MISSING, record, "files of its run are gone")
    if record["status"] == "RUNNING" and _is_alive(record):
        return _of_record(State.RUNNING, record)
    ended = "killed" if record["status"] == "RUNNING" else record["status"].lower()
    reason = record["error"] if record.get("error") else ended
    return _of_record(State.FAILED, record, " ".join(reason.split()))


def failure_of(log: Path) -> str:
    """Say in one line how the last run in a log failed; nothing if it did not."""
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    if not lines or not lines[-1].startswith(EXIT_LINE):
        return ""
    said = [line.removeprefix(ERROR_LINE) for line in lines if line.startswith(ERROR_LINE)]
    return said[-1] if said else f"{lines[-1]}; see {log}"


def _depth(work: Work) -> int:
    return 1 + max(map(_depth, work.before), default=0)


def _does(record: Record, work: Work) -> bool:
    """Tell whether a run has a work's pipeline, dataset, seed and parameters."""
    parameters = record["parameters"]
    if record["experiment"] != work.pipeline or record["selection"]:
        return False
    if parameters["dataset"] != work.dataset or work.seed not in (None, parameters["seed"]):
        return False
    values = flatten(parameters)
    return all(key in values and str(values[key]) == value for key, value in work.parameters)


def _builds_on(record: Record, finished: dict[Work, list[Record]], work: Work) -> bool:
    """Tell whether a run read what the works before this one made."""
    for name, maker in work.inputs:
        made = {before["version"] for before in finished[maker]}
        if name not in record["inputs"] or record["inputs"][name]["version"] not in made:
            return False
    return True


def _is_done(record: Record, work: Work) -> bool:
    return _has_left(record, (path for _, path in work.outputs))


def _has_left(record: Record, outputs: Iterable[Path]) -> bool:
    version = record["version"]
    return record["status"] == "FINISHED" and all(
        (path / version / path.name).is_file() for path in outputs
    )


def _status(
    work: Work, finished: list[Record], matching: list[Record], *, is_locked: bool
) -> Status:
    if finished:
        return _of_record(State.DONE, finished[0])
    if is_locked:
        return Status(State.RUNNING)
    if matching:
        return status_of(matching[0], [path for _, path in work.outputs])
    reason = failure_of(log_file(work))  # a run that failed before it was on record
    return Status(State.FAILED, reason=reason) if reason else Status(State.MISSING)


def _of_record(state: State, record: Record, reason: str = "") -> Status:
    seconds = None
    if "ended" in record:  # records of old have no seconds, and one life for the most part
        seconds = record.get("seconds", (record["ended"] - record["began"]) / 1000)
    return Status(state, record["version"], record.get("run_id"), seconds, reason)


def _is_locked(work: Work) -> bool:
    if not log_folder().is_dir():
        return False
    try:
        with lock_of(work).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _is_alive(record: Record) -> bool:
    """Tell whether the process of a run is there; one that cannot be asked counts as there."""
    path = Path(locations.journals()) / f"{record['version']}{journal.SUFFIX}"
    owner = journal.standing(path)[0] if path.is_file() else None
    return (owner or Owner.from_dict(record["owner"])).is_alive() is not False
