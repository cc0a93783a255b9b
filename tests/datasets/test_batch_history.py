"""Which runs' batch sizes are shown beside one another."""

import json
import math

import pytest

from kdgat.datasets.batch_history import BatchHistoryDataset
from kdgat.tracking.run import TrackedRun

CPU, LARGER = "cpu, 1.0M parameters", "cpu, 9.0M parameters"


def adapted(*budgets: int, kind: str = CPU) -> dict:
    """What a stage used whose batches adapted."""
    names = ("batch_nodes", "batch_budget", "batch_memory", "batch_target", "batch_factor")
    return {name: list(budgets) for name in names} | {"kind": kind, "batch_schedule": [[[0, 9]]]}


FIXED = {"batch_nodes": [64.0, 64.0], "batch_schedule": [[[0, 0]], [[0, 0]]]}


@pytest.fixture
def put_on_record(tmp_path, monkeypatch):
    """Writes records of runs, version -> stage -> used."""
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    folder = tmp_path / "09_tracking" / "runs"
    folder.mkdir(parents=True)

    def write(dataset="synthetic", **runs):
        for version, used in runs.items():
            record = {"parameters": {"dataset": dataset}, "used": used}
            (folder / f"{version}.json").write_text(json.dumps(record))

    return write


def shown(dataset="synthetic") -> list[tuple]:
    table = BatchHistoryDataset(dataset=dataset).load()
    return list(table[["stage", "version", "epoch"]].itertuples(index=False, name=None))


def test_the_last_three_runs_like_the_newest_stand_oldest_first(put_on_record):
    put_on_record(**{f"v{n}": {"teacher": adapted(n, n + 1)} for n in (1, 2, 3, 5)})
    put_on_record(v4={"teacher": adapted(7, kind=LARGER)}, v6={})
    put_on_record("other", v7={"teacher": adapted(8)})
    assert shown() == [("teacher", f"v{n}", epoch) for n in (2, 3, 5) for epoch in (0, 1)]
    assert BatchHistoryDataset(dataset="synthetic").load()["batch_budget"].tolist() == [
        *(2, 3), *(3, 4), *(5, 6)
    ]  # fmt: skip


def test_a_run_with_fixed_batches_stands_alone(put_on_record):
    put_on_record(v1={"teacher": FIXED}, v2={"teacher": adapted(5)}, v3={"teacher": FIXED})
    table = BatchHistoryDataset(dataset="synthetic").load()
    assert shown() == [("teacher", "v3", 0), ("teacher", "v3", 1)]
    assert table["batch_nodes"].tolist() == [64.0, 64.0]
    assert table["batch_budget"].isna().all()


def test_stages_come_in_the_order_of_their_newest_runs(put_on_record):
    put_on_record(
        v1={"teacher": adapted(5), "student_classifier": adapted(6)}, v2={"autoencoder": adapted(7)}
    )
    assert [stage for stage, _, _ in shown()] == ["teacher", "student_classifier", "autoencoder"]


def test_a_spoilt_record_is_told_of_and_left_out(put_on_record, tmp_path, caplog):
    put_on_record(v1={"teacher": adapted(5)})
    (tmp_path / "09_tracking" / "runs" / "v2.json").write_text('{"parameters"')
    assert shown() == [("teacher", "v1", 0)]
    assert "v2.json is not the record of a run" in caplog.text


def test_without_records_there_is_no_row(put_on_record):
    assert shown() == []
    put_on_record(v1={"teacher": adapted(5)})
    assert shown("other") == []


def test_epochs_before_batches_adapted_have_no_budget(put_on_record, tmp_path):
    run = TrackedRun("v1")
    for epoch, measured in enumerate([{}, {"batch_budget": 900.0}, {"batch_budget": 450.0}]):
        run.log_epoch("teacher", epoch, {"batch_nodes": 64.0, **measured})
    put_on_record(v1={})
    run.keep_used()
    table = BatchHistoryDataset(dataset="synthetic").load()
    assert table["batch_nodes"].tolist() == [64.0] * 3
    assert table["batch_budget"].fillna(0).tolist() == [0, 900, 450]
    put_on_record(v2={"teacher": {"batch_nodes": [64.0, 64.0], "batch_budget": [900.0]}})
    (row, last) = BatchHistoryDataset(dataset="synthetic").load()["batch_budget"]
    assert math.isnan(row)
    assert last == 900.0


def test_an_epoch_told_again_without_budgets_forgets_those_before(put_on_record):
    run = TrackedRun("v1")
    for epoch in (0, 1):
        run.log_epoch("teacher", epoch, {"batch_nodes": 64.0, "batch_budget": 900.0})
    for epoch in (0, 1, 2):
        run.log_epoch("teacher", epoch, {"batch_nodes": 32.0})
    put_on_record(v1={})
    run.keep_used()
    table = BatchHistoryDataset(dataset="synthetic").load()
    assert table["batch_nodes"].tolist() == [32.0] * 3
    assert table["batch_budget"].isna().all()
