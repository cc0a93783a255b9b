"""Two folders and a store, each movable by one environment variable."""

import pytest

from kdgat import locations


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("KDGAT_DATA_ROOT", "KDGAT_RAW_ROOT", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def test_everything_lies_in_the_project_by_default():
    data = locations.PROJECT / "data"
    assert locations.data_root() == str(data)
    assert locations.raw_folder("hcrl_sa") == str(data / "01_raw" / "hcrl_sa")
    assert locations.tracking_uri() == f"sqlite:///{data}/mlflow.db"
    assert locations.artifact_location() == f"{data}/mlflow_artifacts"


def test_an_empty_variable_is_none(monkeypatch):
    here = locations.data_root(), locations.raw_folder("hcrl_sa"), locations.artifact_location()
    for name in ("KDGAT_DATA_ROOT", "KDGAT_RAW_ROOT", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
    assert (
        locations.data_root(),
        locations.raw_folder("hcrl_sa"),
        locations.artifact_location(),
    ) == here
    assert locations.tracking_uri() == f"sqlite:///{locations.data_root()}/mlflow.db"


def test_relative_roots_become_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KDGAT_DATA_ROOT", "mine")
    monkeypatch.setenv("KDGAT_RAW_ROOT", "captures")
    assert locations.data_root() == str(tmp_path / "mine")
    assert locations.raw_folder("hcrl_sa") == str(tmp_path / "captures" / "hcrl_sa")


def test_the_built_in_dataset_stays_below_the_data_root(monkeypatch, tmp_path):
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    monkeypatch.setenv("KDGAT_RAW_ROOT", "/read/only")
    assert locations.raw_folder("synthetic") == str(tmp_path / "01_raw" / "synthetic")


def test_a_tracking_server_keeps_its_own_artifacts(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert locations.tracking_uri() == "http://127.0.0.1:5000"
    assert locations.artifact_location() is None
