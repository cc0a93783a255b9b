"""Captures to the three splits: train, validation, test."""

import logging

import numpy as np
import pandas as pd
import torch

from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.graphs import EDGE_FEATURES, NODE_FEATURES, build_graphs
from kdgat.can.windows import TRAIN, VALIDATION, attack_counts, split_windows, window_starts
from kdgat.errors import DataError

LOGGER = logging.getLogger(__name__)


def build_splits(
    captures: dict[str, pd.DataFrame], *, window: int, stride: int, validation_share: float
) -> dict[str, GraphStore]:
    """Turn captures into graphs and put each window into one split, or into none.

    Captures of `test_*` scenarios are test; of each capture of a `train_*` scenario one
    contiguous block of windows is validation, with a gap on either side.

    Args:
        captures: `<scenario>/<capture>` -> frame table.
        window: frames in a window.
        stride: frames from one window's start to the next.
        validation_share: share of a training capture's windows to hold out.

    Returns:
        `train`, `validation` and `test`.

    Raises:
        DataError: A capture is shorter than one window, or training or validation lacks a class.
    """
    parts: dict[str, list[GraphStore]] = {"train": [], "validation": [], "test": []}
    for name, frames in captures.items():
        store = capture_graphs(name, frames, window=window, stride=stride)
        if name.startswith("test_"):
            parts["test"].append(store)
            continue
        part = split_windows(
            store.y.numpy(),
            window=window,
            stride=stride,
            validation_share=validation_share,
            capture=name,
        )
        parts["train"].append(store.subset(np.flatnonzero(part == TRAIN)))
        parts["validation"].append(store.subset(np.flatnonzero(part == VALIDATION)))
    splits = {split: concatenate(stores) for split, stores in parts.items()}
    for split in ("train", "validation"):
        _check_classes(split, splits[split])
    for split, store in splits.items():
        LOGGER.info("%s: %d windows, %d of them attacks", split, len(store), int(store.y.sum()))
    return splits


def capture_graphs(name: str, frames: pd.DataFrame, *, window: int, stride: int) -> GraphStore:
    """Turn one capture into graphs.

    Args:
        name: `<scenario>/<capture>`.
        frames: its frame table.
        window: frames in a window.
        stride: frames from one window's start to the next.

    Raises:
        DataError: The capture is shorter than one window.
    """
    starts = window_starts(len(frames), window, stride)
    if len(starts) == 0:
        raise DataError(
            f"capture {name} has {len(frames)} frames: a window needs {window} "
            "(data_processing.window)"
        )
    graphs = build_graphs(frames, starts, window)
    counts = attack_counts(frames["attack"].to_numpy(), starts, window)
    timestamp = frames["timestamp"].to_numpy()
    return GraphStore(
        x=torch.from_numpy(graphs.x),
        arbitration_id=torch.from_numpy(graphs.arbitration_id),
        edge_index=torch.from_numpy(graphs.edge_index),
        edge_attr=torch.from_numpy(graphs.edge_attr),
        y=torch.from_numpy((counts > 0).astype(np.uint8)),
        attack_frames=torch.from_numpy(counts),
        capture=torch.zeros(len(starts), dtype=torch.int32),
        start=torch.from_numpy(starts),
        start_time=torch.from_numpy(timestamp[starts]),
        end_time=torch.from_numpy(timestamp[starts + window - 1]),
        node_offsets=torch.from_numpy(graphs.node_offsets),
        edge_offsets=torch.from_numpy(graphs.edge_offsets),
        captures=(name,),
        node_features=NODE_FEATURES,
        edge_features=EDGE_FEATURES,
        window=window,
        stride=stride,
    )


def _check_classes(split: str, store: GraphStore) -> None:
    attacks = int(store.y.sum())
    if attacks in (0, len(store)):
        captures = ", ".join(store.captures)
        raise DataError(
            f"the {split} part has {len(store)} windows, {attacks} of them attacks, from "
            f"{captures}: it needs attack and benign windows"
        )


def summarise(captures: dict[str, pd.DataFrame], repeated: dict[str, str]) -> pd.DataFrame:
    """Describe captures, one row each.

    Args:
        captures: `<scenario>/<capture>` -> frame table.
        repeated: capture dropped -> the capture that it repeats.

    Returns:
        Columns capture, frames, seconds, arbitration_ids, attack_frames, repeats.
    """
    rows = [
        {
            "capture": name,
            "frames": len(frames),
            "seconds": frames["timestamp"].max() - frames["timestamp"].min(),
            "arbitration_ids": frames["arbitration_id"].nunique(),
            "attack_frames": int(frames["attack"].sum()),
            "repeats": repeated.get(name, ""),
        }
        for name, frames in captures.items()
    ]
    return pd.DataFrame(rows)
