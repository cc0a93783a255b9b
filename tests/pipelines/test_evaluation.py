"""What the nodes of `evaluation` hand to the pictures."""

import numpy as np
import pandas as pd
import pytest

from kdgat.parameters import check_parameters
from kdgat.pipelines.evaluation.nodes import draw_fusion_weights, draw_scores
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
    of_both = [
        windows_of(model, capture, point)
        for model in MODELS
        for capture, point in (("a_distrusted", "zero_shot"), ("b_trusted", "calibrated"))
    ]
    # Zero-shot, where nothing is left out, the captures begin five seconds earlier.
    earlier = [x.assign(protocol="zero_shot", start_time=x["start_time"] - 5.0) for x in of_both]
    scores = pd.concat([*of_both, *earlier], ignore_index=True)
    parameters = check_parameters(configuration(None, {})["parameters"]).evaluation
    printed, explored, roc, both = draw_scores(
        scores, dict.fromkeys(MODELS, POINTS), f1_of(0.5, 0.9), NO_EPISODES, parameters
    )

    (axes,) = printed.axes
    assert [line.get_ydata()[0] for line in axes.lines if line.get_label() == "threshold"] == [2.0]
    assert axes.get_xlim() == pytest.approx((0.0, 8.9))
    assert list(explored.data[0].x) == [5.0, 6.0, 7.0, 8.0]
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


def test_windows_in_which_an_id_is_silent_are_neither_benign_nor_attack_in_the_pictures():
    own = [windows_of(model, "silent", "calibrated") for model in MODELS]
    later = [windows[:1].assign(start=400, start_time=4.0, end_time=4.9) for windows in own]
    scores = pd.concat([*own, *later], ignore_index=True)
    # The second window, benign and above the point, lies in the silence.
    silence = pd.DataFrame(
        {"capture": ["test_01/silent"], "start": [1.2], "end": [1.3], "attack_frames": [0]}
    )
    scorecard = f1_of(0.5, 0.9).assign(capture="test_01/silent").iloc[[0]]
    parameters = check_parameters(configuration(None, {})["parameters"]).evaluation
    points = dict.fromkeys(MODELS, POINTS)
    _, _, roc, both = draw_scores(scores, points, scorecard, silence, parameters)
    # Of two benign windows none alarms, drawn as half of one; of two attack windows both do.
    marked = [line for line in roc.axes[0].lines if line.get_marker() == "o"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marked] == [(0.25, 1.0)] * 3
    drawn = np.concatenate([points.get_offsets() for points in both.axes[0].collections])
    assert sorted(drawn[:, 0]) == [-1.0, -1.0, 1.0, 3.0]

    states = windows_of("student_fusion", "silent", "calibrated").assign(
        size="student", anomaly_score=0.0, attack_logit=0.0, fusion_weight=0.5
    )
    benign, attack = draw_fusion_weights(states, silence).axes[:2]
    assert [len(axes.collections[0].get_offsets()) for axes in (benign, attack)] == [1, 2]
