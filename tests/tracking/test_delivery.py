"""Every record reaches a real SQLite store exactly once, whatever happens on the way."""

import errno
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from kdgat.errors import KdgatError
from kdgat.tracking import delivery, journal, records
from kdgat.tracking.delivery import State, deliver, deliver_others
from kdgat.tracking.journal import Journal
from kdgat.tracking.owners import Owner
from kdgat.tracking.run import TrackedRun


def history(data, run_id: str, key: str) -> list[tuple[int, float]]:
    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    return [(metric.step, metric.value) for metric in client.get_metric_history(run_id, key)]


def written(data, version: str, epochs: int, owner: Owner | None = None) -> Journal:
    """Write a journal without anybody who delivers it."""
    opened = Journal(data / "09_tracking" / "journal" / f"{version}.jsonl")
    opened.append(
        "run",
        experiment="fusion",
        name="fusion x",
        tags={"version": version},
        time=journal.milliseconds(),
        owner=(owner or Owner.this_process()).to_dict(),
    )
    opened.append("params", values={"a": "1"})
    for epoch in range(epochs):
        opened.append("metrics", values={"t/loss": 1.0 / (epoch + 1)}, step=epoch, time=epoch)
    return opened


def test_a_run_is_complete_and_its_journal_gone(data, begin, stored):
    run = begin("v1")
    run.log_parameters({"seed": 1, "fit.epochs": 2})
    run.log_epoch("teacher", 0, {"train_loss": 0.5})
    run.log_epoch("teacher", 1, {"train_loss": 0.25})
    run.log_text("note.md", "hello")
    run.end("FINISHED")
    (found,) = stored(data)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "fusion x"
    assert found.data.params == {"seed": "1", "fit.epochs": "2"}
    assert found.data.metrics == {"teacher/train_loss": 0.25}
    assert history(data, found.info.run_id, "teacher/train_loss") == [(0, 0.5), (1, 0.25)]
    assert not run.path.exists()


def test_a_required_tag_is_required(data):
    with pytest.raises(KdgatError, match="random_seed"):
        TrackedRun.begin("v1", experiment="fusion", name="x", tags={"dataset": "synthetic"})


def test_sending_everything_again_changes_nothing(data, stored):
    opened = written(data, "v1", epochs=5)
    opened.append("metrics", values={"t/nan": float("nan")}, step=0, time=0)
    run_id = deliver(opened.path)
    State(opened.path.with_suffix(".state")).keep()  # as if it had died before it took note
    assert deliver(opened.path) == run_id
    (found,) = stored(data)
    assert len(history(data, found.info.run_id, "t/loss")) == 5
    assert len(history(data, found.info.run_id, "t/nan")) == 1


def test_dying_between_two_batches_loses_and_doubles_nothing(data, stored, monkeypatch):
    opened = written(data, "v1", epochs=50)
    opened.append("status", status="FINISHED", time=journal.milliseconds(), error=None)
    monkeypatch.setattr(delivery, "RECORDS_AT_ONCE", 7)
    keep, lives = State.keep, []

    def dies(state):
        lives.append(state.offset)
        if len(lives) % 2:
            raise MlflowException("died")
        keep(state)

    monkeypatch.setattr(State, "keep", dies)
    while opened.path.exists():
        try:
            deliver(opened.path)
        except MlflowException:
            continue
    (found,) = stored(data)
    assert found.info.status == "FINISHED"
    assert [step for step, _ in history(data, found.info.run_id, "t/loss")] == list(range(50))


def test_a_locked_store_stalls_nobody_and_gets_everything_later(data, begin, stored, caplog):
    blocker = sqlite3.connect(data / "mlflow.db", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    run = begin("v1")
    longest = 0.0
    for epoch in range(200):
        start = time.perf_counter()
        run.log_epoch("teacher", epoch, {"train_loss": 1.0})
        longest = max(longest, time.perf_counter() - start)
    assert longest < 1.0
    run.end("FINISHED")
    assert run.run_id is None
    assert "waits in" in caplog.text
    blocker.execute("ROLLBACK")
    blocker.close()
    assert deliver_others() == ["v1"]
    (found,) = stored(data)
    assert found.info.status == "FINISHED"
    assert len(history(data, found.info.run_id, "teacher/train_loss")) == 200
    assert deliver_others() == []


def test_a_broken_store_is_named_in_the_warning(data, begin, caplog):
    (data / "mlflow.db").write_bytes(b"this is not a database" * 100)
    begin("v1").end("FINISHED")
    assert "does not answer" in caplog.text
    assert "mlflow.db" in caplog.text
    assert (data / "09_tracking" / "journal" / "v1.jsonl").is_file()


def test_a_read_only_store_loses_nothing(data, begin, monkeypatch, caplog, tmp_path):
    folder = tmp_path / "read_only"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a read-only file system takes root")
    try:
        shutil.copy(data / "mlflow.db", folder)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        run = begin("v1")
        run.log_epoch("teacher", 0, {"train_loss": 0.5})
        run.end("FINISHED")
        assert "Read-only file system" in caplog.text
        assert [record["kind"] for record, _ in journal.read(run.path)][-1] == "status"
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_the_end_reaches_the_store_where_its_record_cannot_be_written(
    data, begin, stored, monkeypatch, caplog
):
    run = begin("v1")
    record = records.write("v1", {"status": "RUNNING"})
    make_file = tempfile.mkstemp

    def full_for_records(dir, prefix):
        if dir == record.parent:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return make_file(dir=dir, prefix=prefix)

    with monkeypatch.context() as full:
        full.setattr(tempfile, "mkstemp", full_for_records)
        run.end("FAILED", "no checkpoint could be written")
    assert caplog.text.count(f"{record} lacks what has become known since: [Errno 28]") == 1
    deliver(run.path)
    (found,) = stored(data)
    assert found.info.status == "FAILED"
    assert records.read("v1")["status"] == "RUNNING"


def test_a_spoilt_record_does_not_hide_how_a_run_ended(data, begin, stored, caplog):
    run = begin("v1")
    records.write("v1", {"status": "RUNNING"}).write_text('{"status": "RUN')
    run.end("FAILED", "the true cause")
    assert caplog.text.count("v1.json lacks what has become known since") == 1
    (found,) = stored(data)
    assert found.info.status == "FAILED"


def test_what_the_store_refuses_is_kept_and_the_rest_arrives(data, stored):
    opened = written(data, "v1", epochs=1)
    deliver(opened.path)
    opened.append("params", values={"a": "another value", "b": "2"})
    opened.append("tags", values={"batch.teacher.kind": "x"})
    opened.append("status", status="FINISHED", time=journal.milliseconds(), error=None)
    deliver(opened.path)
    (found,) = stored(data)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"a": "1", "b": "2"}
    assert found.data.tags["batch.teacher.kind"] == "x"
    refused = opened.path.with_suffix(".refused").read_text()
    assert "another value" in refused
    assert "'2'" not in refused


def test_the_next_run_brings_in_and_marks_what_a_dead_one_left(data, begin, stored):
    here = Owner.this_process()
    written(data, "v1", epochs=3, owner=Owner(here.host, here.pid, here.started - 100.0, None))
    begin("v2").end("FINISHED")
    by_version = {run.data.tags["version"]: run for run in stored(data)}
    assert by_version["v1"].info.status == "KILLED"
    assert "ended without a word" in by_version["v1"].data.tags["error"]
    assert len(history(data, by_version["v1"].info.run_id, "t/loss")) == 3
    assert by_version["v2"].info.status == "FINISHED"


def test_a_later_life_goes_on_in_the_same_mlflow_run(data, begin, stored):
    records.write("v1", {"version": "v1", "inputs": {}})
    first = begin("v1")
    first.log_epoch("teacher", 0, {"train_loss": 0.5})
    first.end("KILLED", "SIGTERM")
    spent = records.read("v1")["seconds"]
    second = begin("v1", spent=3600.0)
    (found,) = stored(data)
    assert found.info.status == "RUNNING"
    assert "error" not in found.data.tags
    second.log_epoch("teacher", 1, {"train_loss": 0.25})
    second.end("FINISHED")
    (found,) = stored(data)
    assert found.info.status == "FINISHED"
    assert "error" not in found.data.tags
    assert len(history(data, found.info.run_id, "teacher/train_loss")) == 2
    assert 0.0 < spent < 3600.0 < records.read("v1")["seconds"] < 7200.0


def test_an_emptied_store_gets_the_whole_run_of_a_journal(data, stored):
    opened = written(data, "v1", epochs=3)
    _, offset = next(journal.read(opened.path))
    State(opened.path.with_suffix(".state"), run_id="0" * 32, offset=offset).keep()
    opened.append("status", status="FINISHED", time=journal.milliseconds(), error=None)
    with pytest.raises(MlflowException):
        deliver(opened.path)
    deliver(opened.path)
    (found,) = stored(data)
    assert len(history(data, found.info.run_id, "t/loss")) == 3
