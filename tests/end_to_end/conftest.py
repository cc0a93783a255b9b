"""The commands of the README, typed into a shell."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Project:
    """A data folder of its own, and commands that run on it.

    Attributes:
        forks: starts them.
        data: the data root.
        raw: the raw root, if it is another one.
    """

    forks: Any
    data: Path
    raw: Path | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run `kedro run --env smoke` with further arguments."""
        return self.kedro("run", "--env", "smoke", *arguments)

    def kedro(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a kedro command to its end; its output is kept."""
        raw = {"KDGAT_RAW_ROOT": str(self.raw)} if self.raw else {}
        return self.forks.completed(self.data, *arguments, **raw)

    def type(self, *arguments: str) -> subprocess.CompletedProcess:
        """Do the same as a shell does it: a new Python that has imported nothing yet."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KDGAT_"))}
        return subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=ROOT,
            env={**kept, "KDGAT_DATA_ROOT": str(self.data)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def versions(self, name: str) -> list[Path]:
        """List all versions of a stored file, oldest first."""
        return sorted(path for path in self.data.rglob(name) if path.is_file())


@pytest.fixture(scope="session")
def new_project(forks) -> Callable[..., Project]:
    """Makes projects with a data folder of their own."""
    return partial(Project, forks)


@pytest.fixture(scope="session")
def chain(new_project, tmp_path_factory) -> tuple[Project, subprocess.CompletedProcess]:
    """A project in which a plain `kedro run`, typed into a shell, has ended; what it printed."""
    project = new_project(tmp_path_factory.mktemp("chain"))
    result = project.type("run", "--env", "smoke")
    assert result.returncode == 0, result.stderr
    return project, result


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """Arguments of the smallest chain there is: seconds of bus time, one epoch a stage."""
    values = {
        "simulator.duration": 3.0,
        "autoencoder.fit.epochs": 1,
        "teacher.fit.epochs": 1,
        "distillation.autoencoder_fit.epochs": 1,
        "distillation.classifier_fit.epochs": 1,
        "fusion.agent.steps": 4,
        "fusion.agent.evaluate_every": 2,
        "evaluation.bootstrap": 5,
    }
    return ("run", "--env", "smoke", "--params", ",".join(f"{k}={v}" for k, v in values.items()))
