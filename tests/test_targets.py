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
            "f1": f1.get(model, 0.999), "false_positive_rate": 0.001, "auroc": 0.995,
        }
        for model in MODELS
        for protocol, scenario in CONDITIONS
    )  # fmt: skip


def test_means_and_worst_seeds_meet_what_is_wanted():
    table = scenario_targets("hcrl_sa", {1: scorecard(), 2: scorecard(student_fusion=0.994)})
    first, second, *_, zero_shot = table.splitlines()[2:]
    # Mean .9965 where .998 is wanted on test 01, .995 on test 02.
    assert first == (
        "| test 01 x, calibrated | ≥ 0.998, ≥ 0.995, ≤ 0.002 | 0.9965, 0.9940, 0.0010: **missed** "
        "| 0.9990, 0.9990, 0.0010: reached | -0.0025: reached | 0.9950: reached |"
    )
    assert "| 0.9965, 0.9940, 0.0010: reached |" in second
    assert zero_shot.endswith("| – |")


def test_a_student_far_from_its_teacher_is_a_miss():
    row = scenario_targets("hcrl_sa", {1: scorecard(student_fusion=0.995)}).splitlines()[2]
    assert "| -0.0040: **missed** |" in row


def test_captures_with_sparse_attacks_need_less():
    rows = pd.DataFrame(
        {"model": model, "protocol": "calibrated", "capture": f"test_03/{name}", "f1": 0.92,
         "auroc": 0.99}
        for model in MODELS
        for name in ("rpm-1", "dos-1")
    )  # fmt: skip
    dense, sparse = capture_targets("set_03", {1: rows}).splitlines()[2:]
    assert dense == "| test_03/dos-1 | ≥ 0.95, ≥ 0.98 " + "| 0.920, 0.990: **missed** " * 2 + "|"
    assert sparse == "| test_03/rpm-1 | ≥ 0.9, ≥ 0.98 " + "| 0.920, 0.990: reached " * 2 + "|"


def test_of_other_datasets_nothing_is_wanted():
    assert scenario_targets("synthetic", {}) == capture_targets("hcrl_sa", {}) == ""
