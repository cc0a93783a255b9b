"""What the nodes of `pictures` draw of windows that no label describes."""

import numpy as np
import pandas as pd
import pytest

from kdgat.pipelines.pictures.nodes import draw_alarms, draw_confusion

POINTS = {"student_fusion": {"zero_shot": {"value": 2.0}, "calibrated": {"value": 0.0}}}

SILENCE = pd.DataFrame(
    {"capture": ["test_05/silent"], "start": [1.2], "end": [1.3], "attack_frames": [0]}
)


def five_windows() -> pd.DataFrame:
    """A capture's windows of a second each; an ID is silent in the second one, which alarms."""
    number = np.arange(5)
    return pd.DataFrame(
        {
            "split": "test",
            "protocol": "calibrated",
            "operating_point": "calibrated",
            "scenario": "test_05",
            "capture": "test_05/silent",
            "start": number * 100,
            "start_time": 1.0 * number,
            "end_time": number + 0.9,
            "label": [0, 0, 0, 1, 1],
            "model": "student_fusion",
            "score": [-1.0, 1.0, -1.0, 1.0, 3.0],
        }
    )


def test_an_alarm_in_a_silence_is_no_false_alarm_of_the_pictures():
    precision, alarms = draw_alarms(five_windows(), POINTS, SILENCE)
    # No false alarm in 1.8 s of benign time is drawn as half of one: 0.5 / (1.8 / 3600) an hour.
    for picture, wanted in ((precision, (1.0, 1.0)), (alarms, (1000.0, 1.0))):
        (marked,) = [line for line in picture.axes[0].lines if line.get_marker() == "o"]
        assert (marked.get_xdata()[0], marked.get_ydata()[0]) == pytest.approx(wanted)


def test_a_silence_is_no_benign_window_of_the_confusion():
    summary = pd.DataFrame({"capture": ["test_05/silent"], "attack_type": ["suppress"]})
    axes = draw_confusion(five_windows(), POINTS, SILENCE, summary).axes[0]
    assert [text.get_text() for text in axes.texts] == ["1.000", ".000"]
