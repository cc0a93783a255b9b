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

TARGETS = (
    ("build_graph_stores", 0),
    ("build_graph_stores", 0),
    ("train_teacher_autoencoder", 1),
    ("train_teacher_autoencoder", 1),
    ("train_student_autoencoder", 1),
    ("train_teacher_classifier", 1),
    ("train_teacher_classifier", 1),
    ("train_student_classifier", 1),
    ("train_teacher_agent", 1),
    ("train_student_agent", 1),
    ("score_windows", 0),
    ("build_scorecard", 0),
)
"""Where the chain is killed: in this node, after so many of its epochs."""
LONG = "autoencoder.fit.epochs=9"
SIGNALS = cycle([signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1])
CODES = {signal.SIGTERM: 143, signal.SIGKILL: -9, signal.SIGUSR1: 138}


def start(forks, data: Path, pipeline: str, *values: str):
    command = ("run", "--env", "smoke", "--pipeline", pipeline)
    return forks.to_be_killed(data, *command, *(("--params", ",".join(values)) if values else ()))


def newest(data: Path, pattern: str) -> dict[str, Path]:
    """Give the newest version of every stored file of a data root: name -> path."""
    return {path.name: path for path in sorted(data.rglob(pattern)) if path.is_file()}


def weights_of(data: Path) -> dict[str, dict[str, bytes]]:
    """Give the newest weights of every model: name -> tensor -> bytes."""
    weights = {}
    for name, path in newest(data / "06_models", "*.safetensors").items():
        with safe_open(path, framework="np") as file:
            names = list(file.keys())
            weights[name] = {name: file.get_tensor(name).tobytes() for name in names}
    return weights


def versions_of(data: Path) -> set[str]:
    files = (path for path in (data / "06_models").rglob("*.safetensors") if path.is_file())
    return {path.parent.name for path in files}


def wait_for_epochs(process, node: str, epochs: int) -> None:
    """Wait until a node has begun and so many of its epochs are over, or a later one has begun."""
    order = [name for name, _ in TARGETS]
    later = {f"  {name}\n" for name in order[order.index(node) :]} - {f"  {node}\n"}

    def happened(printed: str) -> bool:
        _, begun, told = printed.partition(f"  {node}\n")
        return any(name in printed for name in later) or (
            bool(begun) and told.count("  epoch ") >= epochs
        )

    process.wait_until(happened)


def kill_in_training(process, number: signal.Signals, moment: random.Random) -> None:
    """Kill a process that trains an autoencoder, some epochs on."""
    wait_for_epochs(process, "train_teacher_autoencoder", moment.randrange(1, 3))
    assert kill(process, number), f"it ended before it was killed:\n{process.printed}"


def kill(process, number: signal.Signals) -> bool:
    """Kill a process; say whether there was still something to kill."""
    os.kill(process.pid, number)
    code = process.wait(300)
    assert code in (CODES[number], 0), process.printed
    return code != 0


def run_of(data: Path, version: str):
    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(experiments, f"tags.version = '{version}'")
    return client, run


def assert_every_epoch_once(data: Path, version: str) -> None:
    client, run = run_of(data, version)
    assert run.info.status == "FINISHED"
    losses = [name for name in run.data.metrics if name.endswith("/train_loss")]
    assert losses
    for name in losses:
        steps = [metric.step for metric in client.get_metric_history(run.info.run_id, name)]
        assert sorted(steps) == list(range(len(steps))), name


def test_killed_at_random_moments_in_every_stage_a_chain_ends_with_the_same_weights(
    forks, chain, tmp_path
):
    seed = random.SystemRandom().randrange(2**32)
    moment, data, kills = random.Random(seed), tmp_path / "data", 0
    for node, epochs in TARGETS:
        process = start(forks, data, "__default__")
        wait_for_epochs(process, node, epochs)
        time.sleep(moment.uniform(0.0, 0.3))
        kills += kill(process, next(SIGNALS))
    process = start(forks, data, "__default__")
    assert process.wait() == 0, process.printed

    assert kills == len(TARGETS), f"seed {seed}: it ended before it was killed"
    (version,) = versions_of(data)
    assert f"going on with run {version}" in process.printed
    assert weights_of(data) == weights_of(chain[0].data), f"seed {seed}"
    cards = [newest(root, "scorecard.csv")["scorecard.csv"] for root in (data, chain[0].data)]
    assert cards[0].read_bytes() == cards[1].read_bytes()
    assert list((data / "checkpoints").iterdir()) == []
    assert_every_epoch_once(data, version)


@pytest.fixture(scope="module")
def data(tmp_path_factory, copied_chain) -> Path:
    """A data root in which one chain has ended."""
    return copied_chain(tmp_path_factory.mktemp("survival") / "data").data


def test_killed_in_a_curriculum_a_stage_ends_with_the_same_weights(forks, data):
    values = ("teacher.fit.epochs=6", "teacher.mode=curriculum")
    whole = start(forks, data, "teacher", *values)
    assert whole.wait() == 0, whole.printed
    expected, before = weights_of(data), versions_of(data)
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = start(forks, data, "teacher", *values)
        wait_for_epochs(process, "train_teacher_classifier", 2)
        assert kill(process, number), process.printed
    process = start(forks, data, "teacher", *values)
    assert process.wait() == 0, process.printed
    (version,) = versions_of(data) - before
    assert weights_of(data) == expected
    assert_every_epoch_once(data, version)


def test_another_command_is_another_run(forks, data):
    kill_in_training(start(forks, data, "autoencoder", LONG, "seed=7"), signal.SIGKILL, random)
    folders = set((data / "checkpoints").iterdir())
    other = start(forks, data, "autoencoder", "seed=7", "autoencoder.fit.epochs=2")
    assert other.wait() == 0, other.printed
    assert "going on" not in other.printed
    assert set((data / "checkpoints").iterdir()) == folders, "its checkpoints are its own"


def test_the_same_command_at_the_same_time_is_another_run(forks, data):
    before = versions_of(data)
    pair = [start(forks, data, "autoencoder", LONG, "seed=8") for _ in range(2)]
    assert [process.wait() for process in pair] == [0, 0], [p.printed for p in pair]
    assert len(versions_of(data) - before) == 2
    first, second = (
        path.read_bytes() for path in sorted((data / "08_reporting").rglob("*_history.csv"))[-2:]
    )
    assert first.count(b"\n") == second.count(b"\n") > 2


def test_a_key_from_outside_names_the_run(forks, data):
    arguments = ("run", "--env", "smoke", "--pipeline", "autoencoder", "--params")
    values = f"{LONG},seed=9"
    process = forks.to_be_killed(data, *arguments, values, KDGAT_RUN_KEY="sub-1/autoencoder")
    kill_in_training(process, signal.SIGUSR1, random)
    (folder,) = (data / "checkpoints").glob("sub-1-autoencoder-*")
    process = forks.kedro(data, *arguments, values, KDGAT_RUN_KEY="sub-1/autoencoder")
    assert process.wait() == 0, process.printed
    assert "going on with run" in process.printed
    assert not folder.exists()
