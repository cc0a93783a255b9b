"""What a window says about each of its IDs against the car's profile: the compiled kernels.

`feature_names.py` holds the names and the meaning of every feature, in the order written here.
Times are measured against the ID's own rhythm, bytes against its own habits. Gaps and changes count
from the ID's frame before, even where that lies before the window: an attack cut in two by the
window's edge keeps its evidence. Where it does, a frame on time counts from the one that it follows
in the rhythm of its ID: it is not early because of a frame forged before the window.
"""

import numpy as np
from numba import njit

from kdgat.can.frames import ABSENT, MAX_DLC
from kdgat.can.measures import COMPILED, TICK, log1p, ratio
from kdgat.can.on_time import FEW_GAPS

RHYTHM, BYTES, OF_GRAPH = 2, 10, 17
"""First column of what each kernel writes; the first two are flags."""

EARLY = 0.5
"""A gap below this share of the ID's mean gap is early: the two-line rule of the README."""


@njit(**COMPILED)
def capture_clock(timestamp):
    """Return the time since the capture's first frame, s; a step back counts as no time."""
    clock = np.empty(len(timestamp))
    now = 0.0
    for frame in range(len(timestamp)):
        if frame > 0:
            now += max(0.0, timestamp[frame] - timestamp[frame - 1])
        clock[frame] = now
    return clock


@njit(**COMPILED)
def frames_before(codes, num_ids):
    """Return the frame of the same ID before each frame, -1 for none: int64 `[num_frames]`."""
    last = np.full(num_ids, -1, np.int64)
    before = np.empty(len(codes), np.int64)
    for frame in range(len(codes)):
        before[frame] = last[codes[frame]]
        last[codes[frame]] = frame
    return before


@njit(**COMPILED)
def fill_profile(
    x, rule_count, clock, before, followed, codes, row_of_id, dlc, payload, starts, window, layout,
    habits,
):  # fmt: skip
    """Write the features of every node against the profile.

    Args:
        x: float32 `[num_nodes, 20]`, written to.
        rule_count: int32 `[num_graphs]`, zeros, added to, see `graphs.Graphs`.
        clock: float64 `[num_frames]`, of `capture_clock`.
        before: int64 `[num_frames]`, of `frames_before`.
        followed: int64 `[num_frames]`, of `frames_followed`.
        codes: int32 `[num_frames]`, number of each frame's ID in the capture.
        row_of_id: int64 `[num_ids]`, the ID's row in the profile, -1 if it has none.
        dlc: uint8 `[num_frames]`.
        payload: int16 `[num_frames, 8]`.
        starts: int64 `[num_graphs]`, first frame of each window.
        window: Frames in a window.
        layout: Of these windows.
        habits: Of the profile, see `graphs.Habits`.
    """
    for graph in range(len(starts)):
        first, last = layout.node_offsets[graph], layout.node_offsets[graph + 1]
        suspicious = 0
        end = clock[starts[graph] + window - 1]
        for node in range(first, last):
            places = layout.frames[layout.frame_bounds[node] : layout.frame_bounds[node + 1]]
            row = row_of_id[layout.node_code[node]]
            x[node, :OF_GRAPH] = 0.0
            x[node, 0] = 1.0
            if row < 0:
                x[node, 1] = 1.0
                suspicious += len(places)
                rule_count[graph] += len(places)
            else:
                frames = starts[graph] + places
                suspicious += _rhythm(x[node, RHYTHM:], frames, clock, followed, end, row, habits)
                rule_count[graph] += _early(frames, clock, before, row, habits)
                _bytes(x[node, BYTES:], frames, followed, dlc, payload, row, habits)
                expected = habits.share[row] * window
                x[node, OF_GRAPH - 1] = np.log((len(places) + 1.0) / (expected + 1.0))
        count, longest = _silent_ids(starts[graph], window, clock, codes, row_of_id, habits)
        x[first:last, OF_GRAPH] = log1p(suspicious)
        x[first:last, OF_GRAPH + 1] = log1p(count)
        x[first:last, OF_GRAPH + 2] = log1p(longest)


@njit(**COMPILED)
def _rhythm(x, frames, clock, followed, end, row, habits):
    """Write the gaps of one ID against its own rhythm: 8 values; count its early frames."""
    usual, early, num_gaps = habits.gap_mean[row], 0, 0
    total, shortest, longest = 0.0, np.inf, 0.0
    last = followed[frames[0]]
    for frame in frames:
        if last >= 0:
            gap = clock[frame] - clock[last]
            num_gaps += 1
            total += gap
            shortest = min(shortest, gap)
            longest = max(longest, gap)
            early += gap < EARLY * usual
        last = frame
    silence = max(longest, end - clock[last])
    x[7] = log1p(max(0.0, ratio(silence, habits.longest_silence[row]) - 1.0))
    if num_gaps == 0 or habits.gap_count[row] == 0:
        return 0
    mean, squares = total / num_gaps, 0.0
    last = followed[frames[0]]
    for frame in frames:
        if last >= 0:
            squares += (clock[frame] - clock[last] - mean) ** 2
        last = frame
    x[0] = np.log(ratio(shortest, usual))
    x[1] = np.log(ratio(mean, usual))
    x[2] = np.log(ratio(longest, usual))
    spread = log1p(ratio(np.sqrt(squares / num_gaps), usual))
    x[3] = spread - log1p(ratio(habits.gap_std[row], usual))
    x[4] = log1p(max(0.0, ratio(habits.gap_min[row], shortest) - 1.0))
    x[5] = log1p(max(0.0, usual - shortest) / (_spread(row, habits) + TICK))
    x[6] = early / len(frames)
    return early


@njit(**COMPILED)
def _early(frames, clock, before, row, habits):
    """Count early frames as the two-line rule does: after any frame of the ID."""
    early = 0
    for frame in frames:
        if before[frame] >= 0:
            early += clock[frame] - clock[before[frame]] < EARLY * habits.gap_mean[row]
    return early


@njit(**COMPILED)
def _spread(row, habits):
    """Return the standard deviation of an ID's gaps, and of one more that is off by their mean.

    Of few gaps, equal by chance, it is large: they do not say how regular an ID is.
    """
    count, usual = habits.gap_count[row], habits.gap_mean[row]
    return np.sqrt((count * habits.gap_std[row] ** 2 + usual**2) / (count + 1))


@njit(**COMPILED)
def _bytes(x, frames, followed, dlc, payload, row, habits):
    """Write the payloads of one ID against its habits: 6 values."""
    num_bytes, num_new, most_new, wrong_length = 0, 0, 0.0, 0
    compared, changes, unlikely, frozen = 0, 0.0, 0.0, 0.0
    low, high, rates = habits.byte_min[row], habits.byte_max[row], habits.change_rate[row]
    last = followed[frames[0]]
    for frame in frames:
        length, new, touched = 0, 0, 0
        changed, usual, surprise, missed = 0, 0.0, 0.0, 0.0
        for position in range(MAX_DLC):
            value = payload[frame, position]
            if value != ABSENT:
                length += 1
                new += value < low[position] or value > high[position]
            if last >= 0:
                was, rate = payload[last, position], rates[position]
                usual += rate
                touched += value != ABSENT or was != ABSENT
                if value != was:
                    changed += 1
                    surprise += 1.0 - rate
                elif value != ABSENT:
                    missed += rate
        num_bytes += length
        num_new += new
        if length:
            most_new = max(most_new, new / length)
        wrong_length += dlc[frame] < habits.dlc_min[row] or dlc[frame] > habits.dlc_max[row]
        if touched:
            compared += 1
            changes += (changed - usual) / touched
            unlikely = max(unlikely, surprise / touched)
            frozen = max(frozen, missed / touched)
        last = frame
    x[0] = num_new / num_bytes if num_bytes else 0.0
    x[1] = most_new
    if compared and habits.gap_count[row]:
        x[2] = min(1.0, max(-1.0, changes / compared))
        x[3] = unlikely
        x[4] = frozen
    x[5] = wrong_length / len(frames)


@njit(**COMPILED)
def _silent_ids(start, window, clock, codes, row_of_id, habits):
    """Count the profile's IDs silent for longer than ever; return the largest excess, too.

    `habits.last_frame` and `habits.seen` carry what earlier windows have read, so that each frame
    of the capture is read once; a window before the last one starts from the beginning.
    """
    end = start + window
    if habits.seen[0] > end:
        habits.seen[0] = 0
        habits.last_frame[:] = -1
    for frame in range(habits.seen[0], end):
        row = row_of_id[codes[frame]]
        if row >= 0:
            habits.last_frame[row] = frame
    habits.seen[0] = end
    count, longest = 0, 0.0
    for row in range(len(habits.last_frame)):
        last = habits.last_frame[row]
        if last < start and habits.gap_count[row] >= FEW_GAPS:
            silence = clock[end - 1] - (clock[last] if last >= 0 else 0.0)
            excess = ratio(silence, habits.longest_silence[row]) - 1.0
            count += excess > 0.0
            longest = max(longest, excess)
    return count, longest
