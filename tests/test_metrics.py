"""Metrics by hand, against sklearn, and intervals that count blocks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from kdgat.errors import DataError
from kdgat.metrics import (
    COUNT_METRICS,
    SCORECARD_COLUMNS,
    Resampling,
    above_points,
    block_ids,
    bootstrap_interval,
    by_condition,
    capture_scorecard,
    detection_metrics,
    scorecard,
)

LABELS_AND_TIED_SCORES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=1, max_size=40
)


def test_six_windows_by_hand():
    # Alarms: windows 2 to 5. TP = 3, FP = 1, FN = 1, TN = 1.
    result = detection_metrics([0, 1, 0, 1, 1, 1], [0.0, 0.5, 1.0, 1.0, 2.0, 3.0], 1.0)
    assert result["f1"] == pytest.approx(6 / 8)
    assert result["precision"] == pytest.approx(3 / 4)
    assert result["recall"] == pytest.approx(3 / 4)
    assert result["false_positive_rate"] == pytest.approx(1 / 2)
    assert result["mcc"] == pytest.approx((3 * 1 - 1 * 1) / np.sqrt(4 * 2 * 4 * 2))
    # Attack above benign in 6.5 of 8 pairs: all 4 over window 0; two and a half of 4 over window 2.
    assert result["auroc"] == pytest.approx(6.5 / 8)
    # Cuts 3, 2, 1 (an attack tied with a benign one), .5: recall gains of 1/4 each.
    assert result["average_precision"] == pytest.approx((1 + 1 + 3 / 4 + 4 / 5) / 4)
    assert (result["n"], result["n_attack"]) == (6, 4)


def test_score_on_the_threshold_alarms_in_float64():
    scores = np.array([0.1, 0.2], dtype=np.float32)
    between = float(scores[0]) + 1e-12
    assert detection_metrics([0, 1], scores, between)["false_positive_rate"] == 0
    assert detection_metrics([0, 1], scores, float(scores[0]))["false_positive_rate"] == 1


@pytest.mark.parametrize(
    ("labels", "threshold", "undefined"),
    [
        ([0, 0], 0.0, {"f1", "recall", "mcc", "auroc", "average_precision"}),
        ([0, 0], 9.0, {"f1", "precision", "recall", "mcc", "auroc", "average_precision"}),
        ([1, 1], 0.0, {"false_positive_rate", "mcc", "auroc", "average_precision"}),
        ([0, 1], 9.0, {"precision", "mcc"}),
        ([0, 1], 0.0, {"mcc"}),
        ([], 0.0, {*COUNT_METRICS, "auroc", "average_precision"}),
    ],
)
def test_undefined_figures_are_nan(labels, threshold, undefined):
    result = detection_metrics(labels, np.arange(len(labels), dtype=float), threshold)
    assert {name for name, value in result.items() if np.isnan(value)} == undefined


def test_missed_attacks_give_f1_zero_not_nan():
    assert detection_metrics([0, 1], [0.0, 1.0], 9.0)["f1"] == 0


@given(LABELS_AND_TIED_SCORES, st.integers(-3, 3))
def test_agrees_with_sklearn_where_defined(windows, threshold):
    labels, scores = np.array(windows).T
    result, alarms = detection_metrics(labels, scores, threshold), scores >= threshold
    expected = {
        "f1": reference.f1_score(labels, alarms, zero_division=np.nan) if labels.any() else np.nan,
        "precision": reference.precision_score(labels, alarms, zero_division=np.nan),
        "recall": reference.recall_score(labels, alarms, zero_division=np.nan),
        "false_positive_rate": 1
        - reference.recall_score(labels, alarms, pos_label=0, zero_division=np.nan),
    }
    assert {name: result[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    if len(set(labels)) == len(set(alarms)) == 2:
        assert result["mcc"] == pytest.approx(reference.matthews_corrcoef(labels, alarms))
    if len(set(labels)) == 2:
        auroc = reference.roc_auc_score(labels, scores)
        precision = reference.average_precision_score(labels, scores)
        assert result["auroc"] == pytest.approx(auroc)
        assert result["average_precision"] == pytest.approx(precision)


@given(LABELS_AND_TIED_SCORES)
def test_auroc_is_the_share_of_pairs_in_order(windows):
    labels, scores = np.array(windows).T
    difference = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    expected = np.mean((np.sign(difference) + 1) / 2) if difference.size else np.nan
    assert detection_metrics(labels, scores, 0.0)["auroc"] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("labels", "scores", "sentence"),
    [
        ([0, 1], [0.0], "shape"),
        ([0, 2], [0.0, 1.0], "Label 2 of window 1"),
        ([0, 1], [0.0, np.nan], "Score nan of window 1"),
        ([0, 1], [np.inf, 0.0], "Score inf of window 0"),
    ],
)
def test_bad_input_is_one_sentence(labels, scores, sentence):
    with pytest.raises(DataError, match=sentence):
        detection_metrics(labels, scores, 0.0)


def test_blocks_are_stretches_of_one_label_whatever_the_row_order():
    """Windows 1 and 3 are of one attack though a benign one lies between them."""
    captures = np.array(["a", "a", "a", "a", "a", "b", "b"])
    stretches = np.array([0, 1, 1, 1, 2, 0, 0])
    labels = np.array([0, 1, 0, 1, 0, 0, 0])
    expected = np.array([0, 2, 1, 2, 3, 4, 4])
    np.testing.assert_array_equal(block_ids(captures, stretches, labels), expected)
    order = np.array([5, 3, 0, 4, 6, 2, 1])
    shuffled = block_ids(captures[order], stretches[order], labels[order])
    np.testing.assert_array_equal(shuffled, expected[order])


def simulated_blocks(generator, num_blocks=24, length=20):
    """Blocks in turn benign and attack; one recall per attack block, .8 on average."""
    labels = np.repeat(np.arange(num_blocks) % 2, length)
    alarm_rate = np.repeat(generator.beta(4, 1, size=num_blocks), length)
    scores = np.where(labels, generator.random(labels.size) < alarm_rate, 0).astype(float)
    captures = np.repeat([0, 1], labels.size // 2)
    stretches = np.repeat(np.arange(num_blocks), length)
    return {"labels": labels, "scores": scores, "captures": captures, "stretches": stretches}


def intervals(windows, seed=0, confidence=0.9, bootstrap=300):
    return bootstrap_interval(
        **windows, threshold=0.5, resampling=Resampling(bootstrap, confidence, seed)
    )


def test_intervals_cover_about_as_often_as_they_say_and_more_than_windows_would():
    generator = np.random.default_rng(7)
    covered = covered_by_windows = 0
    for _ in range(100):
        windows = simulated_blocks(generator)
        low, high = intervals(windows)["recall"]
        covered += low <= 0.8 <= high
        recall, n = windows["scores"][windows["labels"] == 1].mean(), windows["labels"].sum()
        covered_by_windows += abs(recall - 0.8) <= 1.645 * np.sqrt(recall * (1 - recall) / n)
    assert 80 <= covered <= 99
    assert covered_by_windows < 70


def test_intervals_repeat_with_the_seed_and_hold_the_estimate():
    windows = simulated_blocks(np.random.default_rng(1))
    first, again, other = intervals(windows), intervals(windows), intervals(windows, seed=1)
    assert first["f1"] == again["f1"] != other["f1"]
    estimate = detection_metrics(windows["labels"], windows["scores"], 0.5)["f1"]
    assert first["f1"][0] < estimate < first["f1"][1]
    narrow = intervals(windows, confidence=0.5)["f1"]
    assert first["f1"][0] < narrow[0] < narrow[1] < first["f1"][1]


def test_intervals_ignore_the_order_of_the_rows():
    windows = simulated_blocks(np.random.default_rng(2))
    order = np.random.default_rng(3).permutation(windows["labels"].size)
    assert intervals({name: values[order] for name, values in windows.items()}) == intervals(
        windows
    )


def test_one_attack_block_gives_no_interval_of_recall_but_one_of_false_positives():
    windows = {
        "labels": np.array([0, 0, 1, 1, 0, 0]),
        "scores": np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
        "captures": np.zeros(6),
        "stretches": np.array([0, 0, 1, 1, 2, 2]),
    }
    result = intervals(windows)
    assert np.isnan(result["recall"]).all()
    assert np.isnan(result["f1"]).all()
    assert result["false_positive_rate"] == (0.0, 0.5)


def test_no_windows_give_no_interval():
    empty = {name: [] for name in ("labels", "scores", "captures", "stretches")}
    assert all(np.isnan(interval).all() for interval in intervals(empty).values())


def window_scores(model, scenario, labels, scores, split="test"):
    return pd.DataFrame(
        {
            "split": split,
            "protocol": "zero_shot",
            "operating_point": "zero_shot",
            "scenario": scenario,
            "capture": f"{scenario}/a",
            "start": np.arange(len(labels)) * 100,
            "stretch": np.arange(len(labels)),
            "label": labels,
            "model": model,
            "score": scores,
        }
    )


def judged(table, thresholds):
    points = {model: {"zero_shot": value} for model, value in thresholds.items()}
    return scorecard(table, points, Resampling(50, 0.95, 0))


def test_scorecard_judges_test_windows_alone_model_by_scenario():
    table = pd.concat(
        [
            window_scores("forest", "test_01", [0, 1, 0, 1], [0.0, 1.0, 0.6, 0.0]),
            window_scores("forest", "test_02", [0, 0], [0.0, 1.0]),
            window_scores("gat", "test_01", [0, 1, 0, 1], [-3.0, 4.0, -2.0, 5.0]),
            window_scores("gat", "test_02", [0, 0], [-3.0, -4.0]),
            window_scores("gat", "train_02", [0, 1], [9.0, -9.0], split="validation"),
        ]
    )
    result = judged(table, {"gat": 0.0, "forest": 0.5})
    assert tuple(result.columns) == SCORECARD_COLUMNS
    assert list(result["model"]) == ["gat", "gat", "forest", "forest"]
    assert list(result["scenario"]) == ["test_01", "test_02"] * 2
    assert list(result["f1"].fillna(-1)) == [1.0, -1.0, 0.5, -1.0]
    assert list(result["false_positive_rate"]) == [0.0, 0.0, 0.5, 0.5]
    assert list(result["n"]) == [4, 2, 4, 2]
    assert list(result["n_attack"]) == [2, 0, 2, 0]
    assert set(result["n_captures"]) == {1}
    assert set(result["protocol"]) == {"zero_shot"}
    assert list(result["threshold"]) == [0.0, 0.0, 0.5, 0.5]
    assert result.loc[0, ["f1_low", "f1_high"]].tolist() == [1.0, 1.0]
    assert result.loc[2, "f1_low"] < 0.5 < result.loc[2, "f1_high"]


@pytest.mark.parametrize("thresholds", [{}, {"gat": 0.0, "forest": 0.0}])
def test_models_and_thresholds_must_match(thresholds):
    with pytest.raises(DataError, match="threshold or test scores, but not both"):
        judged(window_scores("gat", "test_01", [0, 1], [0.0, 1.0]), thresholds)


def test_a_window_is_judged_by_the_operating_point_that_it_names():
    table = pd.concat(
        [
            window_scores("gat", "test_01", [0, 1], [1.0, 3.0]),
            window_scores("gat", "test_01", [0, 1], [1.0, 3.0]).assign(
                protocol="calibrated", operating_point="calibrated"
            ),
            window_scores("gat", "test_02", [0, 1], [1.0, 3.0]).assign(protocol="calibrated"),
        ]
    )
    points = {"gat": {"zero_shot": 0.0, "calibrated": 2.0}}
    result = scorecard(table, points, Resampling(5, 0.95, 0))
    keys = ["protocol", "scenario"]
    rates = result.set_index(keys)["false_positive_rate"].to_dict()
    assert rates == {
        ("zero_shot", "test_01"): 1.0,
        ("calibrated", "test_01"): 0.0,
        ("calibrated", "test_02"): 1.0,  # the prefix was distrusted: judged without a profile
    }
    named = by_condition(result)["scenario"].tolist()
    assert named == ["test_01", "test_01_calibrated", "test_02_calibrated"]
    single = capture_scorecard(table, points).set_index(["protocol", "capture"])
    assert single.loc[("calibrated", "test_02/a"), "false_positive_rate"] == 1.0


def test_a_missing_column_and_a_window_scored_twice_are_refused():
    table = window_scores("gat", "test_01", [0, 1], [0.0, 1.0])
    with pytest.raises(DataError, match=r"\['label'\]"):
        judged(table.drop(columns="label"), {"gat": 0.0})
    with pytest.raises(DataError, match="Window 0 of test_01/a is scored twice by gat"):
        judged(pd.concat([table, table]), {"gat": 0.0})


def test_scores_are_measured_from_the_point_that_judges_them():
    windows = pd.DataFrame(
        {
            "model": ["a", "a", "b"],
            "operating_point": ["zero_shot", "calibrated", "calibrated"],
            "score": [1.0, 1.0, 1.0],
        }
    )
    points = {"a": {"zero_shot": 3.0, "calibrated": 1.0}, "b": {"calibrated": -1.0}}
    assert above_points(windows, points)["score"].tolist() == [-2.0, 0.0, 2.0]
