"""What a report rests on, from records and scorecards made by hand."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from kdgat.errors import KdgatError, MissingInputError
from kdgat.sweep.plan import make_plan
from kdgat.sweep.report import collect_plan, collect_runs
from kdgat.sweep.status import assess
from kdgat.sweep.work import plan_work
from kdgat.tracking import records


def leave(data: Path, version: str, seed: int, trees: int, status: str = "FINISHED") -> None:
    """Leave the record and the scorecard of a run of `evaluation`."""
    record = {
        "version": version,
        "run_id": f"run-{version}",
        "status": status,
        "error": None if status == "FINISHED" else "out of memory",
        "began": 0,
        "ended": 2000,
        "experiment": "evaluation",
        "selection": {},
        "outputs": ["scorecard"],
        "inputs": {},
        "parameters": {"dataset": "car", "seed": seed, "evaluation": {"trees": trees}},
    }
    records.write(version, record)
    if status == "FINISHED":
        path = data / "08_reporting" / "car" / f"seed_{seed}" / "scorecard.csv" / version
        path.mkdir(parents=True)
        table = pd.DataFrame({"model": ["m"], "scenario": ["t"], "f1": [trees / 10 + seed / 100]})
        table.to_csv(path / "scorecard.csv", index=False)


def test_variants_are_named_by_what_differs(data):
    leave(data, "v1", seed=1, trees=2)
    leave(data, "v2", seed=1, trees=3)
    leave(data, "v3", seed=2, trees=3)
    collection = collect_runs([], "")
    assert set(collection.runs["variant"]) == {"evaluation.trees=2", "evaluation.trees=3"}
    cards = collection.scorecards.set_index(["variant", "seed"])["f1"].to_dict()
    assert cards == pytest.approx(
        {
            ("evaluation.trees=2", 1): 0.21,
            ("evaluation.trees=3", 1): 0.31,
            ("evaluation.trees=3", 2): 0.32,
        }
    )


def test_a_run_that_judged_models_of_others_counts_with_their_parameters(data):
    leave(data, "v1", seed=1, trees=2)
    leave(data, "v2", seed=2, trees=2)
    for maker, epochs in (("long", 24), ("short", 1)):
        told = {"teacher": {"epochs": epochs}, "evaluation": {"trees": 9}}
        records.write(maker, {"outputs": ["teacher_classifier"], "parameters": told})
    for judged, trained in (("v1", "long"), ("v2", "short")):
        told = records.read(judged)["parameters"] | {"teacher": {"epochs": 24}}
        read = {"teacher_classifier": {"version": trained}}
        records.note(judged, parameters=told, inputs=read)
    found = collect_runs([], "").runs.set_index("version")["variant"].to_dict()
    assert found == {"v1": "teacher.epochs=24", "v2": "teacher.epochs=1"}


def test_of_two_equal_runs_the_newer_counts_and_the_older_is_listed(data):
    leave(data, "v1", seed=1, trees=2)
    leave(data, "v2", seed=1, trees=2)
    collection = collect_runs([], "")
    states = collection.runs.set_index("version")["state"].to_dict()
    assert states == {"v1": "superseded", "v2": "done"}
    assert len(collection.scorecards) == 1


def test_a_failed_run_is_listed(data):
    leave(data, "v1", seed=1, trees=2)
    leave(data, "v2", seed=2, trees=2, status="FAILED")
    runs = collect_runs([], "").runs.set_index("version")
    assert runs.loc["v2", ["state", "reason"]].tolist() == ["failed", "out of memory"]


def test_runs_can_be_named(data):
    leave(data, "v1", seed=1, trees=2)
    leave(data, "v2", seed=2, trees=2)
    leave(data, "v3", seed=3, trees=2)
    assert set(collect_runs(["v1", "run-v3"], "").runs["seed"]) == {1, 3}


def test_an_unknown_run_is_refused(data):
    leave(data, "v1", seed=1, trees=2)
    with pytest.raises(MissingInputError, match="no run 'nobody'"):
        collect_runs(["nobody"], "")


def test_without_a_scorecard_there_is_no_report(data):
    with pytest.raises(MissingInputError, match="no run here has a scorecard"):
        collect_runs([], "")


def test_a_plan_lists_every_cell_done_or_not(data):
    plan = make_plan({"pipelines": ["evaluation"], "datasets": ["car"], "seeds": [1, 2]}, "here")
    works = plan_work(plan)
    first = works[plan.cell("evaluation/car/seed_1/plain")]
    leave(data, "v1", seed=1, trees=2)
    record = records.read("v1")
    records.write("v1", record | {"parameters": {**record["parameters"], **dict(first.parameters)}})
    for _, path in first.outputs:
        (path / "v1").mkdir(parents=True, exist_ok=True)
        (path / "v1" / path.name).touch()
    collection = collect_plan(works, assess(works.values()))
    states = collection.runs.set_index("cell")["state"].to_dict()
    assert states == {
        "evaluation/car/seed_1/plain": "done",
        "evaluation/car/seed_2/plain": "missing",
    }
    assert collection.scorecards["variant"].tolist() == ["plain"]


def test_a_store_that_does_not_answer_is_a_sentence(data):
    leave(data, "v1", seed=1, trees=2)
    with closing(sqlite3.connect(data / "mlflow.db")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(KdgatError, match=r"store sqlite:.* does not answer: .*locked"):
            collect_runs([], "tags.dataset = 'car'")
