"""What detectors without a graph network see of the same windows, and their scores."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from kdgat.baselines import (
    EvenEntropy,
    FeatureScore,
    call_everything_attack,
    fit_bag_of_ids_forest,
    fit_isolation_forest,
    fit_lightgbm,
    fit_random_forest,
)
from kdgat.can.graph_store import GraphStore
from kdgat.training.window_scores import Part, window_table

FIXED_POINTS = {
    "call everything attack": 1.0,
    "two-line rule 1 frame": 1.0,
    "two-line rule 4 frames": 4.0,
}
"""Baselines whose operating point is part of the rule."""


ON_RECORDED = "bag-of-IDs forest"
"""The baseline that is fitted on recorded windows, and takes its operating point from them."""

Judge = Callable[[GraphStore], np.ndarray]
"""Windows -> their scores, float64 `[num_graphs]`."""


def fit_baselines(
    recorded: GraphStore, drawn: GraphStore, *, trees: int, seed: int
) -> dict[str, Judge]:
    """Fit every baseline.

    Args:
        recorded: recorded training windows, without a profile.
        drawn: the windows that ours are trained on, recorded and injected.
        trees: of each forest, and of boosting.
        seed: of each.

    Returns:
        Name -> judge of windows.
    """
    forest = fit_bag_of_ids_forest(*_bags(recorded), recorded.y.numpy(), trees=trees, seed=seed)
    y, features = drawn.y.numpy().astype(np.int64), window_features(drawn)
    even = EvenEntropy.of(id_entropy(drawn)[y == 0])
    on_features = {
        name: fit(features, y, trees=trees, seed=seed)
        for name, fit in {
            "ID-free random forest": fit_random_forest,
            "LightGBM": fit_lightgbm,
            "isolation forest": fit_isolation_forest,
        }.items()
    }
    return {
        "call everything attack": lambda store: call_everything_attack(len(store)),
        "two-line rule 1 frame": rule_count,
        "two-line rule 4 frames": rule_count,
        ON_RECORDED: lambda store: forest.score(*_bags(store)),
        **{name: partial(_of_features, score) for name, score in on_features.items()},
        "frequency": frequency_score,
        "entropy": lambda store: even.score(id_entropy(store)),
    }


def baseline_scores(
    judges: Mapping[str, Judge], parts: Sequence[Part], recorded_validation: GraphStore
) -> pd.DataFrame:
    """Score every window with every baseline.

    Args:
        judges: of `fit_baselines`.
        parts: windows to score; those of split validation fit the operating points.
        recorded_validation: recorded windows, which stand in for them for ON_RECORDED.

    Returns:
        One row per window and model: `window_table`, model, score.
    """
    stand_in = Part(recorded_validation, "validation")
    scores = []
    for part in parts:
        for name, judge in judges.items():
            seen = stand_in if (name, part.split) == (ON_RECORDED, "validation") else part
            scores.append(window_table(seen).assign(model=name, score=judge(seen.store)))
    return pd.concat(scores, ignore_index=True)


def _of_features(score: FeatureScore, store: GraphStore) -> np.ndarray:
    return score(window_features(store))


def window_features(store: GraphStore) -> np.ndarray:
    """Pool the node features, none of which names an ID: float32 `[num_graphs, 3 * features]`.

    Mean, smallest and largest value over a window's nodes.
    """
    pools = [_pool(store, store.x, kind) for kind in ("mean", "amin", "amax")]
    return torch.cat(pools, dim=1).numpy()


def rule_count(store: GraphStore) -> np.ndarray:
    """Count frames with an ID unknown to the profile, or in under half of its mean gap.

    The published two-line rule, float64 `[num_graphs]`; 0 without a profile.
    """
    return store.rule_count.double().numpy()


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
