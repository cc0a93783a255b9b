"""What a window says about its transitions: the compiled kernels.

`feature_names.py` holds the names and the meaning of every feature, in the order written here.
"""

import numpy as np
from numba import njit

from kdgat.can.measures import COMPILED, INLINED, log1p, log1p_above, ratio, two_largest

PASSAGE = 4
"""First column of what `_passage` writes."""


@njit(**COMPILED)
def fill_edges(edge_attr, neighbours, words, lengths, starts, window, layout):
    """Write the features of every edge, and what the edges say of their sources.

    Args:
        edge_attr: float32 `[num_edges, 8]`, written to.
        neighbours: float32 `[num_nodes, 2]`, share of self-loops and reciprocity; written to.
        words: uint64 `[num_frames]`, packed payloads.
        lengths: uint8 `[num_frames]`, bytes in them.
        starts: int64 `[num_graphs]`, first frame of each window.
        window: Frames in a window.
        layout: Of these windows.
    """
    source, target, bounds = layout.source, layout.target, layout.passage_bounds
    passages, clock, median_gap = layout.passages, layout.clock, layout.median_gap
    node_offsets, edge_offsets = layout.node_offsets, layout.edge_offsets
    first_edge = np.empty(window + 1, np.int64)
    for graph in range(len(starts)):
        node, num_nodes = node_offsets[graph], node_offsets[graph + 1] - node_offsets[graph]
        first, last = edge_offsets[graph], edge_offsets[graph + 1]
        _first_edges(first_edge, num_nodes, source, first, last)
        _counts(edge_attr, source, target, bounds, first, last, first_edge, window)
        _neighbours(neighbours, node, num_nodes, edge_attr, target, bounds, first_edge)
        for edge in range(first, last):
            _passage(
                edge_attr, edge, passages, bounds[edge], bounds[edge + 1],
                starts[graph], words, lengths, clock, graph, median_gap[graph],
            )  # fmt: skip


@njit(**INLINED)
def _first_edges(first_edge, num_nodes, source, first, last):
    """Find the first edge of each source, and the end of the last one's; edges come by source."""
    for number in range(num_nodes + 1):
        first_edge[number] = 0
    for edge in range(first, last):
        first_edge[source[edge] + 1] += 1
    first_edge[0] = first
    for number in range(num_nodes):
        first_edge[number + 1] += first_edge[number]


@njit(**INLINED)
def _counts(x, source, target, bounds, first, last, first_edge, window):
    """Write how often a transition is taken, compared with others: 4 values."""
    largest, second = two_largest(bounds, first, last)
    for edge in range(first, last):
        count = bounds[edge + 1] - bounds[edge]
        reverse = _count_of(source[edge], target, bounds, first_edge, target[edge])
        # Only the most frequent edge, if there is one, outnumbers all others.
        excess = count / second - 1.0 if count == largest else 0.0
        x[edge, 0] = count / (window - 1)
        x[edge, 1] = log1p_above(excess)
        x[edge, 2] = source[edge] == target[edge]
        x[edge, 3] = min(count, reverse) / max(count, reverse)


@njit(**INLINED)
def _count_of(wanted, target, bounds, first_edge, number):
    """Count the transitions from the node `number` to `wanted`: most nodes have few targets."""
    count = 0
    for edge in range(first_edge[number], first_edge[number + 1]):
        count += (target[edge] == wanted) * (bounds[edge + 1] - bounds[edge])
    return count


@njit(**INLINED)
def _neighbours(x, node, num_nodes, edge_attr, target, bounds, first_edge):
    """Write whom the frames of each ID of the window precede: 2 values."""
    for number in range(num_nodes):
        first, last = first_edge[number], first_edge[number + 1]
        mutual, to_itself = 0, 0
        for edge in range(first, last):
            mutual += edge_attr[edge, 3] > 0
            if target[edge] == number:
                to_itself = bounds[edge + 1] - bounds[edge]
        # Only the ID of the window's last frame may precede none.
        x[node + number, 0] = to_itself / max(1, bounds[last] - bounds[first])
        x[node + number, 1] = mutual / max(1, last - first)


@njit(**INLINED)
def _passage(
    x, edge, passages, first, last, start, words, lengths, clock, graph, median_gap
):  # fmt: skip
    """Write what passes along one transition: 4 values, from the places it departs from."""
    total, shortest, longest, equal = 0.0, np.inf, 0.0, 0
    for rank in range(first, last):
        place = passages[rank]
        gap = clock[graph, place + 1] - clock[graph, place]
        total += gap
        shortest = min(shortest, gap)
        longest = max(longest, gap)
        frame = start + place
        same_length = lengths[frame] == lengths[frame + 1]
        equal += same_length & (words[frame] == words[frame + 1])
    count = last - first
    least = log1p(ratio(shortest, median_gap))
    x[edge, PASSAGE] = equal / count
    x[edge, PASSAGE + 1] = least
    if count == 1:
        x[edge, PASSAGE + 2], x[edge, PASSAGE + 3] = least, least
    else:
        x[edge, PASSAGE + 2] = log1p(ratio(total / count, median_gap))
        x[edge, PASSAGE + 3] = log1p(ratio(longest, median_gap))
