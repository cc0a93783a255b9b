"""Done, running, failed, missing: from runs and files made by hand."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from kdgat.sweep.plan import make_plan
from kdgat.sweep.status import EXIT_LINE, State, assess, failure_of, lock_of, log_file, log_folder
from kdgat.sweep.work import Work, plan_work
from kdgat.tracking import records
from kdgat.tracking.owners import Owner


@pytest.fixture
def works() -> dict[str, Work]:
    plan = make_plan(
        {
            "pipelines": ["autoencoder", "teacher"],
            "datasets": ["synthetic"],
            "seeds": [1],
            "environment": "smoke",
        },
        "here",
    )
    return {cell.pipeline: work for cell, work in plan_work(plan).items()}


@pytest.fixture
def leave() -> Callable[..., None]:
    """Leave the record of a run of a work, with its files if it finished."""

    def leave(
        work: Work,
        version: str,
        status: str = "FINISHED",
        reads: dict[str, str] | None = None,
        changes: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        record = {
            "version": version,
            "run_id": f"run-{version}",
            "status": status,
            "began": 1000,
            "ended": 3500,
            "experiment": work.pipeline,
            "selection": {},
            "parameters": {
                "dataset": work.dataset,
                "seed": work.seed,
                **dict(work.parameters),
                **(changes or {}),
            },
            "inputs": {name: {"version": read} for name, read in (reads or {}).items()},
            "owner": Owner.this_process().to_dict(),
        }
        records.write(version, record | fields)
        for _, path in work.outputs:
            if status == "FINISHED":
                (path / version).mkdir(parents=True)
                (path / version / path.name).touch()

    return leave


def test_without_any_run_everything_is_missing(works, data):
    assert {status.state for status in assess(works.values()).values()} == {State.MISSING}
    assert not list(data.iterdir())


def test_a_finished_run_with_all_its_files_is_done(works, leave):
    leave(works["autoencoder"], "v1")
    status = assess(works.values())[works["autoencoder"]]
    assert (status.state, status.run_id, status.version) == (State.DONE, "run-v1", "v1")
    assert status.seconds == 2.5


def test_a_file_that_is_gone_makes_it_missing(works, leave):
    leave(works["autoencoder"], "v1")
    path = dict(works["autoencoder"].outputs)["teacher_autoencoder"]
    (path / "v1" / path.name).unlink()
    status = assess(works.values())[works["autoencoder"]]
    assert (status.state, status.reason) == (State.MISSING, "files of its run are gone")


@pytest.mark.parametrize(
    "other",
    [
        {"changes": {"autoencoder.fit.epochs": 99}},
        {"changes": {"seed": 2}},
        {"changes": {"dataset": "hcrl_sa"}},
        {"experiment": "teacher"},
        {"selection": {"to_nodes": ["train_teacher_autoencoder"]}},
    ],
)
def test_a_run_of_something_else_does_not_count(other, works, leave):
    leave(works["autoencoder"], "v1", **other)
    assert assess(works.values())[works["autoencoder"]].state == State.MISSING


def test_only_a_run_on_the_right_input_counts(works, leave):
    leave(works["autoencoder"], "v1")
    leave(works["teacher"], "t0", reads={"teacher_autoencoder": "older"})
    assert assess(works.values())[works["teacher"]].state == State.MISSING
    leave(works["teacher"], "t1", reads={"teacher_autoencoder": "v1"})
    leave(works["autoencoder"], "v2")  # the same again: what was built on the first still counts
    statuses = assess(works.values())
    assert statuses[works["teacher"]].version == "t1"
    assert statuses[works["autoencoder"]].version == "v2"


@pytest.mark.parametrize("ended", ["FAILED", "KILLED"])
def test_a_failed_run_is_listed_with_its_reason(ended, works, leave):
    leave(works["autoencoder"], "v1", ended, error="loss is\nnot finite")
    status = assess(works.values())[works["autoencoder"]]
    assert (status.state, status.reason) == (State.FAILED, "loss is not finite")


def test_an_older_success_outlives_a_later_failure(works, leave):
    leave(works["autoencoder"], "v1")
    leave(works["autoencoder"], "v2", "FAILED")
    assert assess(works.values())[works["autoencoder"]].version == "v1"


def test_a_run_whose_process_is_gone_has_failed(works, leave):
    leave(works["autoencoder"], "v1", "RUNNING")
    assert assess(works.values())[works["autoencoder"]].state == State.RUNNING
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    owner = Owner.this_process().to_dict() | {"pid": gone.pid}
    leave(works["autoencoder"], "v2", "RUNNING", owner=owner)
    status = assess(works.values())[works["autoencoder"]]
    assert (status.state, status.version, status.reason) == (State.FAILED, "v2", "killed")


def test_what_another_sweep_holds_is_running(works):
    work = works["autoencoder"]
    with lock_of(work):
        assert assess(works.values())[work].state == State.RUNNING
        assert assess(works.values(), held=work)[work].state == State.MISSING
    assert assess(works.values())[work].state == State.MISSING


def test_a_failure_that_left_no_run_is_in_the_log(works):
    work = works["autoencoder"]
    log_folder().mkdir(parents=True)
    log_file(work).write_text(f"begin\nerror: no captures\n\n{EXIT_LINE}1\n")
    status = assess(works.values())[work]
    assert (status.state, status.reason) == (State.FAILED, "no captures")
    log_file(work).write_text(f"Traceback\n{EXIT_LINE}-9\n")
    assert failure_of(log_file(work)).startswith("exit code -9; see ")
