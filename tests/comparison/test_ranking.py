"""Ranks over blocks, by hand; and what happens with too little."""

import math
from collections.abc import Callable

import pandas as pd
import pytest
from scipy import stats

from kdgat.comparison import rank_detectors
from kdgat.comparison.ranking import blocks_of

BEST, MIDDLE, WORST = "best", "middle", "worst"


def table_of(rows: Callable, blocks: int, values: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            row
            for block in range(blocks)
            for model, value in values.items()
            for row in rows(
                "plain",
                [value + block / 100, value + block / 100 + 0.02],
                scenario=f"test_{block}",
                model=model,
            )
        ]
    )


def test_three_detectors_always_in_the_same_order(rows):
    """Friedman's statistic of k = 3 in perfect order over N = 6 blocks: 12N/k(k+1)·14 - 3N(k+1)."""
    ranking = rank_detectors(
        table_of(rows, 6, {WORST: 0.1, BEST: 0.8, MIDDLE: 0.5}), "f1", confidence=0.95
    )
    assert ranking.ranks["detector"].tolist() == [BEST, MIDDLE, WORST]
    assert ranking.ranks["mean_rank"].tolist() == [1.0, 2.0, 3.0]
    statistic = 12 / (6 * 3 * 4) * (6**2 + 12**2 + 18**2) - 3 * 6 * 4
    assert ranking.outcome.pvalue == pytest.approx(stats.chi2.sf(statistic, 2))
    studentized = stats.studentized_range.ppf(0.95, 3, 1e6) / math.sqrt(2)
    assert ranking.outcome.cd == pytest.approx(studentized * math.sqrt(3 * 4 / (6 * 6)), rel=1e-3)
    assert "differ" in ranking.sentence
    assert f"with the best, {BEST}, these are: {MIDDLE}" in ranking.sentence


def test_of_many_like_the_best_a_few_are_named(rows):
    values = {f"model_{number}": 0.5 + number / 100 for number in range(12)}
    ranking = rank_detectors(table_of(rows, 5, values), "f1", confidence=0.999)
    assert ranking.sentence.endswith("model 4, model 3, and 1 more.")


def test_of_false_alarms_fewer_are_better(rows):
    table = table_of(rows, 6, {WORST: 0.5, MIDDLE: 0.3, BEST: 0.1})
    ranking = rank_detectors(table, "false_positive_rate", confidence=0.95)
    assert ranking.ranks["detector"].tolist() == [BEST, MIDDLE, WORST]


@pytest.mark.parametrize(
    "case", [(4, {BEST: 0.8, MIDDLE: 0.5, WORST: 0.1}), (6, {BEST: 1, WORST: 0})]
)
def test_too_little_to_rank_is_said(case, rows):
    ranking = rank_detectors(table_of(rows, *case), "f1", confidence=0.95)
    assert ranking.ranks.empty
    assert ranking.outcome is None
    assert ranking.sentence.startswith("No ranking: ")


def test_a_block_is_the_mean_of_its_seeds(results):
    assert blocks_of(results).iloc[0].to_dict() == pytest.approx(
        {"student_fusion (a)": 0.84, "student_fusion (b)": 0.798}
    )


def test_a_model_that_no_variant_changes_is_one_detector(results, rows):
    shared = pd.DataFrame(
        rows("a", [0.5] * 5, model="teacher") + rows("b", [0.5] * 5, model="teacher")
    )
    names = set(blocks_of(pd.concat([results, shared], ignore_index=True)))
    assert names == {"student_fusion (a)", "student_fusion (b)", "teacher"}


def test_a_seed_that_a_variant_lacks_counts_for_none(rows):
    """Equal in both but for a bad seed that b lacks: one detector, of the seeds in common."""
    table = pd.DataFrame(
        [*rows("a", [0.9, 0.9, 0.1]), *rows("b", [0.9, 0.9]), *rows("a", [0.5] * 3, model="x")]
    )
    assert blocks_of(table).iloc[0].to_dict() == {"student_fusion": 0.9, "x (a)": 0.5}


def test_where_all_are_equal_nobody_is_the_best(rows):
    ranking = rank_detectors(
        table_of(rows, 6, {WORST: 0.0, MIDDLE: 0.0, BEST: 0.0}), "f1", confidence=0.95
    )
    assert ranking.sentence.startswith("No ranking: all detectors are equal in each of 6 blocks")
