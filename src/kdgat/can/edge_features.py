"""What a window says about its transitions: the compiled kernels.

`graphs.py` holds the names and the meaning of every feature, in the order written here.
"""

import numpy as np
from numba import njit

from kdgat.can.measures import COMPILED, log1p, ratio

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
    first_edge = np.empty(window + 1, np.int64)
    for graph in range(len(starts)):
        frames = slice(starts[graph], starts[graph] + window)
        # Taken once: a view costs as much as a feature.
        lengths_here, words_here, clock = lengths[frames], words[frames], layout.clock[graph]
        first, last = layout.edge_offsets[graph], layout.edge_offsets[graph + 1]
        bounds = layout.passage_bounds[first : last + 1]
        source, target = layout.source[first:last], layout.target[first:last]
        nodes = neighbours[layout.node_offsets[graph] : layout.node_offsets[graph + 1]]
        _first_edges(source, first_edge[: len(nodes) + 1])
        _counts(edge_attr[first:last], source, target, bounds, first_edge, window)
        _neighbours(nodes, edge_attr[first:last], source, target, bounds, first_edge)
        for edge in range(first, last):
            places = layout.passages[layout.passage_bounds[edge] : layout.passage_bounds[edge + 1]]
            _passage(
                edge_attr[edge, PASSAGE:], places, words_here, lengths_here, clock,
                layout.median_gap[graph],
            )  # fmt: skip


@njit(**COMPILED)
def _first_edges(source, first_edge):
    """Find the first edge of each source; edges come by source."""
    first_edge[:] = 0
    for edge in range(len(source)):
        first_edge[source[edge] + 1] += 1
    for number in range(len(first_edge) - 1):
        first_edge[number + 1] += first_edge[number]


@njit(**COMPILED)
def _counts(edge_attr, source, target, bounds, first_edge, window):
    """Write how often a transition is taken, compared with others: 4 values."""
    largest, second = 0, 1
    for edge in range(len(source)):
        count = bounds[edge + 1] - bounds[edge]
        if count > largest:
            largest, second = count, max(1, largest)
        else:
            second = max(second, count)
    for edge in range(len(source)):
        count = bounds[edge + 1] - bounds[edge]
        back = _find(target, source[edge], first_edge[target[edge]], first_edge[target[edge] + 1])
        reverse = bounds[back + 1] - bounds[back] if back >= 0 else 0
        # Only the most frequent edge, if there is one, outnumbers all others.
        excess = count / second - 1.0 if count == largest else 0.0
        edge_attr[edge, 0] = count / (window - 1)
        edge_attr[edge, 1] = log1p(max(0.0, excess))
        edge_attr[edge, 2] = source[edge] == target[edge]
        edge_attr[edge, 3] = min(count, reverse) / max(count, reverse)


@njit(**COMPILED)
def _find(target, wanted, low, high):
    """Find the edge to `wanted` among those from `low` up to `high`; -1 if there is none."""
    end = high
    while low < high:
        middle = (low + high) // 2
        if target[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < end and target[low] == wanted else -1


@njit(**COMPILED)
def _neighbours(x, edge_attr, source, target, bounds, first_edge):
    """Write whom the frames of each ID of the window precede: 2 values."""
    for number in range(len(x)):
        x[number, 0], x[number, 1] = 0.0, 0.0
        first, last = first_edge[number], first_edge[number + 1]
        mutual = 0
        for edge in range(first, last):
            mutual += edge_attr[edge, 3] > 0
            if target[edge] == number:
                left = bounds[last] - bounds[first]
                x[number, 0] = (bounds[edge + 1] - bounds[edge]) / left
        if last > first:
            x[number, 1] = mutual / (last - first)


@njit(**COMPILED)
def _passage(x, places, words, lengths, clock, median_gap):
    """Write what passes along one transition: 4 values, from the places it departs from."""
    total, shortest, longest, equal = 0.0, np.inf, 0.0, 0
    for place in places:
        gap = clock[place + 1] - clock[place]
        total += gap
        shortest = min(shortest, gap)
        longest = max(longest, gap)
        equal += words[place] == words[place + 1] and lengths[place] == lengths[place + 1]
    x[0] = equal / len(places)
    x[1] = log1p(ratio(shortest, median_gap))
    if len(places) == 1:
        x[2], x[3] = x[1], x[1]
    else:
        x[2] = log1p(ratio(total / len(places), median_gap))
        x[3] = log1p(ratio(longest, median_gap))
