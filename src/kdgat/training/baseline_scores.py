"""What detectors without a graph network see of the same windows, and their scores."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from kdgat.baselines import (
    EvenEntropy,
    call_everything_attack,
    fit_bag_of_ids_forest,
    fit_feature_detectors,
)
from kdgat.can.graph_store import GraphStore
from kdgat.training.window_scores import Part, window_table

FIXED_POINTS = {
    "call everything attack": 1.0,
    "two-line rule 1 frame": 1.0,
    "two-line rule 4 frames": 4.0,
}
"""Baselines whose operating point is part of the rule."""


def baseline_scores(
    train: GraphStore, parts: Sequence[Part], *, trees: int, seed: int
) -> pd.DataFrame:
    """Score every window with every baseline.

    Args:
        train: the windows that ours are trained on, recorded and injected.
        parts: windows to score.
        trees: of each forest.
        seed: of the forests.

    Returns:
        One row per window and model: `window_table`, model, score.
    """
    y = train.y.numpy()
    forest = fit_bag_of_ids_forest(*_bags(train), y, trees=trees, seed=seed)
    trained = fit_feature_detectors(window_features(train), y, trees=trees, seed=seed)
    even = EvenEntropy.of(id_entropy(train)[y == 0])
    scores = []
    for part in parts:
        windows, store = window_table(part), part.store
        columns = {
            "call everything attack": call_everything_attack(len(store)),
            "two-line rule 1 frame": suspicious_frames(store),
            "two-line rule 4 frames": suspicious_frames(store),
            "bag-of-IDs forest": forest.score(*_bags(store)),
            **trained.score(window_features(store)),
            "frequency": frequency_score(store),
            "entropy": even.score(id_entropy(store)),
        }
        scores += [windows.assign(model=name, score=score) for name, score in columns.items()]
    return pd.concat(scores, ignore_index=True)


def window_features(store: GraphStore) -> np.ndarray:
    """Pool the node features, none of which names an ID: float32 `[num_graphs, 3 * features]`.

    Mean, smallest and largest value over a window's nodes.
    """
    pools = [_pool(store, store.x, kind) for kind in ("mean", "amin", "amax")]
    return torch.cat(pools, dim=1).numpy()


def suspicious_frames(store: GraphStore) -> np.ndarray:
    """Count frames with an ID unknown to the profile, or in under half of its mean gap.

    The published two-line rule, float64 `[num_graphs]`; 0 without a profile.
    """
    column = store.node_features.index("suspicious_frames")
    return np.rint(np.expm1(store.x[store.node_offsets[:-1], column].double().numpy()))


def frequency_score(store: GraphStore) -> np.ndarray:
    """Give the largest factor, as logarithm, by which an ID is more or less frequent than usual.

    Measured against the profile, float64 `[num_graphs]`; 0 without one.
    """
    column = store.node_features.index("profile_share")
    return _pool(store, store.x[:, [column]].abs(), "amax")[:, 0].double().numpy()


def id_entropy(store: GraphStore) -> np.ndarray:
    """Give the entropy in nat of the IDs of each window's transitions, float64 `[num_graphs]`."""
    _, share, _ = _bags(store)
    part = torch.from_numpy(share).double()
    surprise = -part * part.clamp_min(1e-12).log()
    return _pool(store, surprise.unsqueeze(1), "sum")[:, 0].numpy()


def _pool(store: GraphStore, rows: Tensor, kind: str) -> Tensor:
    graph = torch.arange(len(store)).repeat_interleave(store.node_offsets.diff())
    pooled = torch.zeros(len(store), rows.shape[1], dtype=rows.dtype)
    index = graph.unsqueeze(1).expand_as(rows)
    return pooled.scatter_reduce(0, index, rows, reduce=kind, include_self=False)


def _bags(store: GraphStore) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give IDs, their share of each window's transitions (as source), and the windows' bounds."""
    first_node = store.node_offsets[:-1].repeat_interleave(store.edge_offsets.diff())
    share = torch.zeros(len(store.arbitration_id)).index_add_(
        0,
        store.edge_index[0] + first_node,
        store.edge_attr[:, store.edge_features.index("edge_share")],
    )
    return store.arbitration_id.numpy(), share.numpy(), store.node_offsets.numpy()
