"""Which arbitration IDs of a window the models blame: docs/models.md, "Which IDs"."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from kdgat.can.graph_store import GraphStore
from kdgat.metrics.offenders import NAMED_COLUMNS
from kdgat.models.artifact import ModelArtifact, build
from kdgat.parameters import Compute
from kdgat.training.feature_check import require_same_features
from kdgat.training.scoring import over_batches
from kdgat.training.window_scores import Part, window_table

NAMED = len(NAMED_COLUMNS)
"""IDs named per window, at most."""

MOST_WINDOWS = 64
"""Windows in a batch, at most: the classifier's read-out is asked once per node."""


def node_suspicion(
    model: ModelArtifact, store: GraphStore, *, compute: Compute
) -> NDArray[np.float64]:
    """Say how suspicious each node of each window is to one detector.

    Args:
        model: a VGAE, for which it is the node's reconstruction error, or a GAT, for which it is
            the node's contribution to the attack logit.
        store: windows.
        compute: device, threads, batch size.

    Returns:
        float64 `[num_nodes]`; it orders the nodes of one window, higher = more suspicious.
    """
    require_same_features(model, store)
    network = build(model)

    def of_batch(inputs: dict) -> Tensor:
        if model.kind == "vgae":
            return network(**inputs).node_error.unsqueeze(1)
        return network.node_contributions(**inputs).unsqueeze(1)

    size = min(MOST_WINDOWS, compute.score_batch_size)
    few = compute.model_copy(update={"score_batch_size": size})
    return over_batches(of_batch, network, store, few, 1)[:, 0].double().numpy()


def fused_suspicion(
    autoencoder: NDArray[np.float64],
    classifier: NDArray[np.float64],
    fusion_weight: NDArray[np.float64],
    store: GraphStore,
) -> NDArray[np.float64]:
    """Join what two detectors suspect: their ranks in the window, weighted as their logits are.

    Args:
        autoencoder: what it suspects, float64 `[num_nodes]`.
        classifier: what it suspects, float64 `[num_nodes]`.
        fusion_weight: of the classifier, float64 `[num_graphs]`, 0 to 1.
        store: the windows.

    Returns:
        float64 `[num_nodes]`, 0 to 1.
    """
    weight = np.repeat(fusion_weight, store.node_offsets.diff().numpy())
    return (1.0 - weight) * ranks(autoencoder, store) + weight * ranks(classifier, store)


def ranks(suspicion: NDArray[np.float64], store: GraphStore) -> NDArray[np.float64]:
    """Rank the nodes of each window: 0 for the least suspicious, towards 1 for the most."""
    size = store.node_offsets.diff().numpy()
    graph = np.repeat(np.arange(len(store)), size)
    rank = np.empty(len(suspicion))
    rank[np.lexsort((suspicion, graph))] = (
        np.arange(len(suspicion)) - store.node_offsets[:-1].numpy()[graph]
    )
    return rank / size[graph]


def name_ids(suspicion: NDArray[np.float64], store: GraphStore) -> NDArray[np.int64]:
    """Name the most suspicious IDs of each window, the most suspicious first.

    Returns:
        int64 `[num_graphs, NAMED]`, -1 where a window has fewer IDs.
    """
    offsets = store.node_offsets.numpy()
    graph = np.repeat(np.arange(len(store)), np.diff(offsets))
    order = np.lexsort((-suspicion, graph))
    place = offsets[:-1, None] + np.arange(NAMED)
    is_there = place < offsets[1:, None]
    ids = store.arbitration_id.numpy()[order[np.where(is_there, place, offsets[:-1, None])]]
    return np.where(is_there, ids, -1)


def ids_as_text(named: NDArray[np.int64]) -> list[str]:
    """Write the IDs named in each window `[num_windows, NAMED]`: `0x2c0 0x130 0x316`."""
    return [" ".join(f"0x{one:x}" for one in row if one >= 0) for row in named.tolist()]


def suspects(
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    fusion_weight: NDArray[np.float64],
    store: GraphStore,
    *,
    compute: Compute,
) -> dict[str, NDArray[np.int64]]:
    """Name IDs with both detectors and with their fusion.

    Args:
        autoencoder: a trained VGAE.
        classifier: a trained GAT.
        fusion_weight: of each window, float64 `[num_graphs]`.
        store: the windows.
        compute: device, threads, batch size.

    Returns:
        `autoencoder`, `classifier`, `fusion` -> int64 `[num_graphs, NAMED]`.
    """
    anomaly = node_suspicion(autoencoder, store, compute=compute)
    attack = node_suspicion(classifier, store, compute=compute)
    fused = fused_suspicion(anomaly, attack, fusion_weight, store)
    suspicion = {"autoencoder": anomaly, "classifier": attack, "fusion": fused}
    return {kind: name_ids(values, store) for kind, values in suspicion.items()}


def named_in_attacks(
    part: Part,
    size: str,
    states: pd.DataFrame,
    *,
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    compute: Compute,
) -> pd.DataFrame:
    """Name IDs in every attack window of a part.

    Args:
        part: test windows under one protocol.
        size: teacher or student.
        states: `window_scores.fusion_states` of the part and size, for the fusion weights.
        autoencoder: the VGAE of that size.
        classifier: the GAT of that size.
        compute: device, threads, batch size.

    Returns:
        One row per attack window and model: protocol, capture, start, model, ids (in the window),
        and named_1 to named_3, -1 where there is none.
    """
    rows = np.flatnonzero(part.store.y.numpy())
    attacks = replace(part, store=part.store.subset(rows))
    windows = window_table(attacks)[["protocol", "scenario", "capture", "start"]]
    windows = windows.assign(ids=attacks.store.node_offsets.diff().numpy())
    if len(rows) == 0:
        return windows.assign(model=f"{size}_fusion", **dict.fromkeys(NAMED_COLUMNS, -1))
    named = suspects(
        autoencoder,
        classifier,
        states["fusion_weight"].to_numpy()[rows],
        attacks.store,
        compute=compute,
    )
    return pd.concat(
        [
            windows.assign(model=f"{size}_{kind}", **dict(zip(NAMED_COLUMNS, ids.T, strict=True)))
            for kind, ids in named.items()
        ],
        ignore_index=True,
    )
