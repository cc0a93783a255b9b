"""Windows to graphs: a node per arbitration ID, an edge where one ID directly follows another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.edge_features import fill_edges
from kdgat.can.feature_names import EDGE_FEATURES, NODE_FEATURES, WINDOW_FEATURES
from kdgat.can.node_features import fill_nodes
from kdgat.can.on_time import frames_followed
from kdgat.can.profile import Profile
from kdgat.can.profile_features import fill_profile
from kdgat.can.recording import Recording
from kdgat.can.window_layout import lay_out

__all__ = ["EDGE_FEATURES", "NODE_FEATURES", "Graphs", "build_graphs", "iterate_graphs"]

BLOCK = 256
"""Windows laid out at once: few enough for the processor's cache, at 100 frames a window."""

NEIGHBOURS = WINDOW_FEATURES.index("self_loop_share")


@dataclass(frozen=True)
class Graphs:
    """Graphs of one capture's windows, packed one after another.

    Attributes:
        x: float32 `[num_nodes, len(NODE_FEATURES)]`.
        arbitration_id: int64 `[num_nodes]`, ascending within a graph.
        edge_index: int32 `[2, num_edges]`, source and target, counted from the graph's first node.
        edge_attr: float32 `[num_edges, len(EDGE_FEATURES)]`; edges ascend by source, then target.
        rule_count: int32 `[num_graphs]`, what the two-line rule counts: frames of an ID that the
            profile does not know, or in under half of the ID's mean gap after the one before; 0
            without a profile. No model sees it.
        node_offsets: int64 `[num_graphs + 1]`; nodes of graph g are `[g]` up to `[g + 1]`.
        edge_offsets: int64 `[num_graphs + 1]`, likewise.
    """

    x: np.ndarray
    arbitration_id: np.ndarray
    edge_index: np.ndarray
    edge_attr: np.ndarray
    rule_count: np.ndarray
    node_offsets: np.ndarray
    edge_offsets: np.ndarray


class Habits(NamedTuple):
    """A profile as the kernels read it, and how far they have read the capture."""

    gap_count: np.ndarray
    gap_mean: np.ndarray
    gap_std: np.ndarray
    gap_min: np.ndarray
    longest_silence: np.ndarray
    share: np.ndarray
    dlc_min: np.ndarray
    dlc_max: np.ndarray
    byte_min: np.ndarray
    byte_max: np.ndarray
    change_rate: np.ndarray
    last_frame: np.ndarray  # int64 `[num_ids]`, the ID's last frame read, -1 for none
    seen: np.ndarray  # int64 `[1]`, frames read


def build_graphs(
    frames: pd.DataFrame, starts: np.ndarray, window: int, profile: Profile | None = None
) -> Graphs:
    """Turn each window into a directed graph of its IDs.

    A node is an arbitration ID seen in the window; an edge from i to j says that a frame of i
    is directly followed by one of j. Without a profile a graph depends on the frames of its
    window alone; the features against a profile also measure from each ID's frame before, or
    from the one that it follows in its rhythm (`on_time`).

    Args:
        frames: Frame table of one capture, in recorded order.
        starts: int64 `[num_windows]`, first frame of each window.
        window: Frames in a window, at least 2.
        profile: What is normal for this vehicle; features against it are 0 without one.

    Returns:
        One graph per start, in the order of `starts`.
    """
    blocks = list(iterate_graphs(Recording.of(frames), starts, window, profile))
    if len(blocks) == 1:
        return blocks[0]
    shifts = np.cumsum([0, *(block.node_offsets[-1] for block in blocks)])
    edge_shifts = np.cumsum([0, *(block.edge_offsets[-1] for block in blocks)])
    return Graphs(
        x=np.concatenate([block.x for block in blocks]),
        arbitration_id=np.concatenate([block.arbitration_id for block in blocks]),
        edge_index=np.concatenate([block.edge_index for block in blocks], axis=1),
        edge_attr=np.concatenate([block.edge_attr for block in blocks]),
        rule_count=np.concatenate([block.rule_count for block in blocks]),
        node_offsets=np.concatenate(
            [[0], *(b.node_offsets[1:] + s for b, s in zip(blocks, shifts, strict=False))]
        ),
        edge_offsets=np.concatenate(
            [[0], *(b.edge_offsets[1:] + s for b, s in zip(blocks, edge_shifts, strict=False))]
        ),
    )


def iterate_graphs(
    recording: Recording, starts: np.ndarray, window: int, profile: Profile | None = None
) -> Iterator[Graphs]:
    """Give the graphs of `build_graphs` in blocks of up to `BLOCK` windows, at least one block."""
    (codes, ids), (words, lengths) = recording.numbers, recording.words
    dlc = recording.dlc
    if profile is not None:
        row_of_id, habits = _rows(profile, ids), _habits(profile)
        followed = frames_followed(recording.clock, recording.before, codes, row_of_id, habits)
    for first in range(0, max(1, len(starts)), BLOCK):
        block = starts[first : first + BLOCK]
        layout = lay_out(recording.timestamp, codes, len(ids), block, window)
        num_nodes, num_edges = layout.node_offsets[-1], layout.edge_offsets[-1]
        x = np.empty((num_nodes, len(NODE_FEATURES)), np.float32)
        edge_attr = np.empty((num_edges, len(EDGE_FEATURES)), np.float32)
        rule_count = np.zeros(len(block), np.int32)
        fill_nodes(x, dlc, words, lengths, block, window, layout)
        fill_edges(edge_attr, x[:, NEIGHBOURS:], words, lengths, block, window, layout)
        if profile is not None:
            fill_profile(
                x[:, len(WINDOW_FEATURES) :], rule_count, recording.clock, recording.before,
                followed, codes, row_of_id, dlc, recording.payload, block, window, layout, habits,
            )  # fmt: skip
        yield Graphs(
            x=x,
            arbitration_id=ids[layout.node_code[:num_nodes]],
            edge_index=np.stack([layout.source[:num_edges], layout.target[:num_edges]]),
            edge_attr=edge_attr,
            rule_count=rule_count,
            node_offsets=layout.node_offsets,
            edge_offsets=layout.edge_offsets,
        )


def _rows(profile: Profile, ids: np.ndarray) -> np.ndarray:
    """Return the profile's row of each ID, -1 if it has none: int64 `[num_ids]`."""
    if len(profile) == 0:
        return np.full(len(ids), -1, np.int64)
    place = np.searchsorted(profile.arbitration_id, ids)
    place = np.minimum(place, len(profile) - 1)
    return np.where(profile.arbitration_id[place] == ids, place, -1)


def _habits(profile: Profile) -> Habits:
    learned = [name for name in Habits._fields if name not in ("last_frame", "seen")]
    return Habits(
        **{name: np.ascontiguousarray(getattr(profile, name)) for name in learned},
        last_frame=np.full(len(profile), -1, np.int64),
        seen=np.zeros(1, np.int64),
    )
