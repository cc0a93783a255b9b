"""How a run ends is what the store says, whatever ends it."""

import os
import signal
from itertools import count

import pytest
from mlflow import MlflowClient

# Long enough to be hit by a signal in the middle of training.
SEEDS = count(1)
LONG = "autoencoder.fit.epochs=5000,autoencoder.fit.patience=5000"


@pytest.fixture(scope="module")
def data(tmp_path_factory, copied_chain):
    """A data root with graphs, and a store with one run."""
    return copied_chain(tmp_path_factory.mktemp("status") / "data").data


def runs_of(data) -> dict:
    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return {run.data.tags["version"]: run for run in client.search_runs(experiments)}


def start_training(forks, data):
    """Start a run of its own: the same command would go on with the one killed before."""
    values = f"{LONG},seed={next(SEEDS)}"
    process = forks.to_be_killed(
        data, "run", "--env", "smoke", "--pipeline", "autoencoder", "--params", values
    )
    process.wait_until(lambda printed: "epoch 3/" in printed)
    return process


def version_of(data, process) -> str:
    (path,) = (data / "09_tracking" / "runs").glob(f"*-p{process.pid}.json")
    return path.stem


def test_a_normal_end_is_finished(data):
    (run,) = runs_of(data).values()
    assert run.info.status == "FINISHED"
    assert "error" not in run.data.tags


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)]
)
def test_a_signal_kills_and_says_so(forks, data, number, code):
    process = start_training(forks, data)
    os.kill(process.pid, number)
    assert process.wait(300) == code, process.printed
    run = runs_of(data)[version_of(data, process)]
    assert run.info.status == "KILLED"
    assert run.data.tags["error"] == number.name
    assert run.data.metrics["autoencoder/train_loss"]
    assert "Traceback" not in process.printed


def test_an_exception_fails_with_its_sentence(forks, data):
    process = forks.kedro(
        data,
        *("run", "--env", "smoke", "--pipeline", "autoencoder"),
        *("--params", "autoencoder.fit.learning_rate=1e30"),
    )
    assert process.wait() == 1
    run = runs_of(data)[version_of(data, process)]
    assert run.info.status == "FAILED"
    assert "validation loss was never finite" in run.data.tags["error"]
    assert f"error: {run.data.tags['error']}" in process.printed


def test_kill_9_is_found_by_the_command(forks, data):
    process = start_training(forks, data)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(300) == -9
    version = version_of(data, process)
    found = forks.kedro(data, "tracking", "deliver")
    assert found.wait() == 0, found.printed
    assert f"brought in {version}" in found.printed
    run = runs_of(data)[version]
    assert run.info.status == "KILLED"
    assert "ended without a word" in run.data.tags["error"]
    assert run.data.metrics["autoencoder/train_loss"]


def test_nobody_is_left_running(data):
    assert {run.info.status for run in runs_of(data).values()} <= {"FINISHED", "FAILED", "KILLED"}
