"""The table over seeds: means and worst seeds worked out by hand."""

import pandas as pd

from kdgat.figures.seeds import headline_table, seeds_table


def scorecard(f1: float, fpr: float, auroc: float) -> pd.DataFrame:
    row = {"scenario": "test_01", "protocol": "zero_shot", "auroc": auroc}
    return pd.DataFrame(
        [
            {**row, "model": "student_fusion", "f1": f1, "false_positive_rate": fpr},
            {**row, "model": "two_line_rule", "f1": 0.5, "false_positive_rate": 0.0},
        ]
    )


def test_each_row_has_the_mean_and_the_worst_seed():
    table = seeds_table({1: scorecard(0.9, 0.0, 1.0), 2: scorecard(0.8, 0.02, 0.96)})
    rows = [line for line in table.splitlines() if line.startswith("| test 01")]
    assert rows == [
        "| test 01 zero shot | student fusion | 0.8500 | 0.8000 | 0.0100 | 0.0200 | 0.9600 | 2 |"
    ]


def test_a_scenario_without_labels_has_no_row():
    table = seeds_table({1: scorecard(float("nan"), 0.0, float("nan"))})
    assert "student fusion" not in table


def test_the_headline_has_means_and_the_widest_interval():
    parts = {}
    for seed, f1, low, high in ((1, 0.9, 0.8, 0.95), (2, 0.8, 0.7, 0.9)):
        rows = scorecard(f1, 0.02, 1.0)
        models = ["student_fusion", "teacher_fusion", "two-line rule 4 frames"]
        rows = pd.concat([rows.iloc[:1].assign(model=model) for model in models])
        parts[seed] = rows.assign(f1_low=low, f1_high=high, n=1234)
    (row,) = headline_table(parts).splitlines()[2:]
    cell = "0.8500 (0.700–0.950), 0.0200"
    assert row == f"| test 01 zero shot | {cell} | {cell} | {cell} | 1,234 | 2 |"
