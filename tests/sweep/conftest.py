"""The project's pipelines and configuration, and a data folder of a test's own."""

from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session", autouse=True)
def project() -> Path:
    """The project's folder, known to Kedro."""
    bootstrap_project(ROOT)
    return ROOT


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    """A data root of the test's own."""
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path
