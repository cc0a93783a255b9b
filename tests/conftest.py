"""Fixtures that several folders share."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from kedro.framework.project import configure_project

from kdgat.cli import default_configuration
from kdgat.parameters import Parameters, check_parameters

ROOT = Path(__file__).resolve().parents[1]
LONGEST = (
    "slurm/test_jobs.py",
    "end_to_end/test_survival.py",
    "end_to_end/test_models.py",
    "end_to_end/test_sweep.py",
    "slurm/test_pipelines.py",
    "end_to_end/test_many_at_once.py",
    "tracking/test_server.py",
    "training/test_processes.py",
)
"""Files that take the longest: they begin first, so that no process ends with one of them alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the rest stays in order."""
    tests = ROOT / "tests"
    rank = {tests / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))


@pytest.fixture(scope="session")
def defaults() -> Parameters:
    """The parameters that `conf/base` holds, checked."""
    configure_project("kdgat")
    return check_parameters(default_configuration()["parameters"])


@pytest.fixture(scope="session")
def real_captures() -> Path:
    """Raw root with real captures; skips, visibly, where there are none."""
    folder = Path(os.environ.get("KDGAT_REAL_CAPTURES", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real captures at {folder}: set KDGAT_REAL_CAPTURES to their raw root")
    return folder


@dataclass
class Forked:
    """A real process, forked from one that has imported everything.

    Attributes:
        pid: its id.
        output: file with what it printed.
        forks: the process that started it.
    """

    pid: int
    output: Path
    forks: "Forks"

    def wait(self, seconds: float = 600.0) -> int:
        """Wait for its end and return its exit code, -9 after a kill -9."""
        code = self.forks.ask({"wait": self.pid, "seconds": seconds})
        if code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.forks.ask({"wait": self.pid, "seconds": 10})
        assert code is not None, f"still running after {seconds} s:\n{self.printed}"
        return code

    def wait_until(self, happened: Callable[[str], bool], seconds: float = 600.0) -> None:
        """Wait until what it has printed says so; fail with it where it ends before that."""
        deadline = time.monotonic() + seconds
        while True:
            is_over = self.forks.ask({"over": self.pid})  # before it is read: its last words count
            printed = self.printed
            if happened(printed):
                return
            assert not is_over, f"it ended too early:\n{printed}"
            assert time.monotonic() < deadline, f"still waiting after {seconds} s:\n{printed}"
            time.sleep(0.01)

    @property
    def printed(self) -> str:
        """What it has printed so far, stdout and stderr."""
        return self.output.read_text()


class Forks:
    """Starts real processes that need not import anything first."""

    def __init__(self) -> None:
        environment = {**os.environ, "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "kedro_forks.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        assert self._process.stdout.readline() == "ready\n"

    def ask(self, request: dict) -> int | None:
        """Send one request and read its answer."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def kedro(self, data: Path, *arguments: str, **environment: str) -> Forked:
        """Start `kedro <arguments>` on a data folder of its own."""
        return self._start(data, {"arguments": list(arguments)}, environment)

    def to_be_killed(self, data: Path, *arguments: str, **environment: str) -> Forked:
        """Start `kedro <arguments>` and measure no coverage.

        coverage takes a lock at every call: a signal that ends the program there leaves it taken,
        and the process waits for it for ever.
        """
        request = {"arguments": list(arguments), "unmeasured": True}
        return self._start(data, request, environment)

    def completed(self, data: Path, *arguments: str, **environment: str) -> CompletedProcess:
        """Run `kedro <arguments>` on a data folder of its own to its end; its output is kept."""
        with tempfile.TemporaryDirectory() as folder:
            output, errors = Path(folder) / "output", Path(folder) / "errors"
            request = {"arguments": arguments, "output": str(output), "errors": str(errors)}
            request["environment"] = {"KDGAT_DATA_ROOT": str(data), **environment}
            code = Forked(self.ask(request), output, self).wait(900)
            return CompletedProcess(arguments, code, output.read_text(), errors.read_text())

    def python(self, data: Path, code: str, **environment: str) -> Forked:
        """Start a piece of Python on a data folder of its own."""
        return self._start(data, {"code": code}, environment)

    def _start(self, data: Path, request: dict, environment: dict[str, str]) -> Forked:
        data.mkdir(parents=True, exist_ok=True)
        number = len(list(data.parent.glob(f"{data.name}-*.log")))
        output = data.parent / f"{data.name}-{number}.log"
        output.touch()
        request |= {
            "environment": {"KDGAT_DATA_ROOT": str(data), **environment},
            "output": str(output),
        }
        return Forked(self.ask(request), output, self)

    def close(self) -> None:
        """End it; processes that it started have ended."""
        self._process.stdin.close()
        self._process.wait(30)


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Starts real processes quickly."""
    forks = Forks()
    yield forks
    forks.close()
