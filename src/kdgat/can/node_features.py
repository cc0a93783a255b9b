"""What a window says about each of its IDs: the compiled kernels.

`graphs.py` holds the names and the meaning of every feature, in the order written here.
Nothing depends on the car's own scale: times are compared with the window's other times,
counts with other counts, and the ID's value is never a feature.
"""

import numpy as np
from numba import njit

from kdgat.can.frames import ABSENT, MAX_DLC
from kdgat.can.measures import (
    TICK,
    bits_changed,
    bits_set,
    bytes_changed,
    bytes_set,
    log1p,
    ratio,
    sorted_median,
)

RHYTHM, BUS, CHANGE, CONTENT = 0, 7, 9, 14
"""First column of what each kernel writes."""

EVEN = np.log(2.0)
"""log1p(1): what the ratio of two equal times gives."""


@njit(cache=True, nogil=True)
def pack_payload(payload):
    """Pack payloads: bytes as uint64 `[num_frames]` (absent ones 0), and uint8 how many."""
    words = np.empty(len(payload), np.uint64)
    lengths = np.empty(len(payload), np.uint8)
    for frame in range(len(payload)):
        word, length = np.uint64(0), 0
        for place in range(MAX_DLC):
            value = payload[frame, place]
            if value != ABSENT:
                word |= np.uint64(value) << np.uint64(8 * place)
                length += 1
        words[frame] = word
        lengths[frame] = length
    return words, lengths


@njit(cache=True, nogil=True)
def fill_nodes(x, dlc, words, lengths, starts, window, layout):
    """Write the features of every node into the first columns of `x`.

    Args:
        x: float32 `[num_nodes, num_columns]`, written to.
        dlc: uint8 `[num_frames]`.
        words: uint64 `[num_frames]`, payloads as `pack_payload` gives them.
        lengths: uint8 `[num_frames]`, bytes in them.
        starts: int64 `[num_graphs]`, first frame of each window.
        window: Frames in a window.
        layout: Of these windows.
    """
    values = np.empty(window)
    occurrences = np.zeros(256, np.int64)
    counts = np.arange(window * MAX_DLC + 1)
    entropy = counts * np.log2(np.maximum(counts, 1))
    added = np.zeros(len(counts))
    added[1:] = entropy[1:] - entropy[:-1]
    for graph in range(len(starts)):
        frames = slice(starts[graph], starts[graph] + window)
        # Taken once: a view costs as much as a feature.
        lengths_here, words_here, dlc_here = lengths[frames], words[frames], dlc[frames]
        first, last = layout.node_offsets[graph], layout.node_offsets[graph + 1]
        bounds, clock = layout.frame_bounds, layout.clock[graph]
        largest, second = _two_largest(bounds[first : last + 1])
        for node in range(first, last):
            places = layout.frames[bounds[node] : bounds[node + 1]]
            row = x[node]
            # Only the most frequent ID, if there is one, outnumbers all others.
            excess = len(places) / second - 1.0 if len(places) == largest else 0.0
            row[0] = log1p(max(0.0, excess))
            _rhythm(row[RHYTHM:], places, clock, values)
            _bus(row[BUS:], places, clock, layout.median_gap[graph])
            _change(row[CHANGE:], places, words_here, lengths_here, values)
            _content(row[CONTENT:], places, dlc_here, words_here, lengths_here, occurrences, added)


@njit(cache=True, nogil=True)
def _two_largest(bounds):
    """Return the largest group and the second largest, 1 if there is none."""
    largest, second = 0, 1
    for number in range(len(bounds) - 1):
        count = bounds[number + 1] - bounds[number]
        if count > largest:
            largest, second = count, max(1, largest)
        else:
            second = max(second, count)
    return largest, second


@njit(cache=True, nogil=True)
def _rhythm(x, places, clock, gaps):
    """Write how regularly one ID sends: values 1 to 6."""
    count = len(places)
    x[1], x[2], x[3], x[4], x[5], x[6] = EVEN, EVEN, 0.0, EVEN, 0.0, 0.0
    if count == 1:
        return
    duration = clock[-1]
    total, short, half = 0.0, 0, 0.5 * duration / count
    for step in range(count - 1):
        gaps[step] = clock[places[step + 1]] - clock[places[step]]
        total += gaps[step]
        short += gaps[step] < half
    mean, squares = total / (count - 1), 0.0
    for step in range(count - 1):
        squares += (gaps[step] - mean) ** 2
    middle = sorted_median(gaps, count - 1)
    shortest, longest = gaps[0], gaps[count - 2]
    silence = max(clock[places[0]], duration - clock[places[count - 1]])
    x[1] = log1p(ratio(middle, shortest))
    x[2] = log1p(ratio(longest, middle))
    x[3] = log1p(np.sqrt(squares / (count - 1)) / (mean + TICK))
    x[4] = log1p(ratio(duration / count, shortest))
    x[5] = short / (count - 1)
    x[6] = log1p(max(0.0, ratio(silence, longest) - 1.0))


@njit(cache=True, nogil=True)
def _bus(x, places, clock, median_gap):
    """Write when one ID's frames come relative to the bus: 2 values, in median bus gaps."""
    before, num_before, after, num_after = 0.0, 0, 0.0, 0
    for place in places:
        if place > 0:
            before += clock[place] - clock[place - 1]
            num_before += 1
        if place < len(clock) - 1:
            after += clock[place + 1] - clock[place]
            num_after += 1
    x[0] = log1p(ratio(before / num_before if num_before else median_gap, median_gap))
    x[1] = log1p(ratio(after / num_after if num_after else median_gap, median_gap))


@njit(cache=True, nogil=True)
def _change(x, places, words, lengths, bits):
    """Write how one ID's payload changes from frame to frame: 5 values."""
    x[0], x[1], x[2], x[3], x[4] = 0.0, 0.0, 0.0, 0.0, 0.0
    count, longest = len(places), 0
    for place in places:
        longest = max(longest, np.int64(lengths[place]))
    if count == 1 or longest == 0:
        return
    num_bytes, num_bits, two_apart = 0, 0, 0
    for step in range(1, count):
        now, last = places[step], places[step - 1]
        word, length = words[now], np.int64(lengths[now])
        changed = bits_changed(word, words[last], length, np.int64(lengths[last]))
        bits[step - 1] = changed
        num_bits += changed
        num_bytes += bytes_changed(word, words[last], length, np.int64(lengths[last]))
        if step > 1:
            before = places[step - 2]
            two_apart += bits_changed(word, words[before], length, np.int64(lengths[before]))
    middle = sorted_median(bits, count - 1)
    x[0] = num_bytes / (count - 1) / longest
    x[1] = bits[count - 2] / (8 * longest)
    x[2] = (bits[count - 2] - middle) / (8 * longest)
    x[3] = (middle - bits[0]) / (8 * longest)
    if count > 2:
        one, two = num_bits / (count - 1), two_apart / (count - 2)
        x[4] = (one - two) / (one + two + 1.0)


@njit(cache=True, nogil=True)
def _content(x, places, dlc, words, lengths, occurrences, added):
    """Write what one ID's bytes look like: 4 values; `occurrences` are left 0, as found."""
    num_bytes, num_bits, nonzero, dlc_changes, known = 0, 0, 0, 0, 0.0
    for step in range(len(places)):
        place = places[step]
        dlc_changes += step > 0 and dlc[place] != dlc[places[step - 1]]
        word = words[place]
        num_bytes += np.int64(lengths[place])
        num_bits += bits_set(word)
        nonzero += bytes_set(word)
        for _ in range(lengths[place]):
            value = np.int64(word & np.uint64(255))
            word >>= np.uint64(8)
            occurrences[value] += 1
            known += added[occurrences[value]]
    for place in places:
        word = words[place]
        for _ in range(lengths[place]):
            occurrences[np.int64(word & np.uint64(255))] = 0
            word >>= np.uint64(8)
    x[0], x[1], x[2], x[3] = 0.0, 0.0, 0.0, 0.0
    if num_bytes > 1:
        x[0] = max(0.0, np.log2(num_bytes) - known / num_bytes) / np.log2(min(num_bytes, 256))
    if num_bytes:
        x[1] = (num_bytes - nonzero) / num_bytes
        x[2] = num_bits / (8 * num_bytes)
    if len(places) > 1:
        x[3] = dlc_changes / (len(places) - 1)
