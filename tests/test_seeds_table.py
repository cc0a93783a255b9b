"""The tables over seeds: means, worst seeds and margins worked out by hand."""

import pandas as pd
import pytest

from kdgat.errors import DataError
from kdgat.figures.seeds import headline_table, seeds_table


def scorecard(f1: float, fpr: float, auroc: float, low: float = 0.1, high: float = 0.9):
    """Give a fusion of each size with these figures, a way to join, and two baselines."""
    row = {"scenario": "test_01", "protocol": "zero_shot", "auroc": auroc, "n": 1234}
    own = {**row, "f1": f1, "false_positive_rate": fpr, "f1_low": low, "f1_high": high}
    other = {**row, "false_positive_rate": 0.0, "f1_low": 0.4, "f1_high": 0.6}
    return pd.DataFrame(
        [
            {**own, "model": "teacher_fusion"},
            {**own, "model": "student_fusion"},
            {**other, "model": "mean of students", "f1": 1.0},
            {**other, "model": "two-line rule", "f1": 0.5},
            {**other, "model": "forest of IDs", "f1": 0.4},
        ]
    )


def test_each_row_has_the_mean_the_ends_of_the_intervals_and_the_worst_seed():
    table = seeds_table(
        {1: scorecard(0.9, 0.0, 1.0, 0.8, 0.95), 2: scorecard(0.8, 0.02, 0.96, 0.7, 0.9)}
    )
    (row,) = [line for line in table.splitlines() if "| student fusion | 0" in line]
    assert row == (
        "| test 01 zero shot | student fusion | 0.8500 | 0.700–0.950 | 0.8000 | 0.0100 | 0.0200 "
        "| 0.9600 | 1,234 | 2 |"
    )
    assert table.count("| test 01 zero shot |") == 5 + 2


def test_an_interval_that_no_seed_has_is_a_dash():
    unknown = float("nan")
    table = seeds_table({1: scorecard(0.9, 0.0, 1.0, unknown, unknown)})
    assert "| student fusion | 0.9000 | – | 0.9000 |" in table


def test_the_summary_names_the_best_baseline_and_counts_where_it_is_better():
    better, worse = (seeds_table({1: scorecard(f1, 0.0, 1.0)}) for f1 in (0.8, 0.3))
    assert better.startswith(
        "- student fusion: mean F1 less that of the best baseline of each scenario and protocol "
        "+0.3000 in the mean, +0.3000 at worst (test 01 zero shot, two-line rule); "
        "a baseline has the higher one in 0 of 1.\n- student fusion: mean F1 less that of the best "
        "other way to join them of each scenario and protocol -0.2000 in the mean, "
        "-0.2000 at worst (test 01 zero shot, mean of students); "
        "another way has the higher one in 1 of 1.\n- teacher fusion: "
    )
    assert "-0.2000 at worst" in worse
    assert "in 1 of 1." in worse


def test_the_summary_sets_a_fusion_beside_its_own_detectors_over_all_seeds():
    """Autoencoder .9, classifier .5 and .7, fusion .6 and .8: .7 is .2 less than .9.

    Of two differences, -.3 and -.1, a bootstrap draws the mean of two: from -.3 to -.1.
    """
    seeds = {}
    for seed, f1 in {1: 0.6, 2: 0.8}.items():
        fused = scorecard(f1, 0.0, 1.0)
        student = fused[fused["model"] == "student_fusion"]
        alone = [
            student.assign(model="student_autoencoder", f1=0.9),
            student.assign(model="student_classifier", f1=f1 - 0.1),
        ]
        seeds[seed] = pd.concat([fused, *alone])
    table = seeds_table(seeds)
    assert (
        "- student fusion: mean F1 less that of the better of its detectors of each scenario and "
        "protocol -0.2000 in the mean, -0.2000 at worst (test 01 zero shot, student autoencoder); "
        "a detector has the higher one in 1 of 1.\n"
    ) in table
    assert (
        "| test 01 zero shot | student fusion | **+0.2000** (+0.1000 to +0.3000), two-line rule "
        "| **-0.2000** (-0.3000 to -0.1000), student autoencoder "
        "| **-0.3000** (-0.4000 to -0.2000), mean of students |"
    ) in table
    assert (
        "| test 01 zero shot | teacher fusion "
        "| **+0.2000** (+0.1000 to +0.3000), two-line rule | – | – |"
    ) in table


def test_a_margin_whose_interval_holds_0_is_not_bold():
    table = seeds_table({1: scorecard(0.4, 0.0, 1.0), 2: scorecard(0.8, 0.0, 1.0)})
    assert "| student fusion | +0.1000 (-0.1000 to +0.3000), two-line rule |" in table
    assert "| student fusion | +0.4000, two-line rule |" in seeds_table({1: scorecard(0.9, 0, 1)})


def test_a_scenario_without_labels_has_no_row():
    nowhere = scorecard(float("nan"), 0.0, float("nan")).assign(f1=float("nan"))
    assert "student fusion" not in seeds_table({1: nowhere})
    assert len(headline_table({1: nowhere}).splitlines()) == 2


def test_a_baseline_that_a_seed_lacks_is_no_rival():
    lucky = {1: scorecard(0.9, 0.0, 1.0), 2: scorecard(0.9, 0.0, 1.0).iloc[:3]}
    (row,) = headline_table(lucky).splitlines()[2:]
    assert "| – | 1,234 | 2 |" in row
    assert "two-line rule" not in seeds_table(lucky)


def test_without_a_column_or_a_seed_there_is_a_sentence():
    with pytest.raises(DataError, match="f1_low"):
        seeds_table({1: scorecard(0.9, 0.0, 1.0).drop(columns="f1_low")})
    with pytest.raises(DataError, match="no seed with detectors"):
        headline_table({})


def test_the_headline_has_means_the_widest_interval_and_the_best_baseline():
    parts = {
        1: scorecard(0.9, 0.02, 1.0, 0.8, 0.95),
        2: scorecard(0.8, 0.02, 1.0, 0.7, 0.9),
    }
    (row,) = headline_table(parts).splitlines()[2:]
    ours, best = "0.8500 (0.700–0.950), 0.0200", "two-line rule: 0.5000 (0.400–0.600), 0.0000"
    assert row == f"| test 01 zero shot | {ours} | {ours} | {best} | 1,234 | 2 |"
