"""Runs that are killed at random moments end with the weights of one that was not."""

import os
import random
import signal
import time
from itertools import cycle
from pathlib import Path

import pytest
from mlflow import MlflowClient
from safetensors import safe_open

KILLS = 3
PARAMETERS = {
    "autoencoder": "autoencoder.fit.epochs=9",
    "teacher": "teacher.fit.epochs=12,teacher.mode=curriculum",
    "distillation": "distillation.autoencoder_fit.epochs=6,distillation.classifier_fit.epochs=6",
    "fusion": "fusion.agent.steps=600,evaluation.bootstrap=5",
}
SHARED = "simulator.duration=4.0,data_processing.validation_share=0.3"
SIGNALS = cycle([signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1])
CODES = {signal.SIGTERM: 143, signal.SIGKILL: -9, signal.SIGUSR1: 138}


def start(forks, data: Path, stage: str, *more: str):
    values = f"{SHARED},{PARAMETERS[stage]}" if stage in PARAMETERS else SHARED
    return forks.kedro(
        data, "run", "--env", "smoke", "--pipeline", stage, "--params", ",".join([values, *more])
    )


def weights_of(data: Path) -> dict[str, dict[str, bytes]]:
    """Give the newest weights of every model: name -> tensor -> bytes."""
    newest = {}
    for path in sorted((data / "06_models").rglob("*.safetensors")):
        if path.is_file():
            with safe_open(path, framework="np") as file:
                names = list(file.keys())
                newest[path.name] = {name: file.get_tensor(name).tobytes() for name in names}
    return newest


def versions_of(data: Path) -> set[str]:
    files = (path for path in (data / "06_models").rglob("*.safetensors") if path.is_file())
    return {path.parent.name for path in files}


@pytest.fixture(scope="module")
def reference(tmp_path_factory, forks):
    """A data root on which every stage has run without interruption, and its weights."""
    data = tmp_path_factory.mktemp("survival") / "data"
    for stage in ("data_processing", *PARAMETERS):
        process = start(forks, data, stage)
        assert process.wait() == 0, process.printed
    return data, weights_of(data)


def kill_in_training(process, number: signal.Signals, moment: random.Random) -> bool:
    """Kill a process some epochs on; say whether there was still something to kill."""
    epochs, deadline = moment.randrange(1, 3), time.monotonic() + 60
    while process.printed.count("epoch ") < epochs:
        assert time.monotonic() < deadline, process.printed
        time.sleep(0.01)
    time.sleep(moment.uniform(0.0, 0.2))
    return kill(process, number)


def kill(process, number: signal.Signals) -> bool:
    os.kill(process.pid, number)
    code = process.wait(60)
    assert code in (CODES[number], 0), process.printed
    return code != 0


def run_of(data: Path, version: str):
    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(experiments, f"tags.version = '{version}'")
    return client, run


@pytest.mark.parametrize("stage", list(PARAMETERS))
def test_killed_at_random_moments_a_run_ends_with_the_same_weights(forks, reference, stage):
    data, expected = reference
    seed = random.SystemRandom().randrange(2**32)
    moment, before = random.Random(seed), versions_of(data)
    kills = 0
    while kills < KILLS:
        killed = kill_in_training(start(forks, data, stage), next(SIGNALS), moment)
        assert killed, f"{stage} ended before it was killed {KILLS} times: seed {seed}"
        kills += 1
    process = start(forks, data, stage)
    assert process.wait() == 0, process.printed
    assert weights_of(data) == expected, f"seed {seed}"
    (version,) = versions_of(data) - before
    assert f"going on with run {version}" in process.printed
    assert list((data / "checkpoints").iterdir()) == []

    client, run = run_of(data, version)
    assert run.info.status == "FINISHED"
    losses = [name for name in run.data.metrics if name.endswith("/train_loss")]
    assert losses
    for name in losses:
        steps = [metric.step for metric in client.get_metric_history(run.info.run_id, name)]
        assert sorted(steps) == list(range(len(steps))), f"{name}: every epoch once"


def test_killed_anywhere_the_chain_ends_with_the_same_weights(forks, reference, tmp_path):
    """Also between the stages, while something is saved, and in the evaluation."""
    values = {**dict(pair.split("=") for pair in SHARED.split(",")), "evaluation.bootstrap": "5"}
    command = ("run", "--env", "smoke", "--params", ",".join(f"{k}={v}" for k, v in values.items()))
    began = time.monotonic()
    process = forks.kedro(tmp_path / "whole", *command)
    assert process.wait() == 0, process.printed
    seconds = time.monotonic() - began
    seed = random.SystemRandom().randrange(2**32)
    moment, data = random.Random(seed), tmp_path / "killed"
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        process = forks.kedro(data, *command)
        time.sleep(moment.uniform(0.2, 0.7) * seconds)
        kill(process, number)
    process = forks.kedro(data, *command)
    assert process.wait() == 0, process.printed
    assert weights_of(data) == weights_of(tmp_path / "whole"), f"seed {seed}"
    assert list((data / "checkpoints").iterdir()) == []


def test_another_command_is_another_run(forks, reference):
    data, _ = reference
    assert kill_in_training(start(forks, data, "autoencoder", "seed=7"), signal.SIGKILL, random)
    folders = set((data / "checkpoints").iterdir())
    other = start(forks, data, "autoencoder", "seed=7", "autoencoder.fit.epochs=2")
    assert other.wait() == 0, other.printed
    assert "going on" not in other.printed
    assert set((data / "checkpoints").iterdir()) == folders, "its checkpoints are its own"


def test_the_same_command_at_the_same_time_is_another_run(forks, reference):
    data, _ = reference
    before = versions_of(data)
    pair = [start(forks, data, "autoencoder", "seed=8") for _ in range(2)]
    assert [process.wait() for process in pair] == [0, 0], [p.printed for p in pair]
    assert len(versions_of(data) - before) == 2
    first, second = (
        path.read_bytes() for path in sorted((data / "08_reporting").rglob("*_history.csv"))[-2:]
    )
    assert first.count(b"\n") == second.count(b"\n") > 2


def test_a_key_from_outside_names_the_run(forks, reference):
    data, _ = reference
    arguments = ("run", "--env", "smoke", "--pipeline", "autoencoder", "--params")
    values = f"{SHARED},{PARAMETERS['autoencoder']},seed=9"
    process = forks.kedro(data, *arguments, values, KDGAT_RUN_KEY="sub-1/autoencoder")
    assert kill_in_training(process, signal.SIGUSR1, random)
    (folder,) = (data / "checkpoints").glob("sub-1-autoencoder-*")
    process = forks.kedro(data, *arguments, values, KDGAT_RUN_KEY="sub-1/autoencoder")
    assert process.wait() == 0, process.printed
    assert "going on with run" in process.printed
    assert not folder.exists()
