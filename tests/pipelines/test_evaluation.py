"""What the nodes of `evaluation` hand to the pictures."""

import numpy as np
import pandas as pd
import pytest

from kdgat.parameters import check_parameters
from kdgat.pipelines.evaluation.nodes import draw_scores
from kdgat.sweep.work import configuration

MODELS = ("teacher_classifier", "student_classifier", "student_fusion")
POINTS = {"zero_shot": {"value": 2.0}, "calibrated": {"value": 0.0}}


def windows_of(model: str, capture: str, point: str) -> pd.DataFrame:
    """Four windows, two of them attacks; that of score 1 alarms at the calibrated point alone."""
    number = np.arange(4)
    return pd.DataFrame(
        {
            "split": "test",
            "protocol": "calibrated",
            "operating_point": point,
            "scenario": "test_01",
            "capture": f"test_01/{capture}",
            "start": number * 100,
            "start_time": 1.0 * number,
            "end_time": number + 0.9,
            "label": [0, 0, 1, 1],
            "model": model,
            "score": [-1.0, 1.0, 1.0, 3.0],
        }
    )


NO_EPISODES = pd.DataFrame(columns=["capture", "start", "end", "attack_frames"])


def f1_of(first: float, second: float) -> pd.DataFrame:
    """Captures as in the capture scorecard; the other protocol's figures are the other way."""
    captures = ["test_01/a_distrusted", "test_01/b_trusted"]
    rows = {"model": "student_fusion", "capture": captures}
    return pd.concat(
        [
            pd.DataFrame(rows | {"protocol": "zero_shot", "f1": [second, first]}),
            pd.DataFrame(rows | {"protocol": "calibrated", "f1": [first, second]}),
        ]
    )


def test_a_capture_whose_prefix_is_distrusted_is_drawn_at_the_zero_shot_point():
    scores = pd.concat(
        [
            windows_of(model, capture, point)
            for model in MODELS
            for capture, point in (("a_distrusted", "zero_shot"), ("b_trusted", "calibrated"))
        ],
        ignore_index=True,
    )
    parameters = check_parameters(configuration(None, {})["parameters"]).evaluation
    printed, explored, roc, both = draw_scores(
        scores, dict.fromkeys(MODELS, POINTS), f1_of(0.5, 0.9), NO_EPISODES, parameters
    )

    (axes,) = printed.axes
    assert [line.get_ydata()[0] for line in axes.lines if line.get_label() == "threshold"] == [2.0]
    told = [[verdict for verdict, _ in trace.customdata] for trace in explored.data]
    assert told == [
        ["quiet", "quiet", "missed attack", "alarm"],
        ["quiet", "false alarm", "alarm", "alarm"],
    ]
    # Of four benign windows one alarms, of four attack windows three.
    marked = [line for line in roc.axes[0].lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marked] == [(0.25, 0.75)] * 3
    drawn = np.concatenate([points.get_offsets() for points in both.axes[0].collections])
    assert sorted(drawn[:, 0]) == [-3.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("scorecard", "capture"),
    [
        (f1_of(0.9, 0.5), "b_trusted"),
        (f1_of(np.nan, 0.5), "b_trusted"),
        (f1_of(0.5, 0.9), "a_dist"),
    ],
)
def test_of_a_scenario_the_capture_with_the_lowest_f1_is_printed(scorecard, capture):
    scores = pd.concat(
        [
            windows_of(model, capture, "calibrated")
            for model in MODELS
            for capture in ("a_distrusted", "b_trusted")
        ],
        ignore_index=True,
    )
    parameters = check_parameters(configuration(None, {})["parameters"]).evaluation
    points = dict.fromkeys(MODELS, POINTS)
    (axes,) = draw_scores(scores, points, scorecard, NO_EPISODES, parameters)[0].axes
    assert axes.get_title(loc="left").startswith(f"test_01/{capture}")
