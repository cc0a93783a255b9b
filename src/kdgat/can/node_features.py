"""What a window says about each of its IDs: the compiled kernels.

`feature_names.py` holds the names and the meaning of every feature, in the order written here.
Nothing depends on the car's own scale: times are compared with the window's other times,
counts with other counts, and the ID's value is never a feature.
"""

import numpy as np
from numba import njit

from kdgat.can.frames import MAX_DLC
from kdgat.can.measures import (
    COMPILED,
    INLINED,
    NETWORK,
    TICK,
    bits_changed,
    bits_set,
    bytes_changed,
    bytes_set,
    extent,
    log1p,
    log1p_above,
    ratio,
    two_largest,
)

TIME, BEFORE, AFTER = range(3)
"""Rows of a window's times, one a frame, ordered by ID: since its start, its last, to its next."""

LENGTH, DLC, ONES, NONZERO, BYTES, BITS, BITS_OF_TWO = range(7)
"""Rows of a window's counts, likewise: what a payload holds, and how it differs from earlier."""

LOWEST_BYTE = np.uint64(255)
ONE_IN_SIXTEEN = np.uint64(0x0001000100010001)

RHYTHM, BUS, CHANGE, CONTENT = 1, 7, 9, 14
"""First column of what each kernel writes."""

EVEN = np.log(2.0)
"""log1p(1): what the ratio of two equal times gives."""


def pack_payload(payload: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pack payloads: bytes as uint64 `[num_frames]` (absent ones 0), and uint8 how many.

    Args:
        payload: int16 `[num_frames, 8]`, 0 to 255, `ABSENT` where absent.
    """
    return _pack(np.ascontiguousarray(payload, "<i2").view("<u8"))


@njit(**COMPILED)
def _pack(fours):
    """Pack payloads of which uint64 `[num_frames, 2]` hold four bytes each, in 16 bits."""
    words = np.empty(len(fours), np.uint64)
    lengths = np.empty(len(fours), np.uint8)
    for frame in range(len(fours)):
        word, absent = np.uint64(0), np.uint64(0)
        for half in range(2):
            four = fours[frame, half]
            # `ABSENT` is the one value whose sign bit is set; it becomes 0.
            signs = (four >> np.uint64(15)) & ONE_IN_SIXTEEN
            four &= ~(signs * np.uint64(0xFFFF))
            four = (four | (four >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
            four = (four | (four >> np.uint64(16))) & np.uint64(0xFFFFFFFF)
            word |= four << np.uint64(32 * half)
            absent += signs
        words[frame] = word
        lengths[frame] = MAX_DLC - np.int64((absent * ONE_IN_SIXTEEN) >> np.uint64(48))
    return words, lengths


@njit(**COMPILED)
def fill_nodes(x, dlc, words, lengths, starts, window, layout):
    """Write the features of every node into the first columns of `x`, 0 into the others.

    Args:
        x: float32 `[num_nodes, num_columns]`, written to.
        dlc: uint8 `[num_frames]`.
        words: uint64 `[num_frames]`, payloads as `pack_payload` gives them.
        lengths: uint8 `[num_frames]`, bytes in them.
        starts: int64 `[num_graphs]`, first frame of each window.
        window: Frames in a window.
        layout: Of these windows.
    """
    frames, bounds, offsets = layout.frames, layout.frame_bounds, layout.node_offsets
    clock, median_gap = layout.clock, layout.median_gap
    times, payloads = np.empty((3, window)), np.empty(window, np.uint64)
    counts = np.zeros((7, window), np.int64)
    values, occurrences = np.empty(max(window, NETWORK)), np.zeros(256, np.int64)
    log2, added = _entropy_steps(window * MAX_DLC)
    for graph in range(len(starts)):
        _order_times(times, frames, graph, window, clock)
        _order_payloads(payloads, counts, frames, graph, starts[graph], dlc, words, lengths)
        _compare_payloads(payloads, counts)
        largest, second = two_largest(bounds, offsets[graph], offsets[graph + 1])
        for node in range(offsets[graph], offsets[graph + 1]):
            first, last = bounds[node] - graph * window, bounds[node + 1] - graph * window
            # Only the most frequent ID, if there is one, outnumbers all others.
            excess = (last - first) / second - 1.0 if last - first == largest else 0.0
            x[node, 0] = log1p_above(excess)
            if last - first > 1:
                _rhythm(x, node, times, first, last, clock[graph, window - 1], values)
                _change(x, node, counts, first, last, values)
            else:
                _nothing_between(x, node)
            at_start = frames[graph * window + first] == 0
            at_end = frames[graph * window + last - 1] == window - 1
            _bus(x, node, times, first, last, at_start, at_end, median_gap[graph])
            _content(x, node, payloads, counts, first, last, occurrences, log2, added)
            for column in range(CONTENT + 4, x.shape[1]):
                x[node, column] = 0.0


@njit(**COMPILED)
def _entropy_steps(most):
    """Return log2(n), and what the n-th occurrence of a value adds to the sum of n log2(n)."""
    log2, added = np.zeros((2, max(most, 256) + 1))
    for count in range(2, len(log2)):
        log2[count] = np.log2(count)
        added[count] = count * log2[count] - (count - 1) * log2[count - 1]
    return log2, added


@njit(**INLINED)
def _order_times(times, frames, graph, window, clock):
    """Write when the frames of a window come, ordered by ID: rows `TIME`, `BEFORE`, `AFTER`."""
    for rank in range(window):
        place = frames[graph * window + rank]
        now = clock[graph, place]
        times[TIME, rank] = now
        times[BEFORE, rank] = now - clock[graph, max(place - 1, 0)]
        times[AFTER, rank] = clock[graph, min(place + 1, window - 1)] - now


@njit(**INLINED)
def _order_payloads(payloads, counts, frames, graph, start, dlc, words, lengths):
    """Write the payloads of a window, ordered by ID, and what each holds."""
    window = len(payloads)
    for rank in range(window):
        frame = start + frames[graph * window + rank]
        payloads[rank] = words[frame]
        counts[DLC, rank] = dlc[frame]
        counts[LENGTH, rank] = lengths[frame]
    for rank in range(window):
        counts[ONES, rank] = bits_set(payloads[rank])
        counts[NONZERO, rank] = bytes_set(payloads[rank])


@njit(**INLINED)
def _compare_payloads(payloads, counts):
    """Write how each payload differs from the one before, and in bits from the last but one.

    A node does not read what its first frames differ from: these are of another ID.
    """
    for rank in range(1, len(payloads)):
        now, last = payloads[rank], payloads[rank - 1]
        length, last_length = counts[LENGTH, rank], counts[LENGTH, rank - 1]
        counts[BYTES, rank] = bytes_changed(now, last, length, last_length)
        counts[BITS, rank] = bits_changed(now, last, length, last_length)
    for rank in range(2, len(payloads)):
        now, last = payloads[rank], payloads[rank - 2]
        length, last_length = counts[LENGTH, rank], counts[LENGTH, rank - 2]
        counts[BITS_OF_TWO, rank] = bits_changed(now, last, length, last_length)


@njit(**INLINED)
def _nothing_between(x, node):
    """Write what `_rhythm` and `_change` say of an ID that sends one frame."""
    for column in range(RHYTHM, BUS):
        x[node, column] = 0.0
    for column in (RHYTHM, RHYTHM + 1, RHYTHM + 3):
        x[node, column] = EVEN
    for column in range(CHANGE, CONTENT):
        x[node, column] = 0.0


@njit(**INLINED)
def _rhythm(x, node, times, first, last, duration, gaps):
    """Write how regularly one ID sends: 6 values, of two frames or more."""
    count = last - first
    even = duration / count
    total, short, half = 0.0, 0, 0.5 * even
    for rank in range(first + 1, last):
        gap = times[TIME, rank] - times[TIME, rank - 1]
        gaps[rank - first - 1] = gap
        total += gap
        short += gap < half
    mean, squares = total / (count - 1), 0.0
    for step in range(count - 1):
        squares += (gaps[step] - mean) ** 2
    shortest, middle, longest = extent(gaps, count - 1)
    silence = max(times[TIME, first], duration - times[TIME, last - 1])
    x[node, RHYTHM] = log1p(ratio(middle, shortest))
    x[node, RHYTHM + 1] = log1p(ratio(longest, middle))
    x[node, RHYTHM + 2] = log1p(np.sqrt(squares / (count - 1)) / (mean + TICK))
    x[node, RHYTHM + 3] = log1p(ratio(even, shortest))
    x[node, RHYTHM + 4] = short / (count - 1)
    x[node, RHYTHM + 5] = log1p(max(0.0, ratio(silence, longest) - 1.0))


@njit(**INLINED)
def _bus(x, node, times, first, last, at_start, at_end, median_gap):
    """Write when one ID's frames come relative to the bus: 2 values, in median bus gaps."""
    before, after = 0.0, 0.0
    for rank in range(first, last):
        before += times[BEFORE, rank]
        after += times[AFTER, rank]
    # The first frame of the window has none before it, the last none after it.
    num_before, num_after = last - first - at_start, last - first - at_end
    mean_before = before / num_before if num_before else median_gap
    mean_after = after / num_after if num_after else median_gap
    x[node, BUS] = log1p(ratio(mean_before, median_gap))
    x[node, BUS + 1] = log1p(ratio(mean_after, median_gap))


@njit(**INLINED)
def _change(x, node, counts, first, last, bits):
    """Write how one ID's payload changes from frame to frame: 5 values, of two frames or more."""
    steps, longest = last - first - 1, counts[LENGTH, first]
    num_bytes, num_bits, two_apart = 0, 0, 0
    for rank in range(first + 1, last):
        longest = max(longest, counts[LENGTH, rank])
        num_bytes += counts[BYTES, rank]
        num_bits += counts[BITS, rank]
        bits[rank - first - 1] = counts[BITS, rank]
    for rank in range(first + 2, last):
        two_apart += counts[BITS_OF_TWO, rank]
    fewest, middle, most = extent(bits, steps)
    # An ID without data has 0 everywhere.
    longest = max(1, longest)
    x[node, CHANGE] = num_bytes / steps / longest
    x[node, CHANGE + 1] = most / (8 * longest)
    x[node, CHANGE + 2] = (most - middle) / (8 * longest)
    x[node, CHANGE + 3] = (middle - fewest) / (8 * longest)
    one, two = num_bits / steps, two_apart / max(1, steps - 1)
    x[node, CHANGE + 4] = (one - two) / (one + two + 1.0) if steps > 1 else 0.0


@njit(**INLINED)
def _content(x, node, payloads, counts, first, last, occurrences, log2, added):
    """Write what one ID's bytes look like: 4 values; `occurrences` are left as they lie."""
    num_bytes, num_bits, nonzero, dlc_changes, known = 0, 0, 0, 0, 0.0
    for value in range(len(occurrences)):
        occurrences[value] = 0
    for rank in range(first, last):
        length, word = counts[LENGTH, rank], payloads[rank]
        num_bytes += length
        num_bits += counts[ONES, rank]
        nonzero += counts[NONZERO, rank]
        for _ in range(length):
            value = word & LOWEST_BYTE
            word >>= np.uint64(8)
            occurrences[value] += 1
            known += added[np.uint64(occurrences[value])]
    for rank in range(first + 1, last):
        dlc_changes += counts[DLC, rank] != counts[DLC, rank - 1]
    bytes_at_least, steps = max(2, num_bytes), max(1, last - first - 1)
    entropy = max(0.0, log2[bytes_at_least] - known / bytes_at_least)
    entropy = entropy / log2[min(bytes_at_least, 256)]
    x[node, CONTENT] = entropy if num_bytes > 1 else 0.0
    x[node, CONTENT + 1] = (num_bytes - nonzero) / max(1, num_bytes)
    x[node, CONTENT + 2] = num_bits / (8 * max(1, num_bytes))
    x[node, CONTENT + 3] = dlc_changes / steps
