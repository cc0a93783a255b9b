"""Windows to graphs: a node per arbitration ID, an edge where one ID directly follows another."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit

from kdgat.can.frames import payload
from kdgat.can.graph_features import (
    bus_clock,
    bus_features,
    change_features,
    content_features,
    edge_features,
    group,
    most_of_others,
    neighbour_features,
    passage_features,
    rhythm_features,
)

# Every feature compares a window with itself, and most say exactly nothing (0, or log1p(1)) of an
# ID that sends regularly or once. What differs between cars without an attack is left out on
# purpose, since a detector would learn the car: how many IDs there are, how many of them send one
# frame in a window, how frames are spread over them, how long they are, and any ID's value.
NODE_FEATURE_MEANINGS = {
    "dominance": "log1p(by how much the ID's frames outnumber those of any other ID)",
    "gap_median_to_min": "log1p(median / shortest time between the ID's frames)",
    "gap_max_to_median": "log1p(longest / median time between the ID's frames)",
    "gap_variation": "log1p(standard deviation / mean of the times between the ID's frames)",
    "gap_even_to_min": "log1p((window's duration / count) / shortest time between the ID's frames)",
    "short_gap_share": "share of the ID's gaps under half of (window's duration / count)",
    "silence": "log1p(by how much a silence at the window's ends exceeds the ID's longest gap)",
    "bus_gap_mean": "log1p(mean time since the previous frame on the bus / median of the window)",
    "bus_gap_next": "log1p(mean time to the next frame on the bus / median)",
    "self_loop_share": "frames directly followed by one of the same ID / frames with a next one",
    "reciprocity": "share of the next IDs that are previous IDs too",
    "byte_change": "mean share of bytes that change from frame to frame of the ID",
    "bit_change_max": "largest share of bits that changes",
    "bit_change_surge": "largest - median share of bits that changes",
    "bit_change_drop": "median - smallest share of bits that changes",
    "payload_return": "(bits changed to the last frame - to the last but one) / (sum + 1)",
    "byte_entropy": "entropy of the ID's bytes / the largest possible",
    "zero_byte_share": "share of bytes that are 0",
    "set_bit_share": "share of bits that are 1",
    "dlc_change": "share of successive frames of the ID that differ in length",
}

EDGE_FEATURE_MEANINGS = {
    "edge_share": "times the edge is taken / transitions of the window",
    "edge_dominance": "log1p(by how much the edge outnumbers any other edge)",
    "self_loop": "1 if source and target are the same ID",
    "edge_reciprocity": "rarer / more frequent of the edge and its reverse",
    "same_payload": "share of times that the target's payload equals the source's",
    "edge_gap_min": "log1p(shortest time from source to target / median bus gap)",
    "edge_gap_mean": "log1p(mean time from source to target / median bus gap)",
    "edge_gap_max": "log1p(longest time from source to target / median bus gap)",
}
NODE_FEATURES = tuple(NODE_FEATURE_MEANINGS)
EDGE_FEATURES = tuple(EDGE_FEATURE_MEANINGS)

RHYTHM = NODE_FEATURES.index("dominance")
BUS = NODE_FEATURES.index("bus_gap_mean")
NEIGHBOURS = NODE_FEATURES.index("self_loop_share")
CHANGE = NODE_FEATURES.index("byte_change")
CONTENT = NODE_FEATURES.index("byte_entropy")
EDGE_RECIPROCITY = EDGE_FEATURES.index("edge_reciprocity")
PASSAGE = EDGE_FEATURES.index("same_payload")
# The first of the columns that each kernel of `graph_features` writes.


@dataclass(frozen=True)
class Graphs:
    """Graphs of one capture's windows, packed one after another.

    Attributes:
        x: float32 `[num_nodes, len(NODE_FEATURES)]`.
        arbitration_id: int64 `[num_nodes]`, ascending within a graph.
        edge_index: int32 `[2, num_edges]`, source and target, counted from the graph's first node.
        edge_attr: float32 `[num_edges, len(EDGE_FEATURES)]`; edges ascend by source, then target.
        node_offsets: int64 `[num_graphs + 1]`; nodes of graph g are `[g]` up to `[g + 1]`.
        edge_offsets: int64 `[num_graphs + 1]`, likewise.
    """

    x: np.ndarray
    arbitration_id: np.ndarray
    edge_index: np.ndarray
    edge_attr: np.ndarray
    node_offsets: np.ndarray
    edge_offsets: np.ndarray


def build_graphs(frames: pd.DataFrame, starts: np.ndarray, window: int) -> Graphs:
    """Turn each window into a directed graph of its IDs.

    A node is an arbitration ID seen in the window; an edge from i to j says that a frame of i
    is directly followed by one of j. A graph depends on the frames of its window alone.

    Args:
        frames: Frame table of one capture, in recorded order.
        starts: int64 `[num_windows]`, first frame of each window.
        window: Frames in a window, at least 2.

    Returns:
        One graph per start, in the order of `starts`.
    """
    arbitration_id = frames["arbitration_id"].to_numpy(np.int64)
    num_nodes, num_edges = _count(arbitration_id, starts, window)
    node_offsets = np.concatenate([[0], np.cumsum(num_nodes)]).astype(np.int64)
    edge_offsets = np.concatenate([[0], np.cumsum(num_edges)]).astype(np.int64)
    graphs = Graphs(
        x=np.empty((node_offsets[-1], len(NODE_FEATURES)), np.float32),
        arbitration_id=np.empty(node_offsets[-1], np.int64),
        edge_index=np.empty((2, edge_offsets[-1]), np.int32),
        edge_attr=np.empty((edge_offsets[-1], len(EDGE_FEATURES)), np.float32),
        node_offsets=node_offsets,
        edge_offsets=edge_offsets,
    )
    _fill(
        frames["timestamp"].to_numpy(),
        arbitration_id,
        frames["dlc"].to_numpy(),
        payload(frames),
        starts,
        window,
        node_offsets,
        edge_offsets,
        graphs.x,
        graphs.arbitration_id,
        graphs.edge_index,
        graphs.edge_attr,
    )
    return graphs


@njit(cache=True, nogil=True)
def _number_ids(arbitration_id):
    """Return the frames grouped by ID and the number of the ID (ascending) of each frame."""
    order, bounds = group(arbitration_id)
    node = np.empty(len(arbitration_id), np.int64)
    for number in range(len(bounds) - 1):
        for place in order[bounds[number] : bounds[number + 1]]:
            node[place] = number
    return order, bounds, node


@njit(cache=True, nogil=True)
def _count(arbitration_id, starts, window):
    """Count nodes and edges of every graph."""
    num_nodes = np.empty(len(starts), np.int64)
    num_edges = np.empty(len(starts), np.int64)
    for graph in range(len(starts)):
        _, bounds, node = _number_ids(arbitration_id[starts[graph] : starts[graph] + window])
        num_nodes[graph] = len(bounds) - 1
        num_edges[graph] = len(group(node[:-1] * window + node[1:])[1]) - 1
    return num_nodes, num_edges


@njit(cache=True, nogil=True)
def _fill(
    timestamp,
    arbitration_id,
    dlc,
    payload,
    starts,
    window,
    node_offsets,
    edge_offsets,
    x,
    node_ids,
    edge_index,
    edge_attr,
):
    """Write every graph into its place in the packed arrays."""
    occurrences = np.zeros(256, np.int64)
    for graph in range(len(starts)):
        frames = slice(starts[graph], starts[graph] + window)
        nodes = slice(node_offsets[graph], node_offsets[graph + 1])
        edges = slice(edge_offsets[graph], edge_offsets[graph + 1])
        gaps, clock = bus_clock(timestamp[frames])
        median_gap = np.median(gaps)
        order, bounds, node = _number_ids(arbitration_id[frames])
        _fill_edges(edge_index[:, edges], edge_attr[edges], node, gaps, median_gap, payload[frames])
        neighbour_features(
            x[nodes, NEIGHBOURS:], node, edge_index[:, edges], edge_attr[edges, EDGE_RECIPROCITY]
        )
        others = most_of_others(bounds[1:] - bounds[:-1])
        for number in range(len(bounds) - 1):
            members = order[bounds[number] : bounds[number + 1]]
            row = x[node_offsets[graph] + number]
            node_ids[node_offsets[graph] + number] = arbitration_id[starts[graph] + members[0]]
            rhythm_features(row[RHYTHM:], members, clock, others[number])
            bus_features(row[BUS:], members, gaps, median_gap)
            change_features(row[CHANGE:], members, payload[frames], dlc[frames])
            content_features(row[CONTENT:], members, payload[frames], dlc[frames], occurrences)


@njit(cache=True, nogil=True)
def _fill_edges(edge_index, edge_attr, node, gaps, median_gap, payload):
    """Write the transitions of one window in ascending order, with their features."""
    window = len(node)
    transition = node[:-1] * window + node[1:]
    order, bounds = group(transition)
    different = transition[order[bounds[:-1]]]
    counts = bounds[1:] - bounds[:-1]
    others = most_of_others(counts)
    for edge in range(len(different)):
        source, target = different[edge] // window, different[edge] % window
        edge_index[0, edge], edge_index[1, edge] = source, target
        back = np.searchsorted(different, target * window + source)
        reverse = 0
        if back < len(different) and different[back] == target * window + source:
            reverse = counts[back]
        members = order[bounds[edge] : bounds[edge + 1]]
        edge_features(
            edge_attr[edge], counts[edge], others[edge], reverse, source == target, window - 1
        )
        passage_features(edge_attr[edge, PASSAGE:], members, gaps, median_gap, payload)
