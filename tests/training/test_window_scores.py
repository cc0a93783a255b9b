"""Tables of scores: which window, which model, which score."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graph_store import GraphStore
from kdgat.can.splits import capture_graphs
from kdgat.training.baseline_scores import _bags, baseline_scores, fit_baselines
from kdgat.training.window_scores import Part, long_scores, window_table


def capture(ids: list[int], attack: list[int], name: str):
    count = len(ids)
    frames = frame_table(
        timestamp=np.arange(count) / 100,
        arbitration_id=np.array(ids),
        dlc=np.zeros(count, dtype=np.uint8),
        payload=np.full((count, 8), ABSENT, dtype=np.int16),
        attack=np.array(attack),
    )
    return capture_graphs(name, frames, window=4, stride=4)


@pytest.fixture
def store():
    """Two windows of four frames: IDs 1 2 1 2, then 1 1 1 9 with an attack."""
    return capture([1, 2, 1, 2, 1, 1, 1, 9], [0, 0, 0, 0, 0, 0, 0, 1], "test_01/drive")


def test_window_table_by_hand(store):
    table = window_table(Part(store, "test"))
    assert table.to_dict("list") == {
        "split": ["test", "test"],
        "protocol": ["zero_shot", "zero_shot"],
        "operating_point": ["zero_shot", "zero_shot"],
        "scenario": ["test_01", "test_01"],
        "capture": ["test_01/drive", "test_01/drive"],
        "start": [0, 4],
        "start_time": [0.0, 0.04],
        "end_time": [0.03, 0.07],
        "label": [0, 1],
    }


def test_bags_are_shares_of_the_transitions(store):
    ids, share, offsets = _bags(store)
    assert ids.tolist() == [1, 2, 1, 9]
    # 1>2, 2>1, 1>2 leave 1 twice and 2 once; 1>1, 1>1, 1>9 leave 1 three times.
    np.testing.assert_allclose(share, [2 / 3, 1 / 3, 1.0, 0.0], rtol=1e-6)
    assert offsets.tolist() == [0, 2, 4]


def test_long_scores_have_one_row_per_window_and_model(store):
    states = window_table(Part(store, "test")).assign(
        early=True,
        size="student",
        anomaly_score=[0.1, 0.2],
        attack_logit=[1.0, 2.0],
        fused_logit=[3.0, 4.0],
    )
    scores = long_scores(states)
    assert "early" not in scores
    assert scores.groupby("model")["score"].apply(list).to_dict() == {
        "student_autoencoder": [0.1, 0.2],
        "student_classifier": [1.0, 2.0],
        "student_fusion": [3.0, 4.0],
    }
    assert "anomaly_score" not in scores


def drawn_validation(store: GraphStore) -> Part:
    """The windows again, as of a pseudo-vehicle: IDs that no recording holds."""
    return Part(replace(store, arbitration_id=store.arbitration_id + 50), "validation")


def test_baselines_are_judged_on_the_same_windows(store):
    judges = fit_baselines(store, store, trees=20, seed=0)
    parts = [drawn_validation(store), Part(store, "test", "calibrated")]
    scores = baseline_scores(judges, parts, store)
    forest = scores[(scores["model"] == "bag-of-IDs forest") & (scores["split"] == "test")]
    assert forest["score"].iloc[1] > forest["score"].iloc[0]
    everything = scores[scores["model"] == "call everything attack"]
    assert everything["score"].tolist() == [1.0] * 4
    assert scores.groupby("model").size().eq(4).all()
    assert {"ID-free random forest", "LightGBM", "isolation forest", "frequency"} <= set(judges)


def test_the_two_line_rule_counts_what_the_store_says(store):
    counted = replace(store, rule_count=torch.tensor([5, 0], dtype=torch.int32))
    judges = fit_baselines(store, store, trees=20, seed=0)
    for name in ("two-line rule 1 frame", "two-line rule 4 frames"):
        assert judges[name](counted).tolist() == [5.0, 0.0]


def test_the_forest_of_ids_takes_its_operating_point_from_recorded_windows(store):
    judges = fit_baselines(store, store, trees=20, seed=0)
    scores = baseline_scores(judges, [drawn_validation(store)], store)
    forest = scores[scores["model"] == "bag-of-IDs forest"]["score"].tolist()
    assert forest == judges["bag-of-IDs forest"](store).tolist()
    assert forest != judges["bag-of-IDs forest"](drawn_validation(store).store).tolist()
