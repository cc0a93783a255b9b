"""One table with every model's score of every window, raw, so that anyone can re-threshold."""

import numpy as np
import pandas as pd
import torch

from kdgat.baselines import call_everything_attack, fit_bag_of_ids_forest
from kdgat.can.graph_store import GraphStore
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute
from kdgat.training.scoring import fusion_table, score_agent

SCORE_COLUMNS = {
    "autoencoder": "anomaly_score",
    "classifier": "attack_logit",
    "fusion": "fused_logit",
}
"""Model of a size -> the column that is its score."""


def window_table(store: GraphStore, split: str) -> pd.DataFrame:
    """Say which windows a store holds.

    Args:
        store: windows of one split.
        split: its name.

    Returns:
        One row per window, in the store's order: split, scenario, capture, start (frames),
        start_time and end_time (s), label (0 or 1).
    """
    captures = np.asarray(store.captures)[store.capture.numpy()]
    return pd.DataFrame(
        {
            "split": split,
            "scenario": [name.split("/")[0] for name in captures],
            "capture": captures,
            "start": store.start.numpy(),
            "start_time": store.start_time.numpy(),
            "end_time": store.end_time.numpy(),
            "label": store.y.numpy().astype(np.int64),
        }
    )


def fusion_states(
    store: GraphStore,
    split: str,
    size: str,
    *,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    agent: ModelArtifact,
    compute: Compute,
) -> pd.DataFrame:
    """Score every window with both detectors of a size and the agent that weighs them.

    Args:
        store: windows of one split.
        split: its name.
        size: teacher or student.
        autoencoder: the VGAE of that size.
        classifier: the GAT of that size.
        agent: the Q-network trained on these two.
        compute: device, threads, batch size.

    Returns:
        One row per window: `window_table`, size, the 15 fusion features, anomaly_logit,
        fusion_weight and fused_logit.
    """
    features = fusion_table(autoencoder, classifier, store, compute=compute)
    verdicts = score_agent(agent, features, compute=compute)
    windows = window_table(store, split).assign(size=size)
    return pd.concat([windows, features, verdicts], axis=1)


def long_scores(states: pd.DataFrame) -> pd.DataFrame:
    """Turn fusion states into one row per window and model: `window_table`, model, score."""
    windows = list(states.columns[: states.columns.get_loc("size")])
    parts = [
        states[windows].assign(model=states["size"] + f"_{model}", score=states[column])
        for model, column in SCORE_COLUMNS.items()
    ]
    return pd.concat(parts, ignore_index=True)


def baseline_scores(
    train: GraphStore, stores: dict[str, GraphStore], *, trees: int, seed: int
) -> pd.DataFrame:
    """Score every window with the baselines: call everything an attack, bag-of-IDs forest.

    Args:
        train: the training windows, to fit the forest.
        stores: split -> windows to score.
        trees: of the forest.
        seed: of the forest.

    Returns:
        One row per window and model: `window_table`, model, score.
    """
    forest = fit_bag_of_ids_forest(*_bags(train), train.y.numpy(), trees=trees, seed=seed)
    parts = []
    for split, store in stores.items():
        windows = window_table(store, split)
        everything = call_everything_attack(len(store))
        parts.append(windows.assign(model="call everything attack", score=everything))
        parts.append(windows.assign(model="bag-of-IDs forest", score=forest.score(*_bags(store))))
    return pd.concat(parts, ignore_index=True)


def _bags(store: GraphStore) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give IDs, their share of each window's transitions (as source), and the windows' bounds."""
    first_node = store.node_offsets[:-1].repeat_interleave(store.edge_offsets.diff())
    share = torch.zeros(len(store.arbitration_id)).index_add_(
        0,
        store.edge_index[0] + first_node,
        store.edge_attr[:, store.edge_features.index("edge_share")],
    )
    return store.arbitration_id.numpy(), share.numpy(), store.node_offsets.numpy()
