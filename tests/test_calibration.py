"""Operating points from benign windows alone."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.calibration import (
    ABOVE_ALL,
    BENIGN_TAIL,
    FIXED,
    Threshold,
    fit_tail,
    fit_threshold,
    fit_thresholds,
    fixed_threshold,
    tail_quantile,
)
from kdgat.errors import DataError

BUDGETS = {"zero_shot": 0.01, "calibrated": 0.01}


def exponential(n: int) -> np.ndarray:
    """Quantiles of the exponential distribution: a tail of shape 0, scale 1."""
    return -np.log(1 - (np.arange(n) + 0.5) / n)


def test_moments_find_an_exponential_tail():
    shape, scale = fit_tail(exponential(2000))
    assert shape == pytest.approx(0.0, abs=0.02)
    assert scale == pytest.approx(1.0, abs=0.02)


def test_moments_find_a_uniform_tail():
    # Uniform on 0 to 2 is a generalised Pareto of shape -1: limited to -0.5, with the same mean.
    shape, scale = fit_tail((np.arange(1000) + 0.5) / 500)
    assert shape == -0.5
    assert scale == pytest.approx(1.5)


def test_tail_quantile_by_hand():
    assert tail_quantile(0.0, 2.0, np.exp(-3)) == pytest.approx(6.0)
    assert tail_quantile(0.5, 1.0, 0.25) == pytest.approx(2.0)  # (0.25 ** -0.5 - 1) / 0.5
    assert tail_quantile(0.5, 1.0, 3.0) == 0.0


def test_the_budget_is_kept_on_windows_never_seen():
    generator = np.random.default_rng(0)
    for draw in (generator.standard_normal, generator.standard_exponential):
        fitted = fit_threshold(np.zeros(2000), draw(2000), budget=1e-3)
        assert np.mean(draw(400_000) >= fitted.value) < 3e-3
        assert fitted.rule == BENIGN_TAIL


def test_it_is_never_far_above_the_highest_benign_score():
    benign = np.random.default_rng(2).pareto(2, 300)
    fitted = fit_threshold(np.zeros(300), benign, budget=1e-4)
    assert fitted.value == np.nextafter(fitted.highest, np.inf)
    assert fitted.highest == benign.max()
    assert fitted.rule == ABOVE_ALL


def test_attacks_do_not_move_the_operating_point():
    benign = np.random.default_rng(1).standard_normal(500)
    alone = fit_threshold(np.zeros(500), benign, budget=0.01)
    labels, scores = np.r_[np.zeros(500), np.ones(3)], np.r_[benign, 99.0, 98.0, -99.0]
    joined = fit_threshold(labels, scores, budget=0.01)
    assert joined.value == alone.value
    false_alarms = (benign >= joined.value).sum()
    assert joined.f1 == pytest.approx(4 / (3 + 2 + false_alarms))
    assert (joined.n, joined.n_attack) == (500, 3)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=80),
    st.floats(1e-4, 0.4),
    st.floats(-10, 10),
)
def test_it_moves_with_the_scores(scores, budget, shift):
    scores = np.asarray(scores)
    labels = np.zeros(scores.size)
    fitted = fit_threshold(labels, scores, budget=budget)
    moved = fit_threshold(labels, scores + shift, budget=budget)
    assert moved.value == pytest.approx(fitted.value + shift, abs=1e-3, rel=1e-6)
    assert fitted.value > np.sort(scores)[-scores.size // 2 - 1]


def test_equal_scores_never_alarm():
    fitted = fit_threshold(np.zeros(50), np.ones(50), budget=0.01)
    assert not fitted.alarms([1.0]).any()
    assert fitted.alarms([1.0001]).all()


def test_a_wide_budget_is_kept():
    scores = np.random.default_rng(1).normal(size=10_000)
    for budget in (0.04, 0.1, 0.3, 0.5):
        fitted = fit_threshold(np.zeros(scores.size), scores, budget=budget)
        assert fitted.alarms(scores).mean() == pytest.approx(budget, rel=0.05)


def test_the_tail_of_equal_excesses_is_that_of_all_but_equal_ones():
    almost = np.r_[np.ones(19), 1.0001]
    assert fit_tail(np.ones(20)) == pytest.approx(fit_tail(almost), rel=1e-3)


def test_a_rule_keeps_its_own_operating_point():
    fitted = fixed_threshold([0, 0, 0, 0, 1], [0.0, 0.0, 1.0, 0.0, 5.0], 1.0)
    assert (fitted.value, fitted.rule, fitted.budget) == (1.0, FIXED, 0.25)


@pytest.mark.parametrize(
    ("labels", "scores", "sentence"),
    [
        ([1, 1], [0.0, 1.0], "0 benign windows"),
        ([0, 0, 0], [0.0, 1.0, 2.0], "3 benign windows: an operating point needs at least 4"),
        ([0, 1], [0.0, np.nan], "1 of 2 validation scores are not finite"),
        ([0, 1], [0.0], "2 labels came with 1 scores"),
    ],
)
def test_unusable_validation_is_refused(labels, scores, sentence):
    with pytest.raises(DataError, match=sentence):
        fit_threshold(labels, scores, budget=0.01)


def table(model: str, protocol: str, split: str, scores: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": split,
            "protocol": protocol,
            "model": model,
            "capture": "train_01/parked",
            "label": 0,
            "score": scores,
        }
    )


def test_each_model_and_protocol_has_its_own_point_from_validation_alone():
    scores = pd.concat(
        [
            table("gat", "zero_shot", "validation", exponential(100)),
            table("gat", "calibrated", "validation", exponential(100) + 7),
            table("gat", "calibrated", "test", np.full(100, 1e6)),
            table("rule", "zero_shot", "validation", exponential(100)),
        ]
    )
    fitted = fit_thresholds(scores, budgets=BUDGETS, fixed={"rule": 4.0})
    zero_shot, calibrated = (fitted["gat"][name].value for name in ("zero_shot", "calibrated"))
    assert calibrated == pytest.approx(zero_shot + 7)
    assert zero_shot < 10
    assert fitted["rule"]["zero_shot"].value == 4.0


def test_each_protocol_has_its_own_budget():
    scores = pd.concat(
        table("gat", protocol, "validation", exponential(1000))
        for protocol in ("zero_shot", "calibrated")
    )
    budgets = {"zero_shot": 0.01, "calibrated": 0.02}
    points = fit_thresholds(scores, budgets=budgets, fixed={})["gat"]
    assert {name: points[name].budget for name in points} == budgets
    # An exponential score exceeds -ln(share) with that share: half the false alarms lie ln 2 above.
    apart = points["zero_shot"].value - points["calibrated"].value
    assert apart == pytest.approx(np.log(2), abs=0.03)


def test_a_protocol_without_windows_shares_the_other_point_and_a_warning_says_so(caplog):
    scores = pd.concat(
        [
            table("gat", "zero_shot", "validation", exponential(100)),
            table("vgae", "zero_shot", "validation", exponential(100)),
            table("both", "zero_shot", "validation", exponential(100)),
            table("both", "calibrated", "validation", exponential(100)),
            table("rule", "zero_shot", "validation", exponential(100)),
            table("forest", "zero_shot", "validation", exponential(100)),
        ]
    )
    budgets = {"zero_shot": 0.01, "calibrated": 0.02}
    fitted = fit_thresholds(scores, budgets=budgets, fixed={"rule": 4.0}, shared=["forest"])
    for model in ("gat", "vgae", "forest"):
        assert fitted[model]["calibrated"] == fitted[model]["zero_shot"]
    (warning,) = caplog.records
    assert warning.getMessage() == (
        "no benign validation window is calibrated for gat, vgae: the operating point there is "
        "fitted on windows of the other protocol"
    )


def test_attack_windows_alone_do_not_make_a_protocol(caplog):
    benign = table("gat", "calibrated", "validation", exponential(100))
    attacks = table("gat", "zero_shot", "validation", exponential(5) + 9).assign(label=1)
    fitted = fit_thresholds(pd.concat([benign, attacks]), budgets=BUDGETS, fixed={})["gat"]
    assert (fitted["zero_shot"].n, fitted["zero_shot"].n_attack) == (100, 5)
    assert "zero_shot for gat" in caplog.text


def test_a_point_names_the_captures_that_it_rests_on():
    # 115 benign scores: the 20 highest make the tail, those of `odd` and five of `train_01/parked`.
    benign = table("gat", "zero_shot", "validation", np.arange(85.0))
    odd = table("gat", "zero_shot", "validation", 100 + np.arange(15.0)).assign(capture="odd")
    quiet = odd.assign(capture="quiet", score=-1.0)
    attacks = odd.assign(capture="attacked", label=1, score=1e3)
    fitted = fit_thresholds(
        pd.concat([odd, attacks, quiet, benign]), budgets=BUDGETS, fixed={"rule": 4.0}
    )["gat"]["zero_shot"]
    assert fitted.n_tail == 20
    assert (fitted.captures, fitted.tail_captures) == (3, 2)
    assert (fitted.highest, fitted.highest_capture) == (114.0, "odd")


def test_threshold_survives_json():
    fitted = fit_threshold(np.zeros(40), exponential(40), budget=0.01)
    assert Threshold.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted
