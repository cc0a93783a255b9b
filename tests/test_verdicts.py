"""Who wins, by hand, and in so many words."""

import numpy as np
import pandas as pd
import pytest

from kdgat.figures.verdicts import summary_sentences, verdict_section, verdict_sentences
from kdgat.metrics.intervals import Resampling, f1_difference_interval
from kdgat.metrics.verdicts import contests, verdicts

# Four captures, each of a benign and an attack block of five windows.
LABELS = np.tile([0, 1], 4).repeat(5)
CAPTURES = np.arange(4).repeat(10)
PERFECT = LABELS.astype(float)
HALF = np.where(np.arange(40) % 2, LABELS, 0.0)  # finds three windows of each attack: F1 .75
ALL = np.ones(40)


def scores_of(**scores: np.ndarray) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "split": "test",
                "protocol": "zero_shot",
                "operating_point": "zero_shot",
                "scenario": "test_01",
                "capture": CAPTURES,
                "start": np.arange(40),
                "stretch": LABELS,
                "label": LABELS,
                "model": model.replace("__", " "),
                "score": score,
            }
        )
        for model, score in scores.items()
    ]
    return pd.concat(parts, ignore_index=True)


def judged(**scores: np.ndarray) -> pd.DataFrame:
    table = scores_of(**scores)
    points = {model: {"zero_shot": 0.5} for model in table["model"].unique()}
    return verdicts(table, points, Resampling(200, 0.95, 0))


def test_who_meets_whom():
    models = ["student_autoencoder", "student_fusion", "rule", "mean of students"]
    assert contests(models) == [
        ("baselines", "student_fusion", ["rule"]),
        ("detectors", "student_fusion", ["student_autoencoder"]),
        ("fusions", "student_fusion", ["mean of students"]),
    ]
    assert contests(["rule"]) == []


@pytest.mark.parametrize(
    ("ours", "rule", "margin", "verdict"),
    [
        (PERFECT, HALF, 0.25, "wins"),
        (HALF, PERFECT, -0.25, "loses"),
        (HALF, HALF, 0.0, "level"),
    ],
)
def test_the_best_baseline_is_met(ours, rule, margin, verdict):
    (row,) = judged(student_fusion=ours, everything=ALL, rule=rule).to_dict("records")
    assert row["rival"] == "rule"  # that everything is an attack has F1 2/3
    assert row["margin"] == pytest.approx(margin)
    assert row["margin_low"] == row["margin_high"] == row["margin"]  # all captures are alike
    assert row["verdict"] == verdict


def test_equal_alarms_have_no_margin_whatever_is_drawn():
    bounds = f1_difference_interval(
        LABELS,
        HALF > 0,
        HALF > 0,
        captures=CAPTURES,
        stretches=LABELS,
        resampling=Resampling(50, 0.9, 1),
    )
    assert bounds == (0.0, 0.0)


def test_a_scenario_without_labels_has_no_verdict():
    table = scores_of(student_fusion=PERFECT, rule=HALF).assign(label=0)
    points = {"student_fusion": {"zero_shot": 0.5}, "rule": {"zero_shot": 0.5}}
    assert verdicts(table, points, Resampling(10, 0.95, 0)).empty


def test_where_a_baseline_wins_it_is_said_in_so_many_words():
    table = judged(student_fusion=HALF, rule=PERFECT, student_autoencoder=HALF)
    said = verdict_sentences(table)
    assert said[0].startswith(
        "test 01: a baseline wins: rule has F1 1.000, student fusion .750, margin -0.250 "
        "(-0.250 to -0.250)"
    )
    assert "a tie: student autoencoder has F1 .750, student fusion .750" in said[1]
    (summary,) = summary_sentences(table)
    assert summary.startswith("student fusion, zero shot: margin in F1 over the best baseline")
    assert summary.endswith(
        "of 1 scenarios kdgat wins 0, 0 by more than the interval, a baseline wins 1, "
        "1 by more than the interval"
    )
    assert verdict_section(table).count("\n- ") == 3


@pytest.mark.parametrize(
    ("margin", "verdict", "said"),
    [
        (-0.1, "level", "a baseline wins, by no more than the interval"),
        (0.1, "level", "kdgat wins, by no more than the interval"),
        (-0.1, "unclear", "a baseline wins, on too few attacks for an interval"),
        (0.1, "wins", "kdgat wins"),
    ],
)
def test_doubt_is_said_too(margin, verdict, said):
    table = judged(student_fusion=HALF, rule=PERFECT).assign(margin=margin, verdict=verdict)
    assert f"test 01: {said}: rule" in verdict_sentences(table)[0]


def test_one_attack_is_too_few_for_a_verdict():
    once = scores_of(student_fusion=PERFECT, rule=HALF)
    once = once[once["capture"] == 0]
    points = {"student_fusion": {"zero_shot": 0.5}, "rule": {"zero_shot": 0.5}}
    (row,) = verdicts(once, points, Resampling(10, 0.95, 0)).to_dict("records")
    assert row["verdict"] == "unclear"
    assert np.isnan(row["margin_low"])


def test_without_a_contest_the_section_is_empty_of_claims():
    assert "\n- " not in verdict_section(judged(rule=PERFECT))
