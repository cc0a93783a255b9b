"""What is appended is there, whole, whoever dies meanwhile."""

import os
import subprocess
import sys

import pytest

from kdgat.tracking import journal
from kdgat.tracking.journal import Journal
from kdgat.tracking.owners import Owner, job_id


def kinds(path) -> list[str]:
    return [record["kind"] for record, _ in journal.read(path)]


def begun(path, owner: Owner) -> None:
    opened = Journal(path)
    opened.append("run", owner=owner.to_dict())
    opened.close()


def owner_that_is_gone() -> Owner:
    here = Owner.this_process()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return Owner(here.host, gone.pid, here.started, None)


def test_records_come_back_in_order(tmp_path):
    opened = Journal(tmp_path / "v1.jsonl")
    for step in range(3):
        opened.append("metrics", values={"a": float("nan"), "b": 0.1}, step=step, time=1)
    read = [record for record, _ in journal.read(opened.path)]
    assert [record["step"] for record in read] == [0, 1, 2]
    assert read[0]["values"]["b"] == 0.1


def test_reading_goes_on_where_it_stopped(tmp_path):
    opened = Journal(tmp_path / "v1.jsonl")
    opened.append("tags", values={})
    _, offset = next(journal.read(opened.path))
    opened.append("params", values={})
    assert [record["kind"] for record, _ in journal.read(opened.path, offset)] == ["params"]


def test_a_torn_last_line_is_not_read_and_then_cut_off(tmp_path):
    path = tmp_path / "v1.jsonl"
    begun(path, Owner.this_process())
    with path.open("a") as file:
        file.write('{"kind": "met')
    assert kinds(path) == ["run"]
    Journal(path).append("tags", values={})
    assert kinds(path) == ["run", "tags"]


def test_a_line_that_a_power_loss_has_spoilt_costs_that_line_only(tmp_path, caplog):
    path = tmp_path / "v1.jsonl"
    begun(path, Owner.this_process())
    with path.open("ab") as file:
        file.write(b"\0" * 40 + b"\n")
    Journal(path).append("tags", values={})
    assert kinds(path) == ["run", "tags"]
    assert "v1.jsonl" in caplog.text


def test_what_a_full_disk_refuses_is_written_later(tmp_path, monkeypatch, caplog):
    opened = Journal(tmp_path / "v1.jsonl")
    opened.append("tags", values={"n": 0})
    write = os.write

    def half(file, data):
        return write(file, data[:7])

    monkeypatch.setattr(os, "write", half)
    opened.append("tags", values={"n": 1})
    opened.append("tags", values={"n": 2})
    assert opened.waiting == 2
    assert kinds(opened.path) == ["tags"]
    monkeypatch.undo()
    opened.append("tags", values={"n": 3})
    numbers = [record["values"]["n"] for record, _ in journal.read(opened.path)]
    assert numbers == [0, 1, 2, 3]
    assert len(caplog.records) == 1


def test_a_run_whose_process_is_gone_was_killed(tmp_path):
    path = tmp_path / "v1.jsonl"
    begun(path, owner_that_is_gone())
    assert journal.close_if_dead(path)
    assert [record["status"] for record, _ in journal.read(path) if "status" in record] == [
        "KILLED"
    ]
    assert not journal.close_if_dead(path)


def test_a_run_whose_process_lives_is_left_alone(tmp_path):
    path = tmp_path / "v1.jsonl"
    begun(path, Owner.this_process())
    assert not journal.close_if_dead(path)
    assert kinds(path) == ["run"]


def test_another_process_with_the_same_id_is_not_the_run(tmp_path):
    here = Owner.this_process()
    assert Owner(here.host, here.pid, here.started - 100.0, None).is_alive() is False


def test_a_machine_that_cannot_be_asked_is_believed_alive_until_declared_dead(tmp_path):
    path = tmp_path / "v1.jsonl"
    begun(path, Owner("elsewhere", 1, 0.0, None))
    assert not journal.close_if_dead(path)
    assert journal.close_if_dead(path, dead_hosts=("elsewhere",))


@pytest.mark.parametrize(
    ("answer", "code", "alive"),
    [("RUNNING\n", 0, True), ("CANCELLED\n", 0, False), ("", 0, False), ("", 1, None)],
)
def test_a_job_elsewhere_is_asked_of_the_queue(tmp_path, monkeypatch, answer, code, alive):
    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\nprintf '{answer}'\nexit {code}\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert Owner("elsewhere", 1, 0.0, "17_3").is_alive() is alive


def test_a_job_is_named_as_the_queue_names_it(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    assert job_id() == "18"
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "17")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert job_id() == "17_3"
