"""Captures to the three splits: train, validation, test."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from kdgat.can.clock import bus_time
from kdgat.can.feature_sample import feature_sample
from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.graphs import EDGE_FEATURES, NODE_FEATURES, Graphs, iterate_graphs
from kdgat.can.profile import Profile
from kdgat.can.recording import Recording
from kdgat.can.store_writer import StoreWriter
from kdgat.can.windows import (
    TRAIN,
    VALIDATION,
    attack_counts,
    episode_reach,
    split_windows,
    window_labels,
    window_starts,
)
from kdgat.errors import DataError

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cut:
    """How captures are cut into windows and dealt to the splits.

    Attributes:
        window: frames in a window.
        stride: frames from one window's start to the next.
        validation_share: share of a training capture's windows to hold out.
    """

    window: int
    stride: int
    validation_share: float


def write_stores(
    blocks: Iterable[tuple[str, GraphStore]], paths: Mapping[str, Path], *, identity: str = ""
) -> dict[str, GraphStore]:
    """Write graphs to disk as they come: memory holds one capture and one block of graphs.

    Args:
        blocks: a split and graphs for it, at least one for every split.
        paths: split -> file to write.
        identity: what the stores are made from.

    Returns:
        A store of each split, mapped from its file.

    Raises:
        DataError: A split lacks windows, or a class to train on; no file is then written.
    """
    with ExitStack() as stack:
        writers: dict[str, StoreWriter] = {}
        for split, block in blocks:
            if split not in writers:
                writer = StoreWriter(paths[split], block, identity=identity)
                writers[split] = stack.enter_context(writer)
            writers[split].add(block)
        for split in paths:
            if split not in writers:
                raise DataError(f"no capture has a window for the {split} part")
            writer = writers[split]
            _check_classes(split, writer.num_graphs, writer.num_attacks, writer.captures)
        return {split: writers[split].finish() for split in paths}


def split_blocks(
    captures: Mapping[str, pd.DataFrame], cut: Cut
) -> Iterator[tuple[str, GraphStore]]:
    """Turn captures into graphs and put each window into one split, or into none.

    Captures of `test_*` scenarios are test; of each capture of a `train_*` scenario one
    contiguous block of windows is validation, with a gap on either side. An episode that reaches
    out of it is left out of training, see `split_windows`.

    Args:
        captures: `<scenario>/<capture>` -> frame table; each is asked for once.
        cut: how they are cut.

    Yields:
        A split and graphs for it, without a profile, in the order of the captures and of the
        windows of each.

    Raises:
        DataError: A capture is shorter than one window, or too short to be split.
    """
    for name in captures:
        frames = captures[name]
        recording = Recording.of(frames)
        for split, wanted in deal_windows(name, frames, cut).items():
            for block in capture_blocks(name, recording, wanted, cut, None):
                yield split, block


def capture_graphs(
    name: str,
    frames: pd.DataFrame,
    *,
    window: int,
    stride: int,
    starts: np.ndarray | None = None,
    profile: Profile | None = None,
) -> GraphStore:
    """Turn one capture into graphs.

    Args:
        name: `<scenario>/<capture>`.
        frames: its frame table.
        window: frames in a window.
        stride: frames from one window's start to the next.
        starts: int64 `[num_windows]`, first frames of the windows wanted; without it all.
        profile: what they are measured against.

    Raises:
        DataError: The capture is shorter than one window.
    """
    if starts is None:
        starts = _starts(name, len(frames), window, stride)
    recording = Recording.of(frames)
    blocks = capture_blocks(name, recording, starts, Cut(window, stride, 0.0), profile)
    return concatenate(list(blocks))


def capture_blocks(
    name: str, recording: Recording, starts: np.ndarray, cut: Cut, profile: Profile | None
) -> Iterator[GraphStore]:
    """Turn windows of one capture into graphs, block by block, at least one block.

    Args:
        name: `<scenario>/<capture>`.
        recording: its frames.
        starts: int64 `[num_windows]`, first frame of each window.
        cut: length of the windows, and their stride, for the record.
        profile: what they are measured against.
    """
    counts = attack_counts(recording.attack, starts, cut.window)
    time = bus_time(recording.timestamp)
    first = 0
    for graphs in iterate_graphs(recording, starts, cut.window, profile):
        here = slice(first, first + len(graphs.node_offsets) - 1)
        yield _store(name, graphs, starts[here], counts[here], time, cut)
        first = here.stop


def _store(
    name: str,
    graphs: Graphs,
    starts: np.ndarray,
    counts: np.ndarray,
    time: np.ndarray,
    cut: Cut,
) -> GraphStore:
    return GraphStore(
        x=torch.from_numpy(graphs.x),
        arbitration_id=torch.from_numpy(graphs.arbitration_id),
        edge_index=torch.from_numpy(graphs.edge_index),
        edge_attr=torch.from_numpy(graphs.edge_attr),
        y=torch.from_numpy((counts > 0).astype(np.uint8)),
        attack_frames=torch.from_numpy(counts),
        rule_count=torch.from_numpy(graphs.rule_count),
        capture=torch.zeros(len(starts), dtype=torch.int32),
        start=torch.from_numpy(starts),
        start_time=torch.from_numpy(time[starts]),
        end_time=torch.from_numpy(time[starts + cut.window - 1]),
        node_offsets=torch.from_numpy(graphs.node_offsets),
        edge_offsets=torch.from_numpy(graphs.edge_offsets),
        captures=(name,),
        node_features=NODE_FEATURES,
        edge_features=EDGE_FEATURES,
        feature_sample=feature_sample(),
        window=cut.window,
        stride=cut.stride,
    )


def _starts(name: str, num_frames: int, window: int, stride: int) -> np.ndarray:
    starts = window_starts(num_frames, window, stride)
    if len(starts) == 0:
        raise DataError(
            f"capture {name} has {num_frames} frames: a window needs {window} "
            "(data_processing.window)"
        )
    return starts


def deal_windows(name: str, frames: pd.DataFrame, cut: Cut) -> dict[str, np.ndarray]:
    """Return the starts of a capture's windows by the split that they belong to.

    Raises:
        DataError: The capture is shorter than one window, or too short to be split.
    """
    starts = _starts(name, len(frames), cut.window, cut.stride)
    if name.startswith("test_"):
        return {"test": starts}
    part = split_windows(
        window_labels(frames["attack"].to_numpy(), starts, cut.window),
        window=cut.window,
        stride=cut.stride,
        validation_share=cut.validation_share,
        reach=episode_reach(frames["episode"].to_numpy(), starts, cut.window),
        capture=name,
    )
    return {"train": starts[part == TRAIN], "validation": starts[part == VALIDATION]}


def _check_classes(split: str, num_graphs: int, attacks: int, captures: tuple[str, ...]) -> None:
    LOGGER.info("%s: %d windows, %d of them attacks", split, num_graphs, attacks)
    if not split.endswith("test") and attacks in (0, num_graphs):
        raise DataError(
            f"the {split} part has {num_graphs} windows, {attacks} of them attacks, from "
            f"{', '.join(captures)}: it needs attack and benign windows"
        )
