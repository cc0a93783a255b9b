"""Hits of the IDs named, by hand."""

import numpy as np
import pandas as pd
import pytest

from kdgat.metrics.offenders import chance_of_hit, offender_scorecard

POINTS = {"gat": {"zero_shot": 0.0}}
# Window 0 names the ID under attack second, window 100 first, window 200 not at all, and window
# 300 does not alarm.
NAMED = pd.DataFrame(
    {
        "protocol": "zero_shot",
        "scenario": "test_01",
        "capture": "test_01/a",
        "start": [0, 100, 200, 300],
        "model": "gat",
        "ids": [4, 4, 4, 4],
        "named_1": [1, 7, 1, 7],
        "named_2": [7, 1, 2, 1],
        "named_3": [2, 2, 3, 2],
    }
)
SCORES = NAMED[["protocol", "scenario", "capture", "start", "model"]].assign(
    split="test", operating_point="zero_shot", label=1, score=[1.0, 0.0, 2.0, -1.0]
)
ATTACKED = pd.DataFrame(
    {
        "capture": "test_01/a",
        "start": [0, 100, 200, 200, 300],
        "arbitration_id": [7, 7, 7, 8, 7],
        "attack_frames": 1,
    }
)


def test_hits_of_alarmed_windows_by_hand():
    (row,) = offender_scorecard(NAMED, SCORES, POINTS, ATTACKED).to_dict("records")
    assert row["n_alarmed"] == 3
    assert row["hit_at_1"] == pytest.approx(1 / 3)
    assert row["hit_at_3"] == pytest.approx(2 / 3)
    assert row["chance_at_1"] == pytest.approx((1 / 4 + 1 / 4 + 2 / 4) / 3)
    assert row["chance_at_3"] == pytest.approx((3 / 4 + 3 / 4 + 1) / 3)


def test_without_an_alarm_there_is_no_rate():
    quiet = SCORES.assign(score=-1.0)
    (row,) = offender_scorecard(NAMED, quiet, POINTS, ATTACKED).to_dict("records")
    assert row["n_alarmed"] == 0
    assert np.isnan([row["hit_at_1"], row["chance_at_3"]]).all()


def test_chance_of_a_hit():
    # One of five in two draws: 2/5. Two in all, one under attack, three draws: sure.
    np.testing.assert_allclose(chance_of_hit(np.array([5, 2]), np.array([1, 1]), 2), [0.4, 1.0])
    np.testing.assert_allclose(chance_of_hit(np.array([2, 6]), np.array([1, 2]), 3), [1.0, 0.8])
