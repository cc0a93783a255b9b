"""Where everything is in a window: which frames an ID has, which transitions an edge.

The feature kernels only read what is laid out here. Nothing is allocated per window, and
nothing sorted but the window's IDs: frames and transitions are counted into place, which keeps
them in the order of time.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from kdgat.can.measures import COMPILED, INLINED, median


class Layout(NamedTuple):
    """Nodes and edges of windows, one window after another; places count within a window.

    Attributes:
        node_offsets: int64 `[num_graphs + 1]`, first node of each window.
        edge_offsets: int64 `[num_graphs + 1]`, first edge of each window.
        node_code: int32 `[num_nodes]`, number of the node's ID in its capture.
        frame_bounds: int64 `[num_nodes + 1]`, first of each node's frames in `frames`.
        frames: int32 `[num_graphs * window]`, places of each node's frames, in time.
        source: int32 `[num_edges]`, node in its window; edges ascend by source, then target.
        target: int32 `[num_edges]`, likewise.
        passage_bounds: int64 `[num_edges + 1]`, first of each edge's transitions in `passages`.
        passages: int32 `[num_graphs * (window - 1)]`, places the edge's transitions depart from.
        clock: float64 `[num_graphs, window]`, s since the window's first frame; steps back are 0.
        median_gap: float64 `[num_graphs]`, median time from frame to frame, s.
    """

    node_offsets: np.ndarray
    edge_offsets: np.ndarray
    node_code: np.ndarray
    frame_bounds: np.ndarray
    frames: np.ndarray
    source: np.ndarray
    target: np.ndarray
    passage_bounds: np.ndarray
    passages: np.ndarray
    clock: np.ndarray
    median_gap: np.ndarray


@njit(**COMPILED)
def lay_out(timestamp, codes, num_ids, starts, window):
    """Lay out windows.

    Args:
        timestamp: float64 `[num_frames]`, bus time of a capture, s.
        codes: int32 `[num_frames]`, number of each frame's ID, numbers ascending with the IDs.
        num_ids: How many IDs the capture has.
        starts: int64 `[num_graphs]`, first frame of each window.
        window: Frames in a window.

    Returns:
        The layout; its arrays by node or edge are longer than used, up to the last offset.
    """
    num_graphs, num_steps = len(starts), window - 1
    # Room for windows of nothing but different IDs: memory never written to is never used.
    node_offsets, edge_offsets = np.zeros((2, num_graphs + 1), np.int64)
    node_code = np.empty(num_graphs * window, np.int32)
    frame_bounds = np.empty(num_graphs * window + 1, np.int64)
    frames = np.empty(num_graphs * window, np.int32)
    source, target = np.empty((2, num_graphs * num_steps), np.int32)
    passage_bounds = np.empty(num_graphs * num_steps + 1, np.int64)
    passages = np.empty(num_graphs * num_steps, np.int32)
    clock, median_gap = np.empty((num_graphs, window)), np.empty(num_graphs)
    node_of_id, found = np.full(num_ids, -1, np.int64), np.empty(window, np.int32)
    node, begins, gaps = np.empty(window, np.int64), np.empty(window, np.int64), np.empty(num_steps)
    frame_bounds[0], passage_bounds[0] = 0, 0
    for graph in range(num_graphs):
        first, first_edge = node_offsets[graph], edge_offsets[graph]
        num_nodes = _number_ids(codes, starts[graph], node_code, first, node, node_of_id, found)
        _group_frames(node, num_nodes, frames, graph * window, frame_bounds, first, begins)
        num_edges = _group_transitions(
            node, num_nodes, frames, graph * window, frame_bounds, first,
            source, target, passages, graph * num_steps, passage_bounds, first_edge, begins,
        )  # fmt: skip
        node_offsets[graph + 1] = first + num_nodes
        edge_offsets[graph + 1] = first_edge + num_edges
        _read_clock(timestamp, starts[graph], clock, graph, gaps)
        median_gap[graph] = median(gaps, num_steps)
    return Layout(
        node_offsets, edge_offsets, node_code, frame_bounds, frames,
        source, target, passage_bounds, passages, clock, median_gap,
    )  # fmt: skip


@njit(**INLINED)
def _number_ids(codes, start, node_code, first, node, node_of_id, found):
    """Number the IDs of a window in ascending order, its frames by that; count the IDs."""
    num_nodes = 0
    for place in range(len(node)):
        code = codes[start + place]
        # Without a branch: what is written behind the last ID found is written over.
        found[num_nodes] = code
        num_nodes += node_of_id[code] < 0
        node_of_id[code] = 0
    # Few IDs are sorted by counting the smaller ones, several at once.
    for number in range(num_nodes):
        smaller = 0
        for other in range(num_nodes):
            smaller += found[other] < found[number]
        node_of_id[found[number]] = smaller
        node_code[first + smaller] = found[number]
    for place in range(len(node)):
        node[place] = node_of_id[codes[start + place]]
    for number in range(num_nodes):
        node_of_id[found[number]] = -1
    return num_nodes


@njit(**INLINED)
def _group_frames(node, num_nodes, frames, first_frame, bounds, first, begins):
    """List the frames of each node, in time."""
    for number in range(num_nodes):
        begins[number] = 0
    for place in range(len(node)):
        begins[node[place]] += 1
    for number in range(num_nodes):
        count = begins[number]
        begins[number] = bounds[first + number]
        bounds[first + number + 1] = bounds[first + number] + count
    for place in range(len(node)):
        frames[begins[node[place]]] = place
        begins[node[place]] += 1


@njit(**INLINED)
def _group_transitions(
    node, num_nodes, frames, first_frame, frame_bounds, first,
    source, target, passages, first_passage, bounds, first_edge, begins,
):  # fmt: skip
    """List the transitions of a window by source, then target, then time; count the edges.

    Every frame but the last departs, so a node's transitions begin where its frames do. `frames`
    come by node, so the transitions into them come by target; counting these into their sources
    keeps that order.
    """
    window = len(node)
    shift, last = first_passage - first_frame, node[window - 1]
    for number in range(num_nodes):
        begins[number] = frame_bounds[first + number] + shift - (number > last)
    for rank in range(first_frame, first_frame + window):
        place = frames[rank] - 1
        if place >= 0:
            passages[begins[node[place]]] = place
            begins[node[place]] += 1
    edge, last_source, last_target = first_edge - 1, -1, -1
    for rank in range(first_passage, first_passage + window - 1):
        place = passages[rank]
        now_source, now_target = node[place], node[place + 1]
        # Without a branch: whether the next transition is of another edge is anybody's guess.
        edge += (now_source != last_source) | (now_target != last_target)
        source[edge], target[edge], bounds[edge + 1] = now_source, now_target, rank + 1
        last_source, last_target = now_source, now_target
    return edge + 1 - first_edge


@njit(**INLINED)
def _read_clock(timestamp, start, clock, graph, gaps):
    """Write the time since the window's first frame, and the times from frame to frame."""
    now = 0.0
    clock[graph, 0] = 0.0
    for place in range(len(gaps)):
        gap = max(0.0, timestamp[start + place + 1] - timestamp[start + place])
        now += gap
        gaps[place] = gap
        clock[graph, place + 1] = now
