"""Features are scaled by what benign rows alone look like."""

import dataclasses
from functools import partialmethod

import numpy as np
import pytest
import torch

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling, feature_scaling
from kdgat.can.splits import capture_graphs
from kdgat.errors import DataError


def attacked_store(seed: int) -> GraphStore:
    """Build 12 graphs; 4 of them are attacks."""
    generator = np.random.default_rng(seed)
    frames = frame_table(
        timestamp=np.cumsum(generator.exponential(1e-3, 120)),
        arbitration_id=generator.integers(0, 5, 120),
        dlc=np.zeros(120, np.uint8),
        payload=np.full((120, 8), ABSENT, np.int16),
        attack=np.arange(120) % 30 == 4,
    )
    return capture_graphs("train_01/a", frames, window=10, stride=10)


def test_scaling_sees_benign_graphs_alone():
    store = attacked_store(5)
    benign = np.flatnonzero(store.y.numpy() == 0)
    rows = torch.cat([store[i].x for i in benign]).double()
    edges = torch.cat([store[i].edge_attr for i in benign]).double()
    measured = feature_scaling(store)
    np.testing.assert_allclose(measured.node_mean, rows.mean(0), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        measured.node_std, np.where(rows.std(0) > 0, rows.std(0, unbiased=False), 1.0), rtol=1e-12
    )
    np.testing.assert_allclose(measured.edge_mean, edges.mean(0), rtol=1e-12, atol=1e-15)
    attacks = torch.repeat_interleave(store.y == 1, store.node_offsets.diff())
    changed = torch.where(attacks[:, None], 1e9, store.x)
    assert feature_scaling(dataclasses.replace(store, x=changed)) == measured
    assert tuple(measured.node_features) == store.node_features


def test_scaling_looks_at_a_part_of_the_rows_at_a_time(monkeypatch):
    whole = feature_scaling(attacked_store(5))
    monkeypatch.setattr(GraphStore, "parts", partialmethod(GraphStore.parts, 5))
    pieces = feature_scaling(attacked_store(5))
    np.testing.assert_allclose(pieces.node_std, whole.node_std, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(pieces.edge_mean, whole.edge_mean, rtol=1e-12, atol=1e-15)


def test_a_constant_feature_is_divided_by_one():
    store = attacked_store(5)
    store.x[:, 1] = 7.0
    measured = feature_scaling(store)
    assert measured.node_std[1] == 1.0
    assert measured.node_mean[1] == 7.0


def test_scaling_needs_a_benign_graph():
    store = attacked_store(5)
    attacks = store.subset(torch.nonzero(store.y == 1).flatten())
    with pytest.raises(DataError, match="none of them benign"):
        feature_scaling(attacks)


def test_scaling_goes_through_json():
    measured = feature_scaling(attacked_store(6))
    assert FeatureScaling.from_dict(measured.to_dict()) == measured
