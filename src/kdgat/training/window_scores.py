"""One table with every model's score of every window, raw, so that anyone can re-threshold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kdgat.calibration import CALIBRATED, ZERO_SHOT
from kdgat.can.graph_store import GraphStore
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute
from kdgat.training.scoring import early_windows, fusion_table, score_agent

SCORE_COLUMNS = {
    "autoencoder": "anomaly_score",
    "classifier": "attack_logit",
    "fusion": "fused_logit",
}
"""Model of a size -> the column that is its score."""


@dataclass(frozen=True)
class Part:
    """Windows to score.

    Attributes:
        store: the windows.
        split: `validation` or `test`.
        protocol: one of `calibration.PROTOCOLS`, or None where each window's own profile, or
            lack of one, says it.
    """

    store: GraphStore
    split: str
    protocol: str | None = None


def window_table(part: Part) -> pd.DataFrame:
    """Say which windows a part holds.

    Returns:
        One row per window, in the store's order: split, protocol, operating_point (the protocol
        whose operating point judges it: zero_shot without a profile, also where a calibrated
        capture's prefix was not taken for benign), scenario, capture, start (frames), start_time
        and end_time (s), label (0 or 1).
    """
    store = part.store
    captures = np.asarray(store.captures)[store.capture.numpy()]
    informed = store.x[store.node_offsets[:-1], store.node_features.index("has_profile")] > 0
    point = np.where(informed.numpy(), CALIBRATED, ZERO_SHOT)
    return pd.DataFrame(
        {
            "split": part.split,
            "protocol": point if part.protocol is None else part.protocol,
            "operating_point": point,
            "scenario": [name.split("/")[0] for name in captures],
            "capture": captures,
            "start": store.start.numpy(),
            "start_time": store.start_time.numpy(),
            "end_time": store.end_time.numpy(),
            "label": store.y.numpy().astype(np.int64),
        }
    )


def fusion_states(
    part: Part,
    size: str,
    *,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    agent: ModelArtifact,
    compute: Compute,
) -> pd.DataFrame:
    """Score every window with both detectors of a size and the agent that weighs them.

    Args:
        part: windows.
        size: teacher or student.
        autoencoder: the VGAE of that size.
        classifier: the GAT of that size.
        agent: the Q-network trained on these two.
        compute: device, threads, batch size.

    Returns:
        One row per window: `window_table`, early (in the earlier half of its capture), size, the
        15 fusion features, anomaly_logit, fusion_weight and fused_logit.
    """
    features = fusion_table(autoencoder, classifier, part.store, compute=compute)
    verdicts = score_agent(agent, features, compute=compute)
    windows = window_table(part).assign(early=early_windows(part.store), size=size)
    return pd.concat([windows, features, verdicts], axis=1)


def long_scores(states: pd.DataFrame) -> pd.DataFrame:
    """Turn fusion states into one row per window and model: `window_table`, model, score."""
    windows = list(states.columns[: states.columns.get_loc("early")])
    scores = [
        states[windows].assign(model=states["size"] + f"_{model}", score=states[column])
        for model, column in SCORE_COLUMNS.items()
    ]
    return pd.concat(scores, ignore_index=True)


def states_of(states: pd.DataFrame, part: Part, size: str) -> pd.DataFrame:
    """Take the fusion states of a test part and size, in the order of its store.

    Args:
        states: `fusion_states` of several parts and sizes, one after another.
        part: test windows under one protocol.
        size: teacher or student.
    """
    of_part = (states["split"] == part.split) & (states["protocol"] == part.protocol)
    return states[of_part & (states["size"] == size)].reset_index(drop=True)
