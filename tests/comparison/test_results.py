"""One metric out of many scorecards."""

import pandas as pd
import pytest

from kdgat.comparison import RESULT_COLUMNS, results_of
from kdgat.comparison.results import in_all_variants, smallest_p
from kdgat.errors import DataError

ROW = {"dataset": "car", "scenario": "t", "model": "m", "variant": "a", "seed": 1, "f1": 0.5}


def test_undefined_values_are_left_out():
    table = pd.DataFrame([ROW, {**ROW, "scenario": "suppress", "f1": float("nan")}])
    results = results_of(table, "f1")
    assert tuple(results) == RESULT_COLUMNS
    assert results["value"].tolist() == [0.5]


def test_scenarios_of_all_variants_are_kept():
    other = {**ROW, "dataset": "bus"}
    rows = [ROW, {**ROW, "variant": "b"}, {**ROW, "scenario": "u"}, {**other, "scenario": "u"}]
    kept = in_all_variants(results_of(pd.DataFrame(rows), "f1"))
    assert kept["scenario"].tolist() == ["t", "t", "u"]
    assert kept["dataset"].tolist() == ["car", "car", "bus"]


def test_a_seed_that_comes_twice_is_refused():
    with pytest.raises(DataError, match="twice"):
        results_of(pd.DataFrame([ROW, ROW]), "f1")


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="auroc"):
        results_of(pd.DataFrame([ROW]), "auroc")


def test_smallest_p_of_five_and_six_pairs():
    assert smallest_p(5) == 0.0625
    assert smallest_p(6) == 0.03125
