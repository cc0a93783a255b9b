"""Computation times: what is added up, and that work shows."""

import numpy as np

from kdgat.training.computation import TIMED, graph_seconds, judge_seconds, median_seconds


def work(number: int) -> float:
    return sum(np.sqrt(value) for value in range(number))


def test_the_median_call_counts_and_the_first_does_not():
    calls = []
    many = 200_000

    def call(number: int) -> None:
        calls.append(number)
        work(many if len(calls) in (1, 5) else 0)

    assert median_seconds(call) < 1e-3
    assert calls == [0, *range(TIMED)]
    assert median_seconds(lambda number: work(20_000)) > 1e-3


def test_a_judge_is_given_one_window_at_a_time_and_its_graph_counts(validation):
    seen = []
    table = judge_seconds({"fast": lambda store: seen.append(len(store))}, validation)
    assert seen == [1] * (TIMED + 1)
    assert table["model"].tolist() == ["fast"]
    # Another measurement of the same, on a machine that does other things, too.
    assert 0 < table["computation_seconds"].iloc[0] < 20 * graph_seconds(100)


def test_long_windows_are_timed_too():
    assert graph_seconds(3000) > 0
