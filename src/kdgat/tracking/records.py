"""The record of every run, one JSON file: what it ran on, and everything needed to repeat it."""

import json
import logging
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from threading import Lock
from typing import Any

from kdgat import locations
from kdgat.errors import DataError, MissingInputError, ParameterError
from kdgat.tracking.journal import write_whole

LOGGER = logging.getLogger(__name__)
SCHEDULE = "batch_schedule"  # name of the budgets of a stage's batches among what was used
KIND = "kind"  # name of the device and the model's size among what was used
NOTING = Lock()  # the courier's thread notes, too
OUTDATED: set[Path] = set()  # records that could not be added to
MADE_WITH = {
    "data_processing": "test_graphs",
    "autoencoder": "teacher_autoencoder",
    "teacher": "teacher_classifier",
    "distillation": "student_classifier",
    "fusion": "student_agent",
}  # group of parameters -> what tells which run they had a say in
LONGEST_DIFF = 1_000_000  # characters of `git diff` that a record keeps


def path_of(version: str) -> Path:
    """Name the record of a run."""
    return Path(locations.run_records()) / f"{version}.json"


def exists(version: str) -> bool:
    """Say whether a run has a record here."""
    return path_of(version).is_file()


def write(version: str, record: dict[str, Any]) -> Path:
    """Write the record of a run that begins.

    Returns:
        Its file.

    Raises:
        DataError: the folder cannot be written.
    """
    path = path_of(version)
    try:
        write_whole(path, record)
    except OSError as error:
        raise DataError(f"cannot write the run's record {path}: {error.strerror}") from error
    return path


def note(version: str, **fields: Any) -> None:
    """Add what has become known to a record, where there is one; say once if it cannot be."""
    path = path_of(version)
    if not path.is_file():
        return
    with NOTING:
        try:
            record = json.loads(path.read_text())
            if any(record.get(key) != value for key, value in fields.items()):
                write_whole(path, record | fields)
        except (OSError, ValueError) as error:  # disk full, record spoilt: no reason to end a run
            if path not in OUTDATED:
                LOGGER.error("%s lacks what has become known since: %s", path, error)
            OUTDATED.add(path)


def read(version: str) -> dict[str, Any]:
    """Read the record of a run.

    Raises:
        MissingInputError: there is none.
    """
    path = path_of(version)
    if not path.is_file():
        raise MissingInputError(f"no run of version {version}: {path} does not exist")
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path} is not the record of a run: {error}") from error


def readable() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give version and record of every run, oldest first; a spoilt one is told of and left out."""
    for path in sorted(Path(locations.run_records()).glob("*.json")):
        try:
            yield path.stem, read(path.stem)
        except DataError as error:
            LOGGER.warning("%s: left out", error)


def find(run: str) -> dict[str, Any]:
    """Find a run by its version, by the end of its version, or by its MLflow id.

    Raises:
        ParameterError: the name is empty.
        MissingInputError: no run, or several, fit.
    """
    if not run:
        raise ParameterError("the run's name is empty: give its version, its end or its MLflow id")
    if exists(run):
        return read(run)
    paths = sorted(Path(locations.run_records()).glob("*.json"))
    fitting = [path.stem for path in paths if path.stem.endswith(run)]
    fitting = fitting or [name for name, record in readable() if record.get("run_id") == run]
    if len(fitting) == 1:
        return read(fitting[0])
    latest = ", ".join(path.stem for path in paths[-3:]) or "none"
    reason = f"{len(fitting)} runs fit '{run}'" if fitting else f"no run '{run}'"
    raise MissingInputError(f"{reason} in {locations.run_records()}; the latest are: {latest}")


def parameters_behind(record: dict[str, Any]) -> dict[str, Any]:
    """Give the parameters of what a run made: of what it read, those of the runs that made that.

    Args:
        record: of a run; a maker without a record here counts as having had the run's own.
    """
    found = dict(record["parameters"])
    for group, output in MADE_WITH.items():
        maker = record["inputs"].get(output, {}).get("version", "")
        told = read(maker)["parameters"] if exists(maker) else {}
        if group in told:
            found[group] = told[group]
    return found


def scored_configurations(dataset: str) -> int:
    """Count the configurations whose test scores of a dataset have been there to see.

    A configuration is all parameters but the seed, at one commit and difference to it, of a
    finished run that made a scorecard. Every one is a chance to choose by test, on purpose or not.

    Args:
        dataset: its name.
    """
    seen = set()
    for _, record in readable():
        parameters = {**record["parameters"], "seed": None}
        if (
            parameters["dataset"] == dataset
            and record["status"] == "FINISHED"
            and "scorecard" in record["outputs"]
        ):
            code = [record["environment"][name] for name in ("git_commit", "git_diff")]
            seen.add(json.dumps([parameters, code], sort_keys=True))
    return len(seen)


def environment(project: Path) -> dict[str, Any]:
    """Describe what a run's numbers depend on beside its parameters.

    Args:
        project: the project's folder.

    Returns:
        Packages, Python, machine, git commit and the diff against it.
    """
    diff = git(project, "diff", "HEAD", "--", "src", "conf", "pyproject.toml")
    return {
        "packages": packages(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {processor()}",
        "git_commit": git(project, "rev-parse", "HEAD") or "none",
        "git_diff": diff[:LONGEST_DIFF],
    }


def processor(information: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor, and its numbers: a virtual one may have the name of many.

    Results repeat bit for bit on one kind of processor alone: others add up in another order.

    Args:
        information: what Linux tells of it.
    """
    lines = information.read_text().splitlines() if information.is_file() else []
    told = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    if "model name" not in told:
        return platform.processor()
    numbers = [f"{key} {told[key]}" for key in ("cpu family", "model", "stepping") if key in told]
    return ", ".join([told["model name"], *numbers])


def packages() -> dict[str, str]:
    """Give the version of every package that is installed."""
    return {item.name: item.version for item in sorted(distributions(), key=_name)}


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say what has changed between two environments, one sentence each."""
    changed = []
    for key in ("python", "machine", "git_commit"):
        if before[key] != now[key]:
            changed.append(f"{key.replace('_', ' ')} was {before[key]}, is {now[key]}")
    if before["git_diff"] != now["git_diff"]:
        changed.append("the uncommitted changes to src or conf are others")
    packages = sorted(before["packages"].keys() | now["packages"].keys())
    for name in packages:
        was, is_now = (side["packages"].get(name, "not installed") for side in (before, now))
        if was != is_now:
            changed.append(f"package {name} was {was}, is {is_now}")
    return changed


def git(project: Path, *arguments: str) -> str:
    """Ask git about the project; empty outside a checkout, and where there is no git to ask."""
    # A repository around an installed package is somebody else's.
    if locations.CHECKOUT is None or shutil.which("git") is None:
        return ""
    answer = subprocess.run(
        ["git", *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


def _name(item: Any) -> str:
    return item.name.lower()
