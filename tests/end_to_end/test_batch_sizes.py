"""Budgets from run to run: learnt, recorded, taken up, repeated."""

import json
import os
import random
import signal
import time

import pytest
from safetensors import safe_open

from kdgat.datasets.batch_history import BatchHistoryDataset

ADAPTIVE = (
    "autoencoder.fit.epochs=6,autoencoder.fit.batch_size.mode=adaptive,"
    "autoencoder.fit.batch_size.cpu_memory=4"
)
COMMAND = ("run", "--env", "smoke", "--pipeline", "autoencoder", "--params", ADAPTIVE)


def run(forks, data, *arguments) -> str:
    process = forks.kedro(data, *arguments)
    assert process.wait() == 0, process.printed
    return process.printed


def records(data) -> list[dict]:
    paths = sorted((data / "09_tracking" / "runs").glob("*.json"))
    return [json.loads(path.read_text()) for path in paths]


def weights(data, version: str) -> dict[str, bytes]:
    (path,) = data.glob(f"06_models/*/*/*/{version}/teacher_autoencoder.safetensors")
    with safe_open(path, framework="np") as file:
        names = list(file.keys())
        return {name: file.get_tensor(name).tobytes() for name in names}


@pytest.fixture(scope="module")
def data(tmp_path_factory, copied_graphs, forks):
    """A data root with graphs on which two adaptive runs have ended."""
    data = copied_graphs(tmp_path_factory.mktemp("sizes") / "data")
    for _ in range(2):
        run(forks, data, *COMMAND)
    return data


def test_a_run_begins_where_the_last_one_ended_and_says_what_it_used(data):
    first, second = (record["used"]["autoencoder"] for record in records(data))
    budgets = first["batch_budget"]
    assert len(budgets) == 6
    assert budgets[0] != budgets[-1]
    assert all(0 < memory <= 4e6 for memory in first["batch_memory"])
    assert second["batch_memory"][-1] == pytest.approx(0.8 * 4e6, rel=0.1)
    assert abs(second["batch_budget"][0] - budgets[-1]) <= abs(budgets[0] - budgets[-1])
    assert second["batch_budget"][0] != budgets[0]


def test_both_runs_stand_in_the_second_one_s_picture(data, monkeypatch):
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(data))
    shown = BatchHistoryDataset(dataset="synthetic").load()
    used = [record["used"]["autoencoder"]["batch_budget"] for record in records(data)]
    assert shown["batch_budget"].tolist() == [*used[0], *used[1]]
    assert len(list(data.rglob("08_reporting/synthetic/*/autoencoder_batches.png/*/*.png"))) == 2


def test_a_repeated_run_uses_the_same_sizes_without_tuning(forks, data):
    first = records(data)[0]
    run(forks, data, "run", "--from-run", first["version"])
    again = records(data)[-1]
    sizes = again["parameters"]["autoencoder"]["fit"]["batch_size"]["replay"]
    assert sizes == first["used"]["autoencoder"]["batch_schedule"]
    assert again["used"]["autoencoder"]["batch_schedule"] == sizes
    assert again["used"]["autoencoder"]["batch_factor"] == [1.0] * 6
    assert weights(data, again["version"]) == weights(data, first["version"])


def test_an_interrupted_adaptive_run_goes_on_with_its_budget(forks, data):
    values = f"{ADAPTIVE},autoencoder.fit.epochs=9"
    command = (*COMMAND[:-1], values)
    process = forks.kedro(data, *command)
    while process.printed.count("  epoch ") < 4:
        time.sleep(0.01)
    time.sleep(random.uniform(0.0, 0.1))
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(300) == -9
    run(forks, data, *command)
    killed = records(data)[-1]
    assert len(killed["used"]["autoencoder"]["batch_budget"]) == 9
    run(forks, data, "run", "--from-run", killed["version"])
    again = records(data)[-1]
    assert weights(data, again["version"]) == weights(data, killed["version"])
