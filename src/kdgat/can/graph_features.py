"""What a window says about each of its IDs and of its transitions: the compiled kernels.

`graphs.py` holds the names and the meaning of every feature, in the order written here.
Nothing depends on the car's own scale: times are compared with the window's other times,
counts with other counts, and the ID's value is never a feature.
"""

import numpy as np
from numba import njit

from kdgat.can.frames import ABSENT, MAX_DLC

TICK = 1e-6
"""Resolution of the logs in s; added above and below in ratios of times, so 0 to 0 is 1."""

BITS_SET = np.array([bin(value).count("1") for value in range(256)], dtype=np.int64)


@njit(cache=True, nogil=True)
def group(keys):
    """Group equal keys: the order that sorts them, kept in time order, and each group's bounds."""
    order = np.argsort(keys, kind="mergesort")
    bounds = np.empty(len(keys) + 1, np.int64)
    num_groups = 0
    for place in range(len(order)):
        if place == 0 or keys[order[place]] != keys[order[place - 1]]:
            bounds[num_groups] = place
            num_groups += 1
    bounds[num_groups] = len(order)
    return order, bounds[: num_groups + 1]


@njit(cache=True, nogil=True)
def bus_clock(timestamp):
    """Return gaps between frames (a step back counts as 0) and the time since the first frame."""
    gaps = np.maximum(timestamp[1:] - timestamp[:-1], 0.0)
    clock = np.zeros(len(timestamp))
    for place in range(len(gaps)):
        clock[place + 1] = clock[place] + gaps[place]
    return gaps, clock


@njit(cache=True, nogil=True)
def ratio(time, reference):
    """Divide two times in s; both 0 gives 1."""
    return (time + TICK) / (reference + TICK)


@njit(cache=True, nogil=True)
def most_of_others(counts):
    """Return for each count the largest of the others; 1 where there is no other."""
    top = np.argmax(counts)
    second = 1
    for number in range(len(counts)):
        if number != top:
            second = max(second, counts[number])
    others = np.full(len(counts), counts[top])
    others[top] = second
    return others


@njit(cache=True, nogil=True)
def rhythm_features(x, members, clock, most_of_other):
    """Write how much and how regularly one ID sends: 7 values, from its places in the window."""
    count = len(members)
    x[0] = np.log1p(max(0.0, count / most_of_other - 1.0))
    x[1:3] = np.log1p(1.0)
    x[3] = 0.0
    x[4] = np.log1p(1.0)
    x[5:7] = 0.0
    if count == 1:
        return
    duration = clock[-1]
    times = clock[members]
    gaps = times[1:] - times[:-1]
    median, shortest, longest = np.median(gaps), gaps.min(), gaps.max()
    silence = max(times[0], duration - times[-1])
    x[1] = np.log1p(ratio(median, shortest))
    x[2] = np.log1p(ratio(longest, median))
    x[3] = np.log1p(gaps.std() / (gaps.mean() + TICK))
    x[4] = np.log1p(ratio(duration / count, shortest))
    x[5] = (gaps < 0.5 * duration / count).mean()
    x[6] = np.log1p(max(0.0, ratio(silence, longest) - 1.0))


@njit(cache=True, nogil=True)
def bus_features(x, members, gaps, median_gap):
    """Write when one ID's frames come relative to the bus: 2 values, in median bus gaps."""
    before, num_before, after, num_after = 0.0, 0, 0.0, 0
    for place in members:
        if place > 0:
            before += gaps[place - 1]
            num_before += 1
        if place < len(gaps):
            after += gaps[place]
            num_after += 1
    x[0] = np.log1p(ratio(before / num_before if num_before else median_gap, median_gap))
    x[1] = np.log1p(ratio(after / num_after if num_after else median_gap, median_gap))


@njit(cache=True, nogil=True)
def bits_changed(one, other):
    """Count differing bits of two payloads; a byte that only one of them has counts 8."""
    changed = 0
    for position in range(MAX_DLC):
        if (one[position] == ABSENT) != (other[position] == ABSENT):
            changed += 8
        elif one[position] != ABSENT:
            changed += BITS_SET[one[position] ^ other[position]]
    return changed


@njit(cache=True, nogil=True)
def bytes_changed(one, other):
    """Count positions at which two payloads differ."""
    changed = 0
    for position in range(MAX_DLC):
        changed += one[position] != other[position]
    return changed


@njit(cache=True, nogil=True)
def change_features(x, members, payload, dlc):
    """Write how one ID's payload changes from frame to frame: 5 values."""
    count = len(members)
    x[:5] = 0.0
    longest_dlc = 0
    for place in members:
        longest_dlc = max(longest_dlc, dlc[place])
    if count == 1 or longest_dlc == 0:
        return
    bits = np.empty(count - 1)
    num_bytes, two_apart = 0, 0.0
    for step in range(1, count):
        now = payload[members[step]]
        bits[step - 1] = bits_changed(now, payload[members[step - 1]])
        num_bytes += bytes_changed(now, payload[members[step - 1]])
        if step > 1:
            two_apart += bits_changed(now, payload[members[step - 2]])
    x[0] = num_bytes / (count - 1) / longest_dlc
    x[1] = bits.max() / (8 * longest_dlc)
    x[2] = (bits.max() - np.median(bits)) / (8 * longest_dlc)
    x[3] = (np.median(bits) - bits.min()) / (8 * longest_dlc)
    if count > 2:
        two_apart /= count - 2
        x[4] = (bits.mean() - two_apart) / (bits.mean() + two_apart + 1.0)


@njit(cache=True, nogil=True)
def content_features(x, members, payload, dlc, occurrences):
    """Write what one ID's bytes look like: 4 values; `occurrences` is 256 zeros, left as zeros."""
    num_bytes, num_bits, dlc_changes = 0, 0, 0
    for step in range(len(members)):
        place = members[step]
        dlc_changes += step > 0 and dlc[place] != dlc[members[step - 1]]
        for value in payload[place, : dlc[place]]:
            occurrences[value] += 1
            num_bits += BITS_SET[value]
            num_bytes += 1
    zeros = occurrences[0]
    surprise = 0.0
    for place in members:
        for value in payload[place, : dlc[place]]:
            if occurrences[value] > 0:
                share = occurrences[value] / num_bytes
                surprise -= share * np.log2(share)
                occurrences[value] = 0
    x[0] = surprise / np.log2(min(num_bytes, 256)) if num_bytes > 1 else 0.0
    x[1] = zeros / num_bytes if num_bytes else 0.0
    x[2] = num_bits / (8 * num_bytes) if num_bytes else 0.0
    x[3] = dlc_changes / (len(members) - 1) if len(members) > 1 else 0.0


@njit(cache=True, nogil=True)
def neighbour_features(x, node, edge_index, edge_reciprocity):
    """Write whom the frames of each ID of the window precede: 2 values for every ID."""
    num_nodes = len(x)
    left, loops = np.zeros(num_nodes), np.zeros(num_nodes)
    for place in range(len(node) - 1):
        left[node[place]] += 1
        loops[node[place]] += node[place] == node[place + 1]
    successors, mutual = np.zeros(num_nodes), np.zeros(num_nodes)
    for edge in range(len(edge_reciprocity)):
        successors[edge_index[0, edge]] += 1
        mutual[edge_index[0, edge]] += edge_reciprocity[edge] > 0
    for number in range(num_nodes):
        x[number, 0] = loops[number] / max(1.0, left[number])
        x[number, 1] = mutual[number] / max(1.0, successors[number])


@njit(cache=True, nogil=True)
def edge_features(edge_attr, count, most_of_other, reverse, is_loop, num_transitions):
    """Write how often one transition is taken, compared with others: 4 values."""
    edge_attr[0] = count / num_transitions
    edge_attr[1] = np.log1p(max(0.0, count / most_of_other - 1.0))
    edge_attr[2] = 1.0 if is_loop else 0.0
    edge_attr[3] = min(count, reverse) / max(count, reverse)


@njit(cache=True, nogil=True)
def passage_features(edge_attr, members, gaps, median_gap, payload):
    """Write what passes along one transition: 4 values, from the places it departs from."""
    total, shortest, longest, equal = 0.0, np.inf, 0.0, 0
    for place in members:
        total += gaps[place]
        shortest = min(shortest, gaps[place])
        longest = max(longest, gaps[place])
        equal += bytes_changed(payload[place], payload[place + 1]) == 0
    edge_attr[0] = equal / len(members)
    edge_attr[1] = np.log1p(ratio(shortest, median_gap))
    edge_attr[2] = np.log1p(ratio(total / len(members), median_gap))
    edge_attr[3] = np.log1p(ratio(longest, median_gap))
