"""A tracking store of one's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from kdgat.tracking.run import REQUIRED_TAGS, TrackedRun

TAGS = dict.fromkeys(REQUIRED_TAGS, "x")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A SQLite store with MLflow's tables, to be copied: making one takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path.read_bytes()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: bytes) -> Path:
    """A data root with an empty store."""
    (tmp_path / "mlflow.db").write_bytes(empty_store)
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture
def begin() -> Callable[[str], TrackedRun]:
    """Begins a run of a version."""

    def begin(version: str, spent: float = 0.0) -> TrackedRun:
        tags = {**TAGS, "version": version}
        return TrackedRun.begin(
            version, experiment="fusion", name="fusion x", tags=tags, spent=spent
        )

    return begin


@pytest.fixture
def stored() -> Callable[[Path], list[Run]]:
    """Lists the runs of a data root's store."""

    def stored(data: Path) -> list[Run]:
        client = MlflowClient(f"sqlite:///{data}/mlflow.db")
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(experiments, max_results=1000))

    return stored
