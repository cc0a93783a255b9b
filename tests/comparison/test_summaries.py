"""Centre, interval and worst seed, by hand."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from kdgat.comparison import summarise
from kdgat.comparison.summaries import interquartile_mean, stratified_interval

A = [0.9, 0.8, 0.85, 0.95, 0.7]
SETTINGS = {"bootstrap": 500, "confidence": 0.95, "seed": 0}


def row_of(table: pd.DataFrame, **names: str) -> pd.Series:
    (row,) = table.query(" and ".join(f"{k} == {v!r}" for k, v in names.items())).iloc
    return row


def test_interquartile_mean_drops_a_quarter_at_either_end():
    assert interquartile_mean([0.0, 0.2, 0.4, 9.0]) == pytest.approx(0.3)
    assert interquartile_mean(A) == pytest.approx((0.8 + 0.85 + 0.9) / 3)


def test_summary_of_five_seeds(results):
    row = row_of(summarise(results, "f1", **SETTINGS), scenario="test_01", variant="a")
    assert row["n"] == 5
    assert row["median"] == 0.85
    assert row["mean"] == pytest.approx(0.84)
    assert row["iqm"] == pytest.approx(0.85)
    assert (row["worst"], row["worst_seed"]) == (0.7, 5)
    assert 0.7 <= row["low"] < 0.85 < row["high"] <= 0.95


def test_the_worst_of_a_rate_of_false_alarms_is_the_highest(results):
    row = row_of(summarise(results, "false_positive_rate", **SETTINGS), scenario="all", variant="a")
    assert (row["worst"], row["worst_seed"]) == (0.95, 4)


def test_one_seed_has_no_interval(rows):
    row = summarise(pd.DataFrame(rows("a", [0.5])), "f1", **SETTINGS).iloc[0]
    assert row["mean"] == 0.5
    assert math.isnan(row["low"])


def test_the_interval_of_two_seeds_can_be_counted(rows):
    """Four equally likely draws of two seeds: IQM of (0, 0), (0, 1), (1, 0), (1, 1)."""
    part = pd.DataFrame(rows("a", [0.0, 1.0]))
    means = [np.mean(draw) for draw in product([0.0, 1.0], repeat=2)]
    expected = (min(means), max(means))
    assert stratified_interval(part, 500, 0.95, 0) == expected


def test_a_seed_is_drawn_with_all_its_scenarios(rows):
    """Two scenarios that cancel within a seed: drawn together, their mean never moves."""
    part = pd.DataFrame(
        rows("a", [0.0, 1.0], scenario="test_01") + rows("a", [1.0, 0.0], scenario="test_02")
    )
    assert stratified_interval(part, 200, 0.95, 0) == (0.5, 0.5)


def test_datasets_are_strata(rows):
    """Two datasets, constant within: every draw holds both equally often."""
    part = pd.DataFrame(rows("a", [0.2] * 3, dataset="one") + rows("a", [0.6] * 3, dataset="two"))
    table = summarise(part, "f1", **SETTINGS)
    row = row_of(table, dataset="all")
    assert (row["n"], row["mean"]) == (6, pytest.approx(0.4))
    assert (row["low"], row["high"]) == (pytest.approx(0.4), pytest.approx(0.4))


def test_the_same_seed_gives_the_same_table(results):
    first, second = (summarise(results, "f1", **SETTINGS) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_what_is_pooled_are_the_scenarios_that_all_variants_have(results, rows):
    more = pd.concat([results, pd.DataFrame(rows("b", [0.1] * 5, scenario="test_left_out"))])
    table, plain = summarise(more, "f1", **SETTINGS), summarise(results, "f1", **SETTINGS)
    for variant in ("a", "b"):
        found, expected = (row_of(t, scenario="all", variant=variant) for t in (table, plain))
        pd.testing.assert_series_equal(found, expected, check_names=False)
    assert row_of(table, scenario="test_left_out", variant="b")["mean"] == pytest.approx(0.1)
