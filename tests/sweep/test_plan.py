"""A plan's cells, their order and the commands that run them."""

import pytest
from click.testing import CliRunner

from kdgat.errors import ParameterError
from kdgat.sweep import Plan, read_plan
from kdgat.sweep.commands import report
from kdgat.sweep.plan import make_plan, parse_seeds

TEXT = """
pipelines: [distillation, fusion]
datasets: [synthetic]
seeds: 1-2
overrides:
  distilled: {}
  undistilled: {distillation: {soft: {enabled: false}}}
environment: smoke
"""


@pytest.fixture
def plan(tmp_path) -> Plan:
    path = tmp_path / "plan.yml"
    path.write_text(TEXT)
    return read_plan(path)


def test_cells_are_the_product_stage_by_stage(plan):
    assert [cell.name for cell in plan.cells()] == [
        "distillation/synthetic/seed_1/distilled",
        "distillation/synthetic/seed_1/undistilled",
        "distillation/synthetic/seed_2/distilled",
        "distillation/synthetic/seed_2/undistilled",
        "fusion/synthetic/seed_1/distilled",
        "fusion/synthetic/seed_1/undistilled",
        "fusion/synthetic/seed_2/distilled",
        "fusion/synthetic/seed_2/undistilled",
    ]


def test_a_cell_is_one_kedro_command(plan):
    cell = plan.cell("fusion/synthetic/seed_2/undistilled")
    assert cell.arguments({"student_classifier": "v1"}) == [
        "run",
        "--pipeline",
        "fusion",
        "--env",
        "smoke",
        "--params",
        "dataset=synthetic,seed=2,distillation.soft.enabled=false",
        "--load-versions",
        "student_classifier:v1",
    ]


def test_chain_runs_everything_at_once():
    plan = make_plan({"pipelines": ["chain"], "datasets": ["a"], "seeds": [3]}, "here")
    (cell,) = plan.cells()
    assert cell.name == "chain/a/seed_3/plain"
    assert cell.arguments() == ["run", "--params", "dataset=a,seed=3"]


def test_a_stage_of_one_variant_runs_as_the_first_for_every_cell():
    raw = {"pipelines": ["teacher", "distillation"], "datasets": ["a"], "seeds": [1]}
    overrides = {"whole": {"x": 1}, "less": {"x": 2}}
    plan = make_plan(raw | {"overrides": overrides, "one_variant": ["teacher"]}, "here")
    assert [(cell.variant, cell.params) for cell in plan.cells()] == [
        ("whole", "dataset=a,seed=1,x=1"),
        ("less", "dataset=a,seed=1,x=1"),
        ("whole", "dataset=a,seed=1,x=1"),
        ("less", "dataset=a,seed=1,x=2"),
    ]
    assert [plan.run_variant(cell) for cell in plan.cells()] == ["whole", "whole", "whole", "less"]


def test_a_stage_of_one_seed_runs_with_the_first_for_every_cell():
    raw = {"pipelines": ["teacher", "distillation"], "datasets": ["a"], "seeds": "1-2"}
    plan = make_plan(raw | {"one_seed": ["teacher"]}, "here")
    assert [cell.params for cell in plan.cells()] == [
        "dataset=a,seed=1",
        "dataset=a,seed=1",
        "dataset=a,seed=1",
        "dataset=a,seed=2",
    ]
    assert plan.cells()[1].name == "teacher/a/seed_2/plain"


def test_seeds():
    assert parse_seeds("1-3,7") == [1, 2, 3, 7]
    assert parse_seeds("4") == [4]


GOOD = {"pipelines": ["fusion"], "datasets": ["a"], "seeds": [1]}


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"seedz": [1]}, ["seedz", "allowed: pipelines, datasets, seeds"]),
        ({"seeds": "a-b"}, ["seeds", "range such as 1-5"]),
        ({"seeds": "5-1"}, ["seeds: the range 5-1 runs backwards"]),
        ({"seeds": []}, ["seeds", "at least 1"]),
        ({"seeds": [1, 1]}, ["seeds", "twice"]),
        ({"pipelines": ["chain", "fusion"]}, ["pipelines", "stands alone"]),
        ({"overrides": {"x": {"seed": 2}}}, ["variant 'x' sets seed"]),
        ({"overrides": {"x": {"a.b": "1,2"}}}, ["a.b", "no ','"]),
        ({"overrides": {"x": [1]}}, ["variant 'x' is [1]", "write {key: value}"]),
        ({"overrides": {"x": "a=1"}}, ["variant 'x' is 'a=1'", "write {key: value}"]),
        ({"datasets": ["A/B"]}, ["datasets", "pattern"]),
        ({"one_seed": ["teacher"]}, ["one_seed names teacher", "not among the pipelines"]),
        ({"one_variant": ["teacher"]}, ["one_variant names teacher", "not among the pipelines"]),
        ({"reference": "whole"}, ["reference is whole", "the variants are"]),
    ],
)
def test_a_bad_plan_ends_in_a_sentence(change, parts):
    with pytest.raises(ParameterError) as caught:
        make_plan(GOOD | change, "plan.yml")
    assert "plan.yml" in str(caught.value)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_a_missing_or_broken_file(tmp_path):
    with pytest.raises(ParameterError, match="no plan file"):
        read_plan(tmp_path / "none.yml")
    (tmp_path / "broken.yml").write_text("a: [")
    with pytest.raises(ParameterError, match="not YAML"):
        read_plan(tmp_path / "broken.yml")


def test_an_unknown_cell_is_refused(plan):
    with pytest.raises(ParameterError, match="no cell 'fusion/x'"):
        plan.cell("fusion/x")


def test_one_run_serves_the_cells_of_a_stage_with_one_seed_or_one_variant():
    plan = make_plan(
        {
            "pipelines": ["autoencoder", "teacher", "fusion"],
            "datasets": ["a", "b"],
            "seeds": [1, 2],
            "overrides": {"whole": {}, "part": {}},
            "one_seed": ["autoencoder", "teacher"],
            "one_variant": ["autoencoder"],
        },
        "a test",
    )
    assert plan.runs("autoencoder") == [0, 0, 0, 0, 4, 4, 4, 4]
    assert plan.runs("teacher") == [0, 1, 0, 1, 4, 5, 4, 5]
    assert plan.runs("fusion") == list(range(8))


def test_both_plans_of_ablations_take_the_same_parts_away(project):
    built_in, real = (
        read_plan(project / "conf" / "sweeps" / name)
        for name in ("ablations.yml", "ablations_hcrl_sa.yml")
    )
    assert built_in.overrides == real.overrides
    assert (built_in.reference, built_in.one_variant) == (real.reference, real.one_variant)


PLAN = ["--pipelines", "fusion", "--datasets", "a", "--seeds", "1"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--datasets", "a", "--seeds", "1"], "name a plan file, or --pipelines"),
        (["--override", "x:a=1"], "name a plan file, or --pipelines"),
        ([*PLAN, "--run", "v1"], "leave --run and --filter out"),
        ([*PLAN, "--override", "x:a=["], "--override x:a=[: a value is not YAML"),
        ([*PLAN, "--override", "x:a=1", "--override", "x:b=2"], "names a variant twice"),
    ],
)
def test_what_would_be_ignored_is_refused(arguments, part):
    result = CliRunner().invoke(report, arguments)
    assert result.exit_code == 1
    assert part in f"{result.output} {result.exception}"
