"""A real one-node Slurm, a checkout to submit from, and a stand-in for `kedro`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
SLURM_UP = Path(os.environ.get("KDGAT_SLURM_UP", ROOT.parent / "shared" / "slurm" / "slurm-up.sh"))
KNOBS = {"SLURM_CI_CPUS": "8", "SLURM_CI_GPUS": "2"}

# A stage does what its file in $KDGAT_STAND_IN says; where there is none it completes.
STAND_IN = """#!/bin/bash
shift 2
stage=$1
echo "$stage $* threads=$SRUN_CPUS_PER_TASK key=$KDGAT_RUN_KEY life=${SLURM_RESTART_COUNT:-0}"
script=$KDGAT_STAND_IN/$stage
[ ! -e "$script" ] || source "$script"
echo "$stage:v$SLURM_JOB_ID" >"$KDGAT_COMPLETION_MARKER"
"""


def kept_environment() -> dict[str, str]:
    """The environment without what would lead a test to somebody's data or settings."""
    prefixes = ("KDGAT_", "MLFLOW_", "SBATCH_", "SLURM_")
    return {key: value for key, value in os.environ.items() if not key.startswith(prefixes)}


@dataclass
class Desk:
    """A checkout, and a shell at it."""

    checkout: Path
    data: Path
    site: Path | None = None

    def type(self, command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run `slurm/<command>` to its end."""
        environment = kept_environment() | {"KDGAT_DATA_ROOT": str(self.data)} | variables
        if self.checkout != ROOT:  # another checkout's lines are none of this one's coverage
            environment = {k: v for k, v in environment.items() if not k.startswith("COV")}
        if self.site:
            environment["KDGAT_SLURM_SITE"] = str(self.site)
            environment["KDGAT_STAND_IN"] = str(self.site.parent)
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        return subprocess.run(
            [self.checkout / "slurm" / command, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def submit(self, *arguments: str, **variables: str) -> list[str]:
        """Submit; give the jobs' ids."""
        answer = self.type("submit", *arguments, **variables)
        assert answer.returncode == 0, answer.stderr
        return [line.split()[2].strip(",") for line in answer.stdout.splitlines()[1:-1]]

    def status(self) -> dict[str, str]:
        """Give cell -> state and last log line, as `slurm/status` prints them."""
        answer = self.type("status")
        assert answer.returncode == 0, answer.stderr
        rows = [line.split(maxsplit=2) for line in answer.stdout.splitlines()[2:-1]]
        return {cell: rest for cell, _, rest in rows}

    def stage_does(self, stage: str, script: str) -> None:
        """Let the stand-in run these lines of bash in a stage."""
        assert self.site
        (self.site.parent / stage).write_text(script)

    def markers(self) -> int:
        """Count the completion markers."""
        return len(list(self.data.glob("slurm/*/done/*/*")))

    def log(self, name: str) -> str:
        """Read the log whose name begins so."""
        return "".join(path.read_text() for path in self.data.glob(f"slurm/*/logs/{name}*.log"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A real Slurm of our own; skips, visibly, where it cannot be had."""
    if os.getuid() != 0 or not os.access(SLURM_UP, os.X_OK):
        pytest.skip(f"no real Slurm: needs root and {SLURM_UP} (or $KDGAT_SLURM_UP)")
    # Two processes with tests would take each other's processors, or stop the other's Slurm.
    with FileLock(Path(tempfile.gettempdir()) / "kdgat-slurm-tests.lock"):
        answer = subprocess.run(
            [SLURM_UP], env=os.environ | KNOBS, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        if answer.returncode:
            pytest.skip(f"no real Slurm: {SLURM_UP} failed: {answer.stderr.strip()}")
        yield
        if "already up" not in answer.stdout:
            down = SLURM_UP.with_name("slurm-down.sh")
            subprocess.run([down, "--quiet"], timeout=60, check=True)


@pytest.fixture(scope="package")
def new_desk() -> Callable[[Path], Desk]:
    """Makes desks whose site's `kedro` is a stand-in of a few lines."""

    def make(folder: Path) -> Desk:
        binary = folder / "stand_in" / "bin" / "kedro"
        binary.parent.mkdir(parents=True)
        binary.write_text(STAND_IN)
        binary.chmod(0o755)
        site = folder / "stand_in" / "site.yml"
        site.write_text(f"virtual_environment: {binary.parents[1]}\nsbatch: {{cpus-per-task: 1}}\n")
        return Desk(ROOT, folder / "data", site)

    return make


@pytest.fixture
def desk(new_desk: Callable[[Path], Desk], tmp_path: Path) -> Desk:
    """A desk with a stand-in for `kedro`."""
    return new_desk(tmp_path)


@pytest.fixture(scope="package")
def wait_for() -> Callable:
    """Waits for something to become true; long, for a machine that has much else to do."""

    def wait(what: Callable[[], object], seconds: float = 180) -> object:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = what()
            if answer:
                return answer
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s")

    return wait


@pytest.fixture(scope="package")
def state_of() -> Callable[[str], str]:
    """Asks Slurm for the state of a job."""

    def ask(job: str) -> str:
        answer = subprocess.run(
            ["squeue", "-h", "--states=all", "-o", "%T", "-j", job],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        return "+".join(sorted(set(answer.stdout.split())))

    return ask
