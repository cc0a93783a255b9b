"""What was to be reached, and is or is not, by hand."""

import pandas as pd

from kdgat.figures.targets import capture_targets, scenario_targets

MODELS = ("student_autoencoder", "student_fusion", "teacher_autoencoder", "teacher_fusion")
CONDITIONS = [
    (p, s) for p in ("calibrated", "zero_shot") for s in ("test_01", "test_02", "test_03")
]


def scorecard(**f1: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": model, "protocol": protocol, "scenario": f"{scenario}_x",
            "n": 2000,
            "f1": f1.get(model, 0.999), "f1_low": 0.99, "f1_high": 1.0,
            "false_positive_rate": 0.001, "auroc": 0.995,
        }
        for model in MODELS
        for protocol, scenario in CONDITIONS
    )  # fmt: skip


def test_means_and_worst_seeds_meet_what_is_wanted():
    table = scenario_targets("hcrl_sa", {1: scorecard(), 2: scorecard(student_fusion=0.994)})
    first, second, *_, zero_shot = table.splitlines()[2:]
    # Mean .9965 where .998 is wanted on test 01, .995 on test 02.
    assert first == (
        "| test 01 x, calibrated | 2,000, 2 | ≥ 0.998, ≥ 0.995, ≤ 0.002 "
        "| 0.9965 (0.990–1.000), 0.9940, 0.0010: **missed** "
        "| 0.9990 (0.990–1.000), 0.9990, 0.0010: reached | -0.0025: reached | 0.9950: reached |"
    )
    assert "| 0.9965 (0.990–1.000), 0.9940, 0.0010: reached |" in second
    assert zero_shot.endswith("| – |")


def row_of_test_01(**columns: float) -> str:
    """Give the first row where both fusions and autoencoders have other figures."""
    return scenario_targets("hcrl_sa", {1: scorecard().assign(**columns)}).splitlines()[2]


def test_each_bound_is_looked_at():
    assert "0.0030: **missed** |" in row_of_test_01(false_positive_rate=0.003)
    assert "| 0.9890: **missed** |" in row_of_test_01(auroc=0.989)
    worst = {seed: scorecard() for seed in range(1, 10)} | {10: scorecard(teacher_fusion=0.99)}
    row = scenario_targets("hcrl_sa", worst).splitlines()[2]
    assert "| 0.9981 (0.990–1.000), 0.9900, 0.0010: **missed** |" in row  # by the worst seed alone


def test_a_student_far_from_its_teacher_is_a_miss():
    row = scenario_targets("hcrl_sa", {1: scorecard(student_fusion=0.995)}).splitlines()[2]
    assert "| -0.0040: **missed** |" in row


def test_with_further_cars_more_is_wanted_zero_shot():
    """All reach what is wanted but the students on test 03: F1 .994, where .995 is wanted."""
    cards = scorecard()
    is_third = cards["scenario"].eq("test_03_x") & cards["model"].eq("student_fusion")
    cards.loc[is_third, "f1"] = 0.994
    rows = scenario_targets("hcrl_sa", {1: cards}, further=True).splitlines()[2:]
    assert len(rows) == 3
    assert rows[0].startswith("| test 01 x, zero shot | 2,000, 1 | ≥ 0.995, –, ≤ 0.004 | 0.9990 (")
    assert ["**missed**" in row for row in rows] == [False, False, True]


def test_captures_with_sparse_attacks_need_less():
    rows = pd.DataFrame(
        {"model": model, "protocol": "calibrated", "capture": f"test_03/{name}", "f1": 0.92,
         "auroc": 0.99, "n": 1500}
        for model in MODELS
        for name in ("rpm-1", "dos-1")
    )  # fmt: skip
    dense, sparse = capture_targets("set_03", {1: rows}).splitlines()[2:]
    assert (
        dense
        == "| test_03/dos-1 | 1,500, 1 | ≥ 0.95, ≥ 0.98 " + "| 0.920, 0.990: **missed** " * 2 + "|"
    )
    assert (
        sparse
        == "| test_03/rpm-1 | 1,500, 1 | ≥ 0.9, ≥ 0.98 " + "| 0.920, 0.990: reached " * 2 + "|"
    )


def test_a_capture_is_as_good_as_its_worst_seed_and_needs_its_rank():
    def rows(f1: float, auroc: float) -> pd.DataFrame:
        own = {
            "protocol": "calibrated",
            "capture": "test_01/dos-1",
            "f1": f1,
            "auroc": auroc,
            "n": 9,
        }
        other = {**own, "protocol": "zero_shot", "f1": 0.0}
        return pd.DataFrame({**row, "model": model} for model in MODELS for row in (own, other))

    two = capture_targets("set_01", {1: rows(0.99, 0.97), 2: rows(0.98, 0.99)})
    assert two.count("| 0.980, 0.970: **missed** ") == 2
    one = capture_targets("set_01", {2: rows(0.98, 0.99)})
    assert one.count("| 0.980, 0.990: reached ") == 2


def test_without_a_fusion_or_a_seed_there_is_nothing_to_say():
    assert scenario_targets("hcrl_sa", {}) == capture_targets("set_01", {}) == ""
    alone = scorecard()[lambda rows: rows["model"] != "teacher_fusion"]
    assert len(scenario_targets("hcrl_sa", {1: alone}).splitlines()) == 2


def test_of_other_datasets_nothing_is_wanted():
    assert scenario_targets("synthetic", {}) == capture_targets("hcrl_sa", {}) == ""
