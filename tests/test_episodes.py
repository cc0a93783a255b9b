"""Episodes, seconds to an alarm and false alarms an hour, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from kdgat.metrics.aftermath import known_windows, stretches
from kdgat.metrics.episodes import (
    Resampling,
    alarm_scorecard,
    lowest_level,
    persistent_level,
    poisson_interval,
    recall_interval,
)

POINTS = {"gat": {"zero_shot": 0.0}}
RESAMPLING = Resampling(200, 0.95, 0)


def windows(label: list[int], score: list[float], capture: str = "test_01/a") -> pd.DataFrame:
    """Windows of 0.9 s, one a second."""
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
            "end_time": number + 0.9,
            "label": label,
            "model": "gat",
            "score": score,
        }
    )


def episodes(*bounds: tuple[float, float, int], capture: str = "test_01/a") -> pd.DataFrame:
    table = pd.DataFrame(bounds, columns=["start", "end", "attack_frames"])
    return table.assign(capture=capture)


def cards(
    table: pd.DataFrame, truth: pd.DataFrame, persistence: tuple[int, int] = (1, 1)
) -> tuple[pd.Series, pd.DataFrame]:
    card, single, found = alarm_scorecard(
        table, POINTS, truth, {"gat": 0.01}, persistence=persistence, resampling=RESAMPLING
    )
    assert len(card) == 1
    assert single["false_alarms"].sum() == card["false_alarms"].sum()
    return card.iloc[0], found


#           0  1  2  3  4  5  6  7  8  9
LABEL = [0, 0, 1, 1, 0, 0, 0, 1, 0, 0]
EPISODES = episodes((2.5, 3.6, 4), (7.0, 7.7, 2))


def test_one_capture_by_hand():
    # Windows 2 and 3 are an episode found at its second window, window 7 one that is missed.
    # Windows 4 and 8 begin in an aftermath; 0 is one false alarm, 5 and 6 are another.
    card, found = cards(windows(LABEL, [1, -1, -1, 1, 1, 1, 1, -1, -1, -1]), EPISODES)
    assert (card["episodes"], card["episodes_found"], card["episode_recall"]) == (2, 1, 0.5)
    assert card["seconds_to_alarm"] == pytest.approx(3.9 - 2.5 + 0.01)
    assert card["benign_hours"] == pytest.approx(5 * 0.9 / 3600)  # 0, 1, 5, 6 and 9
    assert card["false_alarms"] == 2
    assert found["found"].tolist() == [True, False]
    assert found["start"].tolist() == [2.5, 7.0]
    assert np.isnan(found["seconds_to_alarm"][1])


def test_an_episode_counts_from_the_first_window_scored_and_not_if_it_is_over():
    truth = episodes((-5.0, -4.0, 9), (-1.0, 0.5, 9))
    card, _ = cards(windows([1, 0, 0], [1, -1, -1]), truth)
    assert card["episodes"] == 1
    assert card["seconds_to_alarm"] == pytest.approx(0.91)


def test_a_silent_id_is_scored_by_episode_and_has_no_labels():
    table = windows([0] * 10, [-1, -1, -1, 1, -1, -1, -1, 1, -1, -1])
    truth = episodes((2.0, 4.2, 0))
    card, _ = cards(table, truth)
    assert (card["episodes"], card["episodes_found"]) == (1, 1)
    assert card["seconds_to_alarm"] == pytest.approx(1.91)
    assert card["false_alarms"] == 1
    assert known_windows(table, truth)["start"].tolist() == [0, 100, 500, 600, 700, 800, 900]
    with_frames = truth.assign(attack_frames=1)
    assert len(known_windows(table, with_frames)) == 10


def test_episodes_may_come_in_any_order_and_have_unknown_bounds():
    begin = np.arange(6.0)
    bounds = np.array([[4.0, 4.5], [np.nan, np.nan], [1.0, 2.5]])
    assert stretches(begin, begin + 0.9, bounds).tolist() == [0, 1, 1, 2, 3, 4]


def test_a_window_that_touches_two_episodes_lies_in_the_second():
    bounds = np.array([[1.0, 1.2], [1.5, 3.0]])
    assert stretches(np.array([1.0, 2.0]), np.array([1.9, 2.9]), bounds).tolist() == [3, 3]


def test_windows_lie_before_in_or_between_episodes():
    table = known_windows(windows(LABEL, LABEL), EPISODES)
    assert table["stretch"].tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 4, 4]


def test_where_nobody_says_when_an_id_is_silent_nothing_is_scored():
    table = windows([0, 0, 0], [1, -1, -1])
    truth = episodes((np.nan, np.nan, 0))
    card, found = cards(table, truth)
    assert (card["episodes"], card["false_alarms"], card["benign_hours"]) == (0, 0, 0)
    assert np.isnan(card["false_alarms_per_hour"])
    assert np.isnan(cards(table, episodes((0.0, 9.0, 1)))[0]["episode_recall_at_10_per_hour"])
    assert found.empty
    assert known_windows(table, truth).empty


def test_recall_at_a_budget_ranks():
    card, _ = cards(windows(LABEL, [0.5, -9, 3, 3, -9, -9, -9, 0.2, -9, -9]), EPISODES)
    # Less than one false alarm is allowed in seconds: window 0 must stay quiet.
    assert card["episode_recall_at_1_per_hour"] == 0.5


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=12),
    st.integers(0, 3),
)
def test_the_lowest_level_agrees_with_counting(level, allowed):
    level = np.array(level, dtype=float)
    before = np.concatenate([[-np.inf], level[:-1]])
    spans = np.stack([np.minimum(before, level), level], axis=1)
    found = lowest_level([spans], allowed)
    counts = {
        one: int(((level >= one) & ~(before >= one)).sum()) for one in np.arange(0.0, 5.0, 0.5)
    }
    too_many = [one for one, count in counts.items() if count > allowed]
    assert found == (np.nextafter(max(too_many), np.inf) if too_many else -np.inf)


def test_captures_are_counted_together():
    one = windows([0, 0, 1], [1, -1, 1])
    two = windows([0, 0, 0], [1, -1, 1], "test_01/b")
    both, truth = pd.concat([one, two]), episodes((2.0, 2.5, 1))
    card, _ = cards(both, truth)
    assert (card["episodes"], card["false_alarms"]) == (1, 3)
    _, single, _ = alarm_scorecard(
        both, POINTS, truth, {"gat": 0.01}, persistence=(1, 1), resampling=RESAMPLING
    )
    assert single["capture"].tolist() == ["test_01/a", "test_01/b"]
    assert single["episodes"].tolist() == [1, 0]
    assert single["false_alarms"].tolist() == [1, 2]


def test_without_an_attack_there_is_no_recall():
    card, _ = cards(windows([0, 0, 0], [1, -1, -1]), episodes())
    assert card["episodes"] == 0
    assert np.isnan([card["episode_recall"], card["episode_recall_at_10_per_hour"]]).all()


def test_recall_is_bounded_by_resampling_captures_and_episodes():
    found = np.array([True, True, True, False])
    low, high = recall_interval(found, np.array([0, 0, 0, 1]), RESAMPLING)
    assert (low, high) == (0, 1)  # one of two captures is missed altogether
    low, high = recall_interval(found, np.zeros(4, dtype=int), RESAMPLING)
    assert 0.25 <= low < 0.75 < high == 1
    assert np.isnan(recall_interval(found[:1], np.array([0]), RESAMPLING)).all()


def test_persistence_needs_k_of_the_last_n():
    margin = np.array([1.0, -1.0, 2.0, 3.0, -1.0, -1.0])
    assert (persistent_level(margin, 2, 3) >= 0).tolist() == [
        False, False, True, True, True, False,
    ]  # fmt: skip
    np.testing.assert_array_equal(persistent_level(margin, 1, 1), margin)


def test_an_episode_after_the_last_window_is_nobodys():
    card, found = cards(windows([0] * 4, [-1.0] * 4), episodes((3.95, 4.2, 3), (3.5, 3.6, 1)))
    assert (card["episodes"], found["start"].tolist()) == (1, [3.5])


def test_windows_that_overlap_count_no_second_twice():
    apart = windows([0] * 10, [-1.0] * 10)
    halves = windows([0] * 19, [-1.0] * 19)
    halves["start_time"] /= 2
    halves["end_time"] = halves["start_time"] + 1.0
    hours = [cards(table, EPISODES[:0])[0]["benign_hours"] for table in (apart, halves)]
    assert hours == pytest.approx([10 * 0.9 / 3600, 10 / 3600])


def test_a_window_that_cannot_alarm_yet_finds_no_episode():
    # Three of three must alarm, and there are two windows: no level has a false alarm.
    card, _ = cards(windows([0, 1], [-1.0, 5.0]), episodes((1.0, 1.3, 3)), (3, 3))
    assert card["episode_recall_at_10_per_hour"] == 0.0


def test_poisson_interval_is_exact():
    low, high = poisson_interval(5, 2.0, 0.95)
    assert poisson.sf(4, low * 2.0) == pytest.approx(0.025)
    assert poisson.cdf(5, high * 2.0) == pytest.approx(0.025)
    assert poisson_interval(0, 1.0, 0.95) == (0.0, pytest.approx(-np.log(0.025)))
    assert np.isnan(poisson_interval(0, 0.0, 0.95)).all()


def test_what_persistence_leaves_of_an_alarm_is_no_false_alarm_and_finds_no_other_episode():
    # One of the last three: the first episode's alarm lasts to window 4, which is all of the
    # second. What that would have left would last to window 6.
    truth = episodes((2.0, 2.1, 3), (4.1, 4.2, 3))
    table = windows([0, 0, 1, 0, 1, 0, 0, 0, 0, 0], [-5.0, -5.0, 5.0] + [-5.0] * 7)
    card, found = cards(table, truth, (1, 3))
    assert found["found"].tolist() == [True, False]
    assert (card["false_alarms"], card["episode_recall_at_1_per_hour"]) == (0, 0.5)
    assert card["benign_hours"] == pytest.approx(5 * 0.9 / 3600)  # windows 0, 1 and 7 to 9
    late = table.assign(score=[-5.0] * 8 + [5.0, -5.0])
    assert cards(late, truth, (1, 3))[0]["false_alarms"] == 1


def test_more_windows_than_there_are_cannot_alarm():
    assert (persistent_level(np.ones(3), 10**18, 10**18) == -np.inf).all()
    assert (persistent_level(np.ones(3), 3, 10**18) == [-np.inf, -np.inf, 1.0]).all()
