"""Episodes, seconds to an alarm and false alarms an hour, by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from kdgat.metrics.episodes import (
    alarm_scorecard,
    find_episodes,
    persistent_level,
    poisson_interval,
)

POINTS = {"gat": {"zero_shot": 0.0}}


def windows(label: list[int], score: list[float], capture: str = "test_01/a") -> pd.DataFrame:
    """Windows of 1 s, one after another."""
    number = np.arange(len(label))
    return pd.DataFrame(
        {
            "split": "test",
            "protocol": "zero_shot",
            "operating_point": "zero_shot",
            "scenario": capture.split("/")[0],
            "capture": capture,
            "start": number * 100,
            "start_time": number.astype(float),
            "end_time": number + 1.0,
            "label": label,
            "model": "gat",
            "score": score,
        }
    )


def row(table: pd.DataFrame, persistence: tuple[int, int] = (1, 1)) -> pd.Series:
    found = alarm_scorecard(table, POINTS, persistence=persistence, confidence=0.95)
    assert len(found) == 1
    return found.iloc[0]


#           0  1  2  3  4  5  6  7  8  9
LABEL = [0, 0, 1, 1, 0, 0, 0, 1, 0, 0]


def test_one_capture_by_hand():
    # Windows 2 and 3 are an episode found at its second window, window 7 one that is missed.
    # Window 4 belongs to the first episode still; 0 is one false alarm, 5 and 6 are another.
    score = [1, -1, -1, 1, 1, 1, 1, -1, -1, -1]
    found = row(windows(LABEL, score))
    assert (found["episodes"], found["episodes_found"], found["episode_recall"]) == (2, 1, 0.5)
    assert found["seconds_to_alarm"] == 2.0
    assert found["benign_hours"] == pytest.approx(5 / 3600)  # 0, 1, 5, 6 and 9
    assert found["false_alarms"] == 2


def test_recall_at_a_budget_ranks():
    score = [0.5, -9, 3, 3, -9, -9, -9, 0.2, -9, -9]
    found = row(windows(LABEL, score))
    # Less than one false alarm is allowed in seconds: window 0 must stay quiet.
    assert found["episode_recall_at_1_per_hour"] == 0.5


def test_captures_are_counted_together():
    one = windows([0, 0, 1], [1, -1, 1])
    two = windows([0, 0, 0], [1, -1, 1], "test_01/b")
    found = row(pd.concat([one, two]))
    assert (found["episodes"], found["false_alarms"]) == (1, 3)


def test_without_an_attack_there_is_no_recall():
    found = row(windows([0, 0, 0], [1, -1, -1]))
    assert found["episodes"] == 0
    assert np.isnan([found["episode_recall"], found["episode_recall_at_10_per_hour"]]).all()


def test_persistence_needs_k_of_the_last_n():
    margin = np.array([1.0, -1.0, 2.0, 3.0, -1.0, -1.0])
    assert (persistent_level(margin, 2, 3) >= 0).tolist() == [
        False, False, True, True, True, False,
    ]  # fmt: skip
    np.testing.assert_array_equal(persistent_level(margin, 1, 1), margin)


def test_gaps_of_half_a_second_do_not_end_an_episode():
    begin = np.array([0.0, 1.0, 1.4, 3.0])
    attack = np.array([True, False, True, True])
    assert find_episodes(begin, begin + 1.0, attack) == [(0.0, 2.4), (3.0, 4.0)]


def test_poisson_interval_is_exact():
    low, high = poisson_interval(5, 2.0, 0.95)
    assert poisson.sf(4, low * 2.0) == pytest.approx(0.025)
    assert poisson.cdf(5, high * 2.0) == pytest.approx(0.025)
    assert poisson_interval(0, 1.0, 0.95) == (0.0, pytest.approx(-np.log(0.025)))
    assert np.isnan(poisson_interval(0, 0.0, 0.95)).all()
