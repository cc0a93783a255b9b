"""What the report keeps of each capture, so that frames are held one capture at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from kdgat.can.fingerprints import (
    MICROSECONDS,
    ODD,
    TIMED,
    UNTIMED,
    Fingerprints,
    fingerprints,
    frame_hashes,
    mix,
)
from kdgat.can.frames import payload
from kdgat.can.graph_store import GraphStore, concatenate


class Build(Protocol):
    """Turns windows of a capture into graphs, as the pipeline does."""

    def __call__(self, name: str, frames: pd.DataFrame, *, starts: np.ndarray) -> GraphStore:
        """Build the graphs of the windows that begin at frames `starts`."""


BENIGN_WINDOWS = 400
"""Benign windows kept of each capture: enough to tell captures apart, and no capture outvotes."""

COIN_WINDOWS = 20_000
"""Windows of the shuffled-label control, at most: a forest on them takes about a second."""

GAP_QUANTILES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98)
ROUND_TICKS = (10, 100, 1000)


@dataclass(frozen=True, eq=False)
class Coins:
    """Graphs of a training capture whose labels were replaced by coins before they were built.

    Attributes:
        summary: float32 `[num_windows, num_summaries]`.
        y: label that the build gave, uint8 `[num_windows]`.
        is_train: bool `[num_windows]`; the others are validation.
    """

    summary: np.ndarray
    y: np.ndarray
    is_train: np.ndarray


@dataclass(frozen=True, eq=False)
class Benign:
    """What is kept of some benign windows of a capture.

    Attributes:
        summary: float32 `[num_windows, num_summaries]`.
        timing: float64 `[num_windows, num_timings]`.
        arbitration_id: int64 `[num_nodes]`, IDs of one window after another.
        node_offsets: int64 `[num_windows + 1]`, where each window's IDs begin.
    """

    summary: np.ndarray
    timing: np.ndarray
    arbitration_id: np.ndarray
    node_offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.summary)


@dataclass(frozen=True, eq=False)
class Trace:
    """What is kept of a capture.

    Attributes:
        name: `<scenario>/<capture>`.
        num_frames: frames in it.
        first_time: bus time of its first frame, s.
        has_attack: whether any frame is part of an attack.
        fingerprints: with and without times.
        benign: some of its benign windows.
        coins: of a training capture, else None.
    """

    name: str
    num_frames: int
    first_time: float
    has_attack: bool
    fingerprints: tuple[Fingerprints, Fingerprints]
    benign: Benign
    coins: Coins | None

    @property
    def is_training(self) -> bool:
        """Whether the capture lies in a training scenario."""
        return self.name.startswith("train_")


def trace_captures(
    captures: Iterable[tuple[str, pd.DataFrame]],
    stores: Mapping[str, GraphStore],
    build: Build,
    seed: int,
) -> dict[str, Trace]:
    """Pass once over the captures.

    Args:
        captures: name and frame table of each, one at a time.
        stores: `train`, `validation` and `test`, made from them.
        build: what made their graphs.
        seed: of the choice of windows.

    Returns:
        Capture name -> trace.
    """
    num_windows = len(stores["train"]) + len(stores["validation"])
    one_in = max(1, -(-num_windows // COIN_WINDOWS))
    return {name: _trace(name, frames, stores, build, one_in, seed) for name, frames in captures}


def both_fingerprints(frames: pd.DataFrame) -> tuple[Fingerprints, Fingerprints]:
    """Take a capture's fingerprints with and without times."""
    return fingerprints(frames, TIMED), fingerprints(frames, UNTIMED)


def _trace(name, frames, stores, build, one_in, seed) -> Trace:
    timestamp = frames["timestamp"].to_numpy()
    return Trace(
        name=name,
        num_frames=len(frames),
        first_time=float(timestamp[0]),
        has_attack=bool(frames["attack"].any()),
        fingerprints=both_fingerprints(frames),
        benign=_benign(_benign_windows(name, stores, seed), timestamp),
        coins=_coins(name, frames, stores, build, one_in) if name.startswith("train_") else None,
    )


def windows_of(name: str, store: GraphStore) -> np.ndarray:
    """Return which graphs of a store are of one capture: int64 `[num_chosen]`."""
    if name not in store.captures:
        return np.zeros(0, np.int64)
    return np.flatnonzero(store.capture.numpy() == store.captures.index(name))


def _benign_windows(name: str, stores: Mapping[str, GraphStore], seed: int) -> GraphStore:
    benign = []
    for store in stores.values():
        graphs = windows_of(name, store)
        benign.append(graphs[store.y.numpy()[graphs] == 0])
    of_store = np.repeat(np.arange(len(benign)), [len(graphs) for graphs in benign])
    order = np.random.default_rng(seed).permutation(len(of_store))
    chosen = np.sort(order[:BENIGN_WINDOWS])
    graph, of_store = np.concatenate(benign)[chosen], of_store[chosen]
    chosen_of = [graph[of_store == number] for number in range(len(stores))]
    return concatenate(
        [
            store.mapped_anew().subset(graphs)
            for store, graphs in zip(stores.values(), chosen_of, strict=True)
        ]
    )


def _benign(windows: GraphStore, timestamp: np.ndarray) -> Benign:
    return Benign(
        summary=window_summary(windows),
        timing=window_timing(timestamp, windows.start.numpy(), windows.window),
        arbitration_id=windows.arbitration_id.numpy(),
        node_offsets=windows.node_offsets.numpy(),
    )


def window_timing(timestamp: np.ndarray, starts: np.ndarray, window: int) -> np.ndarray:
    """Describe windows by the times between their frames alone; the hour does not enter.

    Args:
        timestamp: float64 `[num_frames]`, s.
        starts: int64 `[num_windows]`.
        window: frames in a window.

    Returns:
        float64 `[num_windows, 15]`: quantiles and spread of the gaps over their mean, the mean
        in microseconds, shares of round timestamps, of repeated and of backward ones.
    """
    ticks = np.rint(timestamp * MICROSECONDS).astype(np.int64)[starts[:, None] + np.arange(window)]
    gaps = np.diff(ticks, axis=1)
    mean = np.maximum(gaps.mean(axis=1, keepdims=True), 1.0)
    return np.concatenate(
        [
            np.quantile(gaps, GAP_QUANTILES, axis=1).T / mean,
            gaps.std(axis=1, keepdims=True) / mean,
            mean,
            np.stack([(ticks % ticks_round == 0).mean(axis=1) for ticks_round in ROUND_TICKS], 1),
            np.stack([(gaps == 0).mean(axis=1), (gaps < 0).mean(axis=1)], 1),
        ],
        axis=1,
    )


def window_summary(store: GraphStore) -> np.ndarray:
    """Describe graphs for a small model: mean and maximum over nodes, mean over edges.

    Returns:
        float32 `[num_graphs, 2 * num_node_features + num_edge_features]`.
    """
    if len(store) == 0:
        return np.zeros((0, 2 * store.x.shape[1] + store.edge_attr.shape[1]), np.float32)
    nodes, edges = store.node_offsets.numpy(), store.edge_offsets.numpy()
    x = store.x.numpy()
    # A graph without an edge, which reduceat cannot express, gets a row of zeros of its own.
    edge_attr = np.concatenate([store.edge_attr.numpy(), np.zeros_like(store.edge_attr[:1])])
    edge_count = np.diff(edges)[:, None]
    edge_sum = np.where(edge_count > 0, np.add.reduceat(edge_attr, edges[:-1]), 0.0)
    return np.concatenate(
        [
            np.add.reduceat(x, nodes[:-1]) / np.diff(nodes)[:, None],
            np.maximum.reduceat(x, nodes[:-1]),
            edge_sum / np.maximum(edge_count, 1),
        ],
        axis=1,
    ).astype(np.float32)


def _coins(name, frames, stores, build, one_in) -> Coins:
    """Give some windows labels that depend on their frames alone, then build their graphs.

    Equal windows get equal coins, so a model that has seen a window's twin knows its label.
    """
    window, stride = stores["train"].window, stores["train"].stride
    starts = {part: _apart(name, stores[part], window, stride) for part in ("train", "validation")}
    both = np.concatenate(list(starts.values()))
    content = _window_hashes(frames, both, window)
    both = np.sort(both[content % np.uint64(one_in) == 0])
    coin = (_window_hashes(frames, both, window) >> np.uint64(40)) % np.uint64(2)
    attack = np.zeros(len(frames), np.uint8)
    attack[both[:, None] + np.arange(window)] = coin[:, None]
    built = build(name, frames.assign(attack=attack), starts=both)
    return Coins(
        summary=window_summary(built),
        y=built.y.numpy(),
        is_train=np.isin(both, starts["train"]),
    )


def _apart(name: str, store: GraphStore, window: int, stride: int) -> np.ndarray:
    """Return starts of a capture's windows that share no frame with one another."""
    starts = store.start.numpy()[windows_of(name, store)]
    return starts[starts % (-(-window // stride) * stride) == 0]


def _window_hashes(frames: pd.DataFrame, starts: np.ndarray, window: int) -> np.ndarray:
    hashes = frame_hashes(frames["arbitration_id"].to_numpy().astype(np.uint64), payload(frames))
    place = ODD ** np.arange(1, window + 1, dtype=np.uint64)
    return mix((hashes[starts[:, None] + np.arange(window)] * place).sum(axis=1, dtype=np.uint64))
