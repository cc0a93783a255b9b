"""The commands of the README, typed into a shell; one whole chain that all tests share."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from mlflow import MlflowClient

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
            timeout=900,
            check=False,
        )

    def versions(self, name: str) -> list[Path]:
        """List all versions of a stored file, oldest first; not MLflow's copies of them."""
        found = sorted(path for path in self.data.rglob(name) if path.is_file())
        return [path for path in found if "mlflow_artifacts" not in path.parts]


@pytest.fixture(scope="session")
def new_project(forks) -> Callable[..., Project]:
    """Makes projects with a data folder of their own."""
    return partial(Project, forks)


@pytest.fixture(scope="session")
def chain(new_project, tmp_path_factory, worker_id) -> tuple[Project, subprocess.CompletedProcess]:
    """A project in which a plain `kedro run`, typed into a shell, has ended; what it printed.

    The first worker that asks for it runs it, for all workers. Nobody writes into it: tests that
    write take `copied_chain`.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "chain"
    project, outcome = new_project(folder), folder.with_name("chain.json")
    with FileLock(f"{folder}.lock"):
        if not outcome.exists():
            folder.mkdir()
            # On a busy machine a run does not wait until a new store is made: it has no id then.
            MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
            result = project.type("run", "--env", "smoke")
            outcome.write_text(json.dumps(vars(result)))
    result = subprocess.CompletedProcess(**json.loads(outcome.read_text()))
    assert result.returncode == 0, result.stderr
    return project, result


@pytest.fixture(scope="session")
def copied_chain(chain, new_project) -> Callable[[Path], Project]:
    """Copies the chain's project to a folder, where a test may write."""
    original, _ = chain

    def copy(folder: Path) -> Project:
        shutil.copytree(original.data, folder)
        with sqlite3.connect(folder / "mlflow.db") as store:
            for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
                move = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
                store.execute(move, (str(original.data), str(folder)))
        store.close()
        return new_project(folder)

    return copy


@pytest.fixture(scope="session")
def copied_graphs(chain) -> Callable[[Path], Path]:
    """Copies the chain's captures and graphs, and nothing else, to a folder."""

    def copy(folder: Path) -> Path:
        for name in ("01_raw", "05_model_input"):
            shutil.copytree(chain[0].data / name, folder / name)
        return folder

    return copy
