"""Epochs become log records that a handler can carry on."""

import logging

import pytest

from kdgat.training.report import LOGGER, StageReport, epoch_line, stage_report


def test_the_line_of_an_epoch():
    metrics = {
        "train_loss": 0.52,
        "val_loss": 0.51,
        "val_f1": 0.98,
        "learning_rate": 1e-3,
        "batch_graphs": 412.3,
        "batch_nodes": 11_800.0,
        "batch_memory": 1e9,
    }
    assert epoch_line({"epoch": 4, "metrics": metrics, "seconds": 1.4}, 100) == (
        "epoch 5/100  train loss 0.52  val loss 0.51  val f1 0.98  1.4 s  lr 1e-3"
        "  batch 412 nodes 11.8k"
    )


@pytest.mark.parametrize(
    ("rate", "written"), [(1e-3, "1e-3"), (2.5e-4, "2.5e-4"), (0.01, "1e-2"), (9.96e-5, "1e-4")]
)
def test_learning_rates(rate, written):
    done = {"epoch": 0, "metrics": {"learning_rate": rate}, "seconds": 0.0}
    assert epoch_line(done, 1) == f"epoch 1/1  0.0 s  lr {written}"


def finish(report: StageReport, epoch: int, metrics: dict[str, float]) -> None:
    report.measure(epoch, metrics)
    report.announce()


def test_every_epoch_is_one_record_with_its_metrics(caplog, monkeypatch):
    monkeypatch.setattr(LOGGER, "propagate", True)
    with (
        caplog.at_level(logging.DEBUG, logger="kdgat.epochs"),
        stage_report("teacher", 2) as report,
    ):
        finish(report, 0, {"train_loss": 0.5})
        finish(report, 1, {"train_loss": 0.00025})
    first, second = caplog.records
    assert (first.stage, first.epoch, first.metrics) == ("teacher", 0, {"train_loss": 0.5})
    assert first.getMessage().startswith("epoch 1/2  train loss 0.5  ")
    assert "train loss 2.5e-4" in second.getMessage()
    assert first.measured <= second.measured


def test_history_keeps_one_row_an_epoch():
    with stage_report("fusion", 1) as report:
        finish(report, 0, {"reward": 1})
    (row,) = report.history
    assert row.pop("seconds") >= 0
    assert row == {"stage": "fusion", "epoch": 0, "reward": 1.0}


def test_a_later_life_tells_the_tracking_again_with_the_first_time(caplog, monkeypatch):
    monkeypatch.setattr(LOGGER, "propagate", True)
    first = StageReport("teacher", 3)
    finish(first, 0, {"train_loss": 0.5})
    second = StageReport("teacher", 3)
    with caplog.at_level(logging.DEBUG, logger="kdgat.epochs"):
        second.restore(first.epochs_done)
        finish(second, 1, {"train_loss": 0.4})
    told, new = caplog.records
    assert (told.levelname, told.measured) == ("DEBUG", first.epochs_done[0]["measured"])
    assert (new.levelname, new.epoch) == ("INFO", 1)
    assert [row["epoch"] for row in second.history] == [0, 1]


def test_no_bar_under_slurm(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with stage_report("teacher", 1) as report:
        assert report.progress is None
