"""What the nodes of `pictures` draw of windows that no label describes."""

import numpy as np
import pandas as pd
import pytest
import torch

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.splits import capture_graphs
from kdgat.models.artifact import build_module, pack
from kdgat.parameters import check_parameters
from kdgat.pipelines.pictures.nodes import (
    draw_alarms,
    draw_confusion,
    draw_latent_space,
    draw_window_graphs,
)
from kdgat.sweep.work import configuration
from kdgat.training.feature_check import features_of

COMPUTE = check_parameters(configuration(None, {})["parameters"]).compute
NETWORK = {"id_rows": 8, "id_dim": 2, "hidden": 2, "heads": 1, "layers": 1, "dropout": 0.0}

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


@pytest.fixture(scope="module")
def five_graphs():
    """The same five windows: two IDs by turns, 100 frames in .9 s and the next after .1 s."""
    number = np.arange(500)
    payload = np.full((500, 8), ABSENT)
    payload[:, 0] = number % 256
    frames = frame_table(
        timestamp=number // 100 + number % 100 * 0.9 / 99,
        arbitration_id=0x100 + number % 2,
        dlc=np.ones(500),
        payload=payload,
        attack=number >= 300,
    )
    return capture_graphs("test_05/silent", frames, window=100, stride=100)


def untrained(kind: str, store, **arguments: float):
    torch.manual_seed(0)
    features = {
        "node_features": len(store.node_features),
        "edge_features": len(store.edge_features),
    }
    arguments = features | NETWORK | arguments
    model = build_module(kind, arguments)
    return pack(kind=kind, arguments=arguments, model=model, metadata=features_of(store))


def test_a_silence_has_no_place_in_the_latent_space(five_graphs):
    autoencoder = untrained("vgae", five_graphs, latent=2, decoder=4)
    axes = draw_latent_space(five_graphs, autoencoder, SILENCE, COMPUTE).axes
    assert [each.get_title("left") for each in axes] == ["benign windows (2)", "attack windows (2)"]


def test_the_median_benign_window_is_none_of_a_silence(five_graphs):
    """Of -3, 1 and 2, the scores of the benign windows, 1 is that of the silence."""
    classifier = untrained("gat", five_graphs, readout=4, maximum_readout=True)
    scores = five_windows().assign(model="student_classifier", score=[-3.0, 1.0, 2.0, 4.0, 3.0])
    axes = draw_window_graphs(five_graphs, classifier, scores, SILENCE, COMPUTE).axes
    titles = [line for each in axes for line in each.get_title("left").splitlines()[:1]]
    assert titles == ["benign window, attack logit 2.0", "attack window, attack logit 4.0"]


def test_where_no_window_has_a_label_the_pictures_say_so(five_graphs):
    silence = SILENCE.assign(start=0.0, end=5.0)
    windows = five_windows().assign(label=0)
    summary = pd.DataFrame({"capture": ["test_05/silent"], "attack_type": ["suppress"]})
    autoencoder = untrained("vgae", five_graphs, latent=2, decoder=4)
    of_classifier = windows.assign(model="student_classifier")
    pictures = [
        *draw_alarms(windows, POINTS, silence),
        draw_confusion(windows, POINTS, silence, summary),
        draw_latent_space(five_graphs, autoencoder, silence, COMPUTE),
        draw_window_graphs(five_graphs, None, of_classifier, silence, COMPUTE),
    ]
    for picture in pictures:
        assert "there is nothing to draw" in picture.texts[0].get_text()
