"""Where everything is in a window: which frames an ID has, which transitions an edge.

The feature kernels only read what is laid out here. Nothing is allocated per window, and
nothing sorted but the window's IDs and its gaps: frames and transitions are counted into
place, which keeps them in the order of time.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from kdgat.can.measures import COMPILED, median, sort


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
    layout = Layout(
        node_offsets=np.zeros(num_graphs + 1, np.int64),
        edge_offsets=np.zeros(num_graphs + 1, np.int64),
        node_code=np.empty(num_graphs * window, np.int32),
        frame_bounds=np.empty(num_graphs * window + 1, np.int64),
        frames=np.empty(num_graphs * window, np.int32),
        source=np.empty(num_graphs * num_steps, np.int32),
        target=np.empty(num_graphs * num_steps, np.int32),
        passage_bounds=np.empty(num_graphs * num_steps + 1, np.int64),
        passages=np.empty(num_graphs * num_steps, np.int32),
        clock=np.empty((num_graphs, window)),
        median_gap=np.empty(num_graphs),
    )
    node_of_id = np.full(num_ids, -1, np.int64)
    node = np.empty(window, np.int64)
    begins = np.empty(window + 1, np.int64)
    gaps = np.empty(num_steps)
    layout.frame_bounds[0] = 0
    layout.passage_bounds[0] = 0
    for graph in range(num_graphs):
        first, first_edge = layout.node_offsets[graph], layout.edge_offsets[graph]
        frames = layout.frames[graph * window : (graph + 1) * window]
        num_nodes = _group_frames(
            codes[starts[graph] : starts[graph] + window],
            layout.node_code[first : first + window],
            node,
            layout.frame_bounds[first : first + window + 1],
            frames,
            node_of_id,
            begins,
        )
        num_edges = _group_transitions(
            node,
            num_nodes,
            frames,
            layout.source[first_edge : first_edge + num_steps],
            layout.target[first_edge : first_edge + num_steps],
            layout.passage_bounds[first_edge : first_edge + window],
            layout.passages[graph * num_steps : (graph + 1) * num_steps],
            begins,
        )
        layout.node_offsets[graph + 1] = first + num_nodes
        layout.edge_offsets[graph + 1] = first_edge + num_edges
        clock = layout.clock[graph]
        _read_clock(timestamp[starts[graph] : starts[graph] + window], clock, gaps)
        layout.median_gap[graph] = median(gaps, num_steps)
    return layout


@njit(**COMPILED)
def _group_frames(codes, node_code, node, bounds, frames, node_of_id, begins):
    """Number the IDs of a window in ascending order, list the frames of each; count the IDs."""
    num_nodes = 0
    for place in range(len(codes)):
        if node_of_id[codes[place]] < 0:
            node_of_id[codes[place]] = 0
            node_code[num_nodes] = codes[place]
            num_nodes += 1
    sort(node_code, num_nodes)
    for number in range(num_nodes):
        node_of_id[node_code[number]] = number
    begins[: num_nodes + 1] = 0
    for place in range(len(codes)):
        number = node_of_id[codes[place]]
        node[place] = number
        begins[number + 1] += 1
    for number in range(num_nodes):
        begins[number + 1] += begins[number]
        bounds[number + 1] = bounds[0] + begins[number + 1]
        node_of_id[node_code[number]] = -1
    for place in range(len(codes)):
        frames[begins[node[place]]] = place
        begins[node[place]] += 1
    return num_nodes


@njit(**COMPILED)
def _group_transitions(node, num_nodes, frames, source, target, bounds, passages, begins):
    """List the transitions of a window by source, then target, then time; count the edges.

    `frames` come by node, so the transitions into them come by target; counting these into
    their sources keeps that order.
    """
    begins[: num_nodes + 1] = 0
    for place in range(len(passages)):
        begins[node[place] + 1] += 1
    for number in range(num_nodes):
        begins[number + 1] += begins[number]
    for rank in range(len(frames)):
        place = frames[rank] - 1
        if place >= 0:
            passages[begins[node[place]]] = place
            begins[node[place]] += 1
    num_edges, last_source, last_target = 0, -1, -1
    for rank in range(len(passages)):
        place = passages[rank]
        if node[place] != last_source or node[place + 1] != last_target:
            last_source, last_target = node[place], node[place + 1]
            source[num_edges], target[num_edges] = last_source, last_target
            num_edges += 1
        bounds[num_edges] = bounds[0] + rank + 1
    return num_edges


@njit(**COMPILED)
def _read_clock(timestamp, clock, gaps):
    now = 0.0
    clock[0] = 0.0
    for place in range(len(gaps)):
        gap = max(0.0, timestamp[place + 1] - timestamp[place])
        now += gap
        gaps[place] = gap
        clock[place + 1] = now
