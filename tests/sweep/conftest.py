"""The project's pipelines and configuration, and a data folder of a test's own."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="package", autouse=True)
def project() -> Iterator[Path]:
    """The project's folder, known to Kedro, which sets up logging for as long."""
    loggers = [logging.getLogger(name) for name in (None, "kdgat", "kdgat.epochs")]
    before = [(logger.handlers[:], logger.propagate, logger.level) for logger in loggers]
    bootstrap_project(ROOT)
    yield ROOT
    for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate, logger.level = handlers, propagate, level


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch) -> Path:
    """A data root of the test's own."""
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path
