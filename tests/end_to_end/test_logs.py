"""What a run leaves in a log file."""

import re

import pytest

COMMAND = ("run", "--env", "smoke", "--pipeline")
LINE = re.compile(r"\d\d:\d\d:\d\d  (?!WARNING|ERROR)\S")
EPOCH = re.compile(
    r"\d\d:\d\d:\d\d  epoch \d+/\d+  train loss \S+  val loss \S+(  val f1 \S+)?  \d+\.\d s"
    r"  lr \S+e-?\d+  batch \d+ nodes \S+"
)


def assert_quiet(log: str, most: int) -> None:
    assert len(log.encode()) <= most
    assert "\r" not in log
    assert "\x1b" not in log


def test_a_whole_chain(chain):
    _, result = chain
    assert_quiet(result.stdout + result.stderr, 60_000)
    assert len(result.stdout.encode()) <= 16_000, "a run of fusion alone prints as much at its end"
    assert [line for line in result.stderr.splitlines() if not LINE.match(line)] == []
    assert "chain on synthetic" in result.stderr
    assert "parameters other than by default: data_processing." in result.stderr
    assert ", simulator.duration 4.0, " in result.stderr
    assert "results go to " in result.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory, copied_graphs, forks):
    """A data root in which two stages have run with warnings only; and what they said."""
    data = copied_graphs(tmp_path_factory.mktemp("logs") / "data")
    printed = ""
    for stage in ("data_processing", "autoencoder"):
        process = forks.kedro(data, *COMMAND, stage, "--params", "logging.level=warning")
        assert process.wait() == 0, process.printed
        printed += process.printed
    return data, printed


def test_a_hundred_epochs_and_their_details(forks, data):
    folder, _ = data
    values = "teacher.fit.epochs=100,teacher.fit.patience=100,logging.level=debug"
    process = forks.kedro(folder, *COMMAND, "teacher", "--params", values)
    assert process.wait() == 0, process.printed
    log = process.printed
    assert_quiet(log, 20_000)
    epochs = [line for line in log.splitlines() if "  epoch " in line]
    assert len(epochs) == 100
    assert [line for line in epochs if not EPOCH.fullmatch(line)] == []
    assert "teacher: best epoch" in log
    (details,) = (folder / "09_tracking" / "logs").glob("*.log")
    assert "DEBUG kdgat.training.report: teacher: {'epoch': 99" in details.read_text()


def test_only_warnings(data):
    _, printed = data
    assert "epoch" not in printed
    assert "  parameters other" not in printed
