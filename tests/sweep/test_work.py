"""Cells that do the same share a run; cells that do not, do not."""

from pathlib import Path

import pytest

from kdgat.errors import ParameterError
from kdgat.sweep import Plan
from kdgat.sweep.plan import make_plan, read_plan
from kdgat.sweep.work import plan_work, versioned_files

STAGES = ["data_processing", "autoencoder", "teacher", "distillation", "fusion"]
DISTILLED = {"distilled": {}, "undistilled": {"distillation.soft.enabled": False}}


def plan_of(**changes) -> Plan:
    raw = {
        "pipelines": STAGES,
        "datasets": ["synthetic"],
        "seeds": [1, 2],
        "overrides": DISTILLED,
        "environment": "smoke",
    }
    return make_plan(raw | changes, "here")


def test_only_what_an_override_reaches_is_run_per_variant():
    """2 seeds × 2 variants: graphs once, teachers per seed, the rest per seed and variant."""
    works = plan_work(plan_of())
    counts = {stage: len({w for c, w in works.items() if c.pipeline == stage}) for stage in STAGES}
    assert counts == {
        "data_processing": 1,
        "autoencoder": 2,
        "teacher": 2,
        "distillation": 4,
        "fusion": 4,
    }


def test_pictures_are_drawn_of_every_seed():
    works = plan_work(plan_of(pipelines=["pictures"], overrides={"plain": {}}))
    assert sorted(work.seed for work in works.values()) == [1, 2]
    assert len(set(works.values())) == 2


def test_with_one_seed_all_students_learn_from_the_same_teacher(data):
    plan = plan_of(one_seed=["autoencoder", "teacher"])
    works = plan_work(plan)
    assert len({w for c, w in works.items() if c.pipeline == "teacher"}) == 1
    assert len({w for c, w in works.items() if c.pipeline == "distillation"}) == 4
    student = works[plan.cell("distillation/synthetic/seed_2/distilled")]
    teacher = dict(student.inputs)["teacher_classifier"]
    assert teacher == works[plan.cell("teacher/synthetic/seed_1/distilled")]
    assert dict(teacher.outputs)["teacher_classifier"].parent.name == "seed_1"


def test_with_one_variant_students_of_other_graphs_learn_from_the_first_ones_teacher(data):
    overrides = {"whole": {}, "less": {"data_processing.profile.drop": 1.0}}
    stages = ["autoencoder", "teacher"]
    plan = plan_of(overrides=overrides, one_seed=stages, one_variant=stages)
    works = plan_work(plan)
    assert len({w for c, w in works.items() if c.pipeline == "data_processing"}) == 2
    assert len({w for c, w in works.items() if c.pipeline == "teacher"}) == 1
    student = works[plan.cell("distillation/synthetic/seed_2/less")]
    read = dict(student.inputs)
    assert read["drawn_train_graphs"] == works[plan.cell("data_processing/synthetic/seed_1/less")]
    assert read["teacher_classifier"] == works[plan.cell("teacher/synthetic/seed_1/whole")]
    assert [work.pipeline for work in student.with_all_before()] == [
        "data_processing", "data_processing", "autoencoder", "teacher", "distillation",
    ]  # fmt: skip


def test_the_ablations_differ_in_what_they_say(data):
    plan = read_plan(Path(__file__).parents[2] / "conf" / "sweeps" / "ablations.yml")
    works = plan_work(plan)
    distillations = {w for c, w in works.items() if c.pipeline == "distillation"}
    assert len(distillations) == len(plan.seeds) * len(plan.overrides)
    assert len({w for c, w in works.items() if c.pipeline == "teacher"}) == 1


def test_a_cell_knows_what_it_builds_on():
    plan = plan_of()
    works = plan_work(plan)
    fusion = works[plan.cell("fusion/synthetic/seed_2/undistilled")]
    student = dict(fusion.inputs)["student_classifier"]
    assert student == works[plan.cell("distillation/synthetic/seed_2/undistilled")]
    assert student != works[plan.cell("distillation/synthetic/seed_2/distilled")]
    assert "raw_captures" not in dict(fusion.inputs)


def test_the_key_changes_with_parameters_seed_and_what_came_before():
    names = ["teacher/synthetic/seed_1/plain", "fusion/synthetic/seed_1/plain"]

    def keys(**changes):
        plan = plan_of(overrides={"plain": {}}, **changes)
        works = plan_work(plan)
        return [works[plan.cell(name)].key for name in names]

    plain = keys()
    assert keys() == plain
    changed = plan_of(overrides={"plain": {"teacher.id_dropout": 0.0}})
    works = plan_work(changed)
    assert [
        works[changed.cell(name)].key == key for name, key in zip(names, plain, strict=True)
    ] == [
        False,
        False,
    ]
    assert keys(environment=None)[0] != plain[0]  # full size is other work than smoke


def test_outputs_lie_where_the_catalog_puts_them(data):
    (work,) = set(
        plan_work(plan_of(pipelines=["teacher"], seeds=[7], overrides={"plain": {}})).values()
    )
    expected = data / "06_models" / "synthetic" / "seed_7" / "teacher_classifier.safetensors"
    assert dict(work.outputs)["teacher_classifier"] == expected
    assert versioned_files("synthetic", 7)["teacher_classifier"] == expected


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"pipelines": ["teachr"]}, ["teachr", "teacher"]),
        ({"overrides": {"x": {"teacher.id_dropuot": 1}}}, ["id_dropuot", "did you mean"]),
        ({"overrides": {"x": {"teacher.id_dropout": 2.0}}}, ["teacher.id_dropout", "2.0"]),
        ({"seeds": [2, 1], "one_seed": ["teacher"]}, ["first seed, 2", "default one, 1"]),
        ({"pipelines": ["fusion"]}, ["distillation.soft.enabled", "no pipeline of the plan"]),
    ],
)
def test_a_plan_that_cannot_run_is_refused_before_anything_runs(change, parts, data):
    with pytest.raises(ParameterError) as caught:
        plan_work(plan_of(**change))
    for part in parts:
        assert part in str(caught.value)
    assert not list(data.iterdir())
