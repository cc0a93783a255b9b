"""Epochs become log records that a handler can carry on."""

import logging

from kdgat.training.report import LOGGER, stage_report


def test_every_epoch_is_one_record_with_its_metrics(caplog, monkeypatch):
    monkeypatch.setattr(LOGGER, "propagate", True)
    with (
        caplog.at_level(logging.DEBUG, logger="kdgat.epochs"),
        stage_report("teacher", 2) as report,
    ):
        report(0, {"train_loss": 0.5})
        report(1, {"train_loss": 0.00025})
    first, second = caplog.records
    assert (first.stage, first.epoch, first.metrics) == ("teacher", 0, {"train_loss": 0.5})
    assert first.getMessage().startswith("teacher  epoch 1/2  train loss 0.5  ")
    assert "train loss 2.50e-04" in second.getMessage()


def test_history_keeps_one_row_an_epoch():
    with stage_report("fusion", 1) as report:
        report(0, {"reward": 1})
    (row,) = report.history
    assert row.pop("seconds") >= 0
    assert row == {"stage": "fusion", "epoch": 0, "reward": 1.0}
