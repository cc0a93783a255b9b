"""One metric out of many scorecards."""

import pandas as pd
import pytest

from kdgat.comparison import RESULT_COLUMNS, over_scenarios, results_of
from kdgat.comparison.results import smallest_p
from kdgat.errors import DataError

ROW = {"dataset": "car", "scenario": "t", "model": "m", "variant": "a", "seed": 1, "f1": 0.5}


def test_undefined_values_are_left_out():
    table = pd.DataFrame([ROW, {**ROW, "scenario": "suppress", "f1": float("nan")}])
    results = results_of(table, "f1")
    assert tuple(results) == RESULT_COLUMNS
    assert results["value"].tolist() == [0.5]


def test_seeds_are_averaged_over_scenarios():
    rows = [ROW, {**ROW, "scenario": "u", "f1": 0.7}, {**ROW, "seed": 2, "f1": 0.1}]
    means = over_scenarios(results_of(pd.DataFrame(rows), "f1"))
    assert tuple(means) == RESULT_COLUMNS
    assert means["scenario"].tolist() == ["all_scenarios"] * 2
    assert means["seed"].tolist() == [1, 2]
    assert means["value"].tolist() == pytest.approx([0.6, 0.1])


def test_a_seed_that_comes_twice_is_refused():
    with pytest.raises(DataError, match="twice"):
        results_of(pd.DataFrame([ROW, ROW]), "f1")


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="auroc"):
        results_of(pd.DataFrame([ROW]), "auroc")


def test_smallest_p_of_five_and_six_pairs():
    assert smallest_p(5) == 0.0625
    assert smallest_p(6) == 0.03125
