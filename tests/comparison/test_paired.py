"""Two variants seed by seed, by hand."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from kdgat.comparison import paired_differences, untouched_models

A = [0.9, 0.8, 0.85, 0.95, 0.7]
B = [0.85, 0.78, 0.86, 0.9, 0.6]
SETTINGS = {"bootstrap": 200, "confidence": 0.95, "seed": 0}


def test_five_seeds(results):
    """Differences .05 .02 -.01 .05 .10: 2 of 32 sign patterns reach a sum of .21, 4 both ways."""
    (row,) = paired_differences(results, **SETTINGS).itertuples()
    assert (row.variant_a, row.variant_b, row.n) == ("a", "b", 5)
    assert row.mean_difference == pytest.approx(0.042)
    assert row.p_sign_flip == pytest.approx(4 / 32)
    assert row.p_smallest == 0.0625
    assert row.p_adjusted == pytest.approx(4 / 32)
    greater = sum((a > b) + (a == b) / 2 for a, b in product(A, B))
    assert row.p_a_greater == pytest.approx(greater / 25)
    assert (row.seeds_a_greater, row.seeds_b_greater) == (4, 1)
    assert row.low < 0.042 < row.high


SIX = [0.9, 0.91, 0.92, 0.93, 0.94, 0.95]


def test_six_gains_reach_the_smallest_p(rows):
    table = pd.DataFrame(rows("a", SIX) + rows("b", [0.8] * 6))
    (row,) = paired_differences(table, **SETTINGS).itertuples()
    assert row.p_sign_flip == pytest.approx(2 / 64)


def test_six_seeds_of_a_model_that_draws_nothing_are_one_measurement(rows):
    table = pd.DataFrame(
        [
            *rows("a", [0.9] * 6, model="rule"),
            *rows("b", [0.8] * 6, model="rule"),
            *rows("a", SIX),
            *rows("b", [0.8] * 6),
        ]
    )
    paired = paired_differences(table, **SETTINGS).set_index("model")
    assert paired.loc["rule", ["n", "p_sign_flip", "p_adjusted"]].tolist() == [1, 1.0, 1.0]
    assert math.isnan(paired.loc["rule", "low"])
    assert paired.loc["student_fusion", "p_adjusted"] == pytest.approx(2 / 64)


def test_a_reference_meets_each_other_variant(rows):
    table = pd.DataFrame(rows("a", [0.9, 0.8]) + rows("b", [0.8, 0.8]) + rows("c", [0.7, 0.9]))
    every = paired_differences(table, **SETTINGS)
    assert len(every) == 3
    found = paired_differences(table, reference="b", **SETTINGS)
    assert list(zip(found["variant_a"], found["variant_b"], strict=True)) == [
        ("b", "a"),
        ("b", "c"),
    ]
    assert found["mean_difference"].tolist() == pytest.approx([-0.05, 0.0])


def test_only_common_seeds_are_compared(results):
    without = results[~((results["variant"] == "b") & (results["seed"] == 5))]
    (row,) = paired_differences(without, **SETTINGS).itertuples()
    assert row.n == 4
    assert row.mean_difference == pytest.approx(0.11 / 4)


def test_one_common_seed_has_no_interval_and_no_evidence(rows):
    table = pd.DataFrame(rows("a", [0.9]) + rows("b", [0.8]))
    (row,) = paired_differences(table, **SETTINGS).itertuples()
    assert row.p_sign_flip == 1.0
    assert math.isnan(row.low)


def test_equal_models_cost_the_others_no_power(rows):
    """p of two differing rows, adjusted: the smaller one times 2, the larger one stays."""
    table = pd.DataFrame(
        rows("a", SIX)
        + rows("b", [0.8] * 6)
        + rows("a", [1.0, 0.0] * 3, model="other")
        + rows("b", [0.0, 1.0] * 3, model="other")
        + rows("a", [0.5] * 6, model="same")
        + rows("b", [0.5] * 6, model="same")
    )
    paired = paired_differences(table, **SETTINGS).set_index("model")
    assert paired.loc["student_fusion", "p_adjusted"] == pytest.approx(2 / 64 * 2)
    assert paired.loc["other", "p_adjusted"] == 1.0
    assert paired.loc["same", ["p_sign_flip", "p_adjusted"]].tolist() == [1.0, 1.0]
    assert untouched_models(paired.reset_index()) == ["same"]


def test_one_variant_has_no_pairs(results):
    table = paired_differences(results[results["variant"] == "a"], **SETTINGS)
    assert table.empty
    assert "p_adjusted" in table


def test_the_sign_flip_test_agrees_with_counting_all_patterns(rows):
    generator = np.random.default_rng(0)
    differences = generator.normal(0.3, 1.0, 8)
    table = pd.DataFrame(rows("a", list(differences)) + rows("b", [0.0] * 8))
    sums = [np.dot(signs, differences) for signs in product([-1, 1], repeat=8)]
    expected = np.mean(np.abs(sums) >= abs(differences.sum()) - 1e-12)
    (row,) = paired_differences(table, **SETTINGS).itertuples()
    assert row.p_sign_flip == pytest.approx(expected)


def test_means_over_scenarios_are_those_of_scenarios_that_both_have(rows):
    """b has a scenario more, and seed 2 of a lacks one: neither is a difference."""
    equal = [0.9, 0.8, 0.7]
    table = pd.DataFrame(
        [
            *rows("a", equal),
            *rows("b", equal),
            *rows("a", equal, scenario="test_02")[:1],
            *rows("b", [0.1, 0.1, 0.1], scenario="test_02"),
            *rows("b", [0.2, 0.2, 0.2], scenario="test_left_out"),
        ]
    )
    (row,) = paired_differences(table, over_scenarios=True, **SETTINGS).itertuples()
    assert (row.scenario, row.n) == ("all_scenarios", 3)
    # seed 1: the means of .9 and .9, and of .9 and .1; seeds 2 and 3 have one scenario in common
    assert row.mean_difference == pytest.approx(((0.9 - 0.5) + 0 + 0) / 3)
    assert (row.seeds_a_greater, row.seeds_b_greater) == (1, 0)
