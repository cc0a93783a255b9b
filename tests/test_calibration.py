"""Thresholds by hand, and against a search through every cut-off."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kdgat.calibration import Threshold, fit_threshold, fit_thresholds
from kdgat.errors import DataError


def f1_at(labels, scores, cut):
    alarms = scores >= cut
    return 2 * (alarms & labels).sum() / (alarms.sum() + labels.sum())


def test_separating_score_gets_the_middle_of_the_gap():
    fitted = fit_threshold([0, 1, 0, 1], [-2.0, 4.0, 1.0, 2.0])
    assert (fitted.low, fitted.value, fitted.high) == (1.0, 1.5, 2.0)
    assert fitted.f1 == 1
    assert (fitted.n, fitted.n_attack) == (4, 2)


def test_widest_of_several_best_intervals_wins():
    # Cut-offs in (0, 1] and in (6, 10] both reach F1 = 2/3: TP 2 FP 2 and TP 1 FP 0 of 2 attacks.
    fitted = fit_threshold([0, 1, 0, 0, 1], [0.0, 1.0, 5.0, 6.0, 10.0])
    assert fitted.f1 == pytest.approx(2 / 3)
    assert (fitted.low, fitted.value, fitted.high) == (6.0, 8.0, 10.0)


def test_adjacent_best_intervals_count_as_one():
    # At 2 an attack is tied with two benign windows, at 1 nothing changes F1: 2/3 on both sides.
    labels, scores = [0, 1, 0, 0, 1], [0.0, 2.0, 2.0, 2.0, 3.0]
    fitted = fit_threshold(labels, scores)
    assert (fitted.low, fitted.value, fitted.high) == (0.0, 1.5, 3.0)


def test_a_constant_score_calls_everything_an_attack():
    fitted = fit_threshold([0, 1, 1], [1.0, 1.0, 1.0])
    assert fitted.value == 1
    assert fitted.alarms([1.0, 1.0]).all()


def test_neighbouring_floats_are_told_apart():
    benign, attack = 1.0, np.nextafter(1.0, 2.0)
    fitted = fit_threshold([0, 1], [benign, attack])
    np.testing.assert_array_equal(fitted.alarms([benign, attack]), [False, True])


def test_single_precision_scores_are_compared_in_double():
    scores = np.array([1.0, np.nextafter(np.float32(1), np.float32(2))], dtype=np.float32)
    np.testing.assert_array_equal(fit_threshold([0, 1], scores).alarms(scores), [False, True])


def test_huge_scores_do_not_overflow():
    fitted = fit_threshold([0, 1], [-1.5e308, 1.5e308])
    assert fitted.value == 0


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(-6, 6) | st.floats(-1e6, 1e6, width=32)),
        min_size=2,
        max_size=30,
    )
)
def test_no_cut_off_does_better_and_no_best_interval_is_wider(windows):
    labels = np.array([label for label, _ in windows])
    scores = np.array([score for _, score in windows], dtype=float)
    assume(labels.any() and not labels.all())
    fitted, cuts = fit_threshold(labels, scores), np.unique(scores)
    best = max(f1_at(labels, scores, cut) for cut in cuts)
    assert fitted.f1 == f1_at(labels, scores, fitted.value) == best
    assert fitted.low <= fitted.value <= fitted.high
    width = 0.0
    for i, below in enumerate(cuts):
        for j in range(i + 1, cuts.size):
            if all(f1_at(labels, scores, cut) == best for cut in cuts[i + 1 : j + 1]):
                width = max(width, cuts[j] - below)
    assert fitted.high - fitted.low == width


@pytest.mark.parametrize(
    ("labels", "scores", "sentence"),
    [
        ([0, 0], [0.0, 1.0], "0 attack windows among 2"),
        ([1, 1], [0.0, 1.0], "2 attack windows among 2"),
        ([], [], "0 attack windows among 0"),
        ([0, 1], [0.0, np.nan], "1 of 2 validation scores are not finite"),
        ([0, 1], [0.0], "2 labels came with 1 scores"),
    ],
)
def test_unusable_validation_is_refused(labels, scores, sentence):
    with pytest.raises(DataError, match=sentence):
        fit_threshold(labels, scores)


def test_thresholds_of_a_table_come_from_validation_alone():
    table = pd.DataFrame(
        {
            "split": ["validation", "validation", "test", "test"] * 2,
            "model": ["gat"] * 4 + ["vgae"] * 4,
            "label": [0, 1, 1, 0] * 2,
            "score": [0.0, 2.0, -9.0, 9.0, 10.0, 20.0, 0.0, 0.0],
        }
    )
    fitted = fit_thresholds(table)
    assert {model: threshold.value for model, threshold in fitted.items()} == {
        "gat": 1.0,
        "vgae": 15.0,
    }
    with pytest.raises(DataError, match="0 attack windows among 0"):
        fit_thresholds(table[table["split"] == "test"])


def test_threshold_survives_json():
    fitted = fit_threshold([0, 1], [0.0, 1.0])
    assert Threshold.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted
