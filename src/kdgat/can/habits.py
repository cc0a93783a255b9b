"""How a profile learns: one frame after another into the state of its arbitration ID."""

import numpy as np
from numba import njit

from kdgat.can.clock import PAUSE
from kdgat.can.frames import ABSENT, MAX_DLC


@njit(cache=True, nogil=True)
def learn(
    timestamp,
    row,
    dlc,
    payload,
    clock,
    last_timestamp,
    count,
    gap_count,
    gap_mean,
    gap_squares,
    gap_min,
    gap_max,
    silence,
    last_seen,
    dlc_min,
    dlc_max,
    byte_min,
    byte_max,
    byte_last,
    byte_changes,
):
    """Take frames into the state of `Profile` (changed in place); return the clock."""
    for frame in range(len(timestamp)):
        step = timestamp[frame] - last_timestamp
        if 0.0 <= step <= PAUSE:
            clock += step
        last_timestamp = timestamp[frame]
        number = row[frame]
        continues = not np.isnan(last_seen[number])
        gap = clock - last_seen[number] if continues else clock
        silence[number] = max(silence[number], gap)
        if continues:
            gap_count[number] += 1
            apart = gap - gap_mean[number]
            # Welford 1962: mean and sum of squares of a stream.
            gap_mean[number] += apart / gap_count[number]
            gap_squares[number] += apart * (gap - gap_mean[number])
            gap_min[number] = min(gap_min[number], gap)
            gap_max[number] = max(gap_max[number], gap)
        count[number] += 1
        last_seen[number] = clock
        dlc_min[number] = min(dlc_min[number], dlc[frame])
        dlc_max[number] = max(dlc_max[number], dlc[frame])
        for place in range(MAX_DLC):
            value = payload[frame, place]
            if value != ABSENT:
                byte_min[number, place] = min(byte_min[number, place], value)
                byte_max[number, place] = max(byte_max[number, place], value)
            byte_changes[number, place] += continues and value != byte_last[number, place]
            byte_last[number, place] = value
    return clock
