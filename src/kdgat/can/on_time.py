"""Which frames come when their ID is due, whatever somebody else sends in between.

Many IDs are sent by a timer: a late frame is followed by one that is on time. A clock that runs at
the ID's mean gap and leans a little towards each frame that is near it (a phase-locked loop)
therefore tells the car's own frames from forged ones, also from those of an attacker who sends at
nearly the same rate.
"""

import numpy as np
from numba import njit

from kdgat.can.measures import COMPILED

FEW_GAPS = 10
"""An ID of which the profile knows fewer gaps has no rhythm; its absence is no silence. Other
kernels read it: see the warning of `measures`."""

LARGEST_SPREAD = 0.1
"""An ID whose gaps have a larger standard deviation, in mean gaps, has no rhythm."""

ON_TIME = 0.1
"""A frame is on time within this share of the mean gap, or three standard deviations if more."""

GAIN = 0.1
"""Share of a frame's delay by which the clock is moved. It follows a rate that is off by up to
ON_TIME * GAIN, 1 %; timers drift by far less."""

LOST = 5.0
"""Mean gaps without a frame on time after which the next one sets the clock, whoever sent it."""


@njit(**COMPILED)
def frames_followed(clock, before, codes, row_of_id, habits):
    """Return which frame each follows in the rhythm of its ID: int64 `[num_frames]`, -1 for none.

    A frame on time follows the one that was on time one period before, any other the frame of its
    ID before. In each period the frame nearest to the clock is the one on time; one that comes
    before it, near enough, has been taken for it until then.

    Args:
        clock: float64 `[num_frames]`, s, never steps back.
        before: int64 `[num_frames]`, the frame of the same ID before each frame, -1 for none.
        codes: int32 `[num_frames]`, number of each frame's ID in the capture.
        row_of_id: int64 `[num_ids]`, the ID's row in the profile, -1 if it has none.
        habits: Of the profile, see `graphs.Habits`.
    """
    followed = before.copy()
    num_rows = len(habits.gap_mean)
    due, seen = np.full(num_rows, -np.inf), np.full(num_rows, -np.inf)
    late = np.zeros(num_rows)
    nearest, last = np.full(num_rows, -1), np.full(num_rows, -1)
    rhythmic = (
        (habits.gap_count >= FEW_GAPS)
        & (habits.gap_mean > 0.0)
        & (habits.gap_std <= LARGEST_SPREAD * habits.gap_mean)
    )
    for frame in range(len(codes)):
        row = row_of_id[codes[frame]]
        if row < 0 or not rhythmic[row]:
            continue
        usual, now = habits.gap_mean[row], clock[frame]
        if now - seen[row] > LOST * usual:
            due[row], seen[row], late[row], nearest[row], last[row] = now, now, 0.0, frame, -1
            continue
        periods = np.rint((now - due[row]) / usual)
        if periods > 0.0:
            due[row] += periods * usual + GAIN * late[row]
            last[row] = nearest[row] if periods == 1.0 else -1
            nearest[row], late[row] = -1, 0.0
        delay = now - due[row]
        tolerance = max(ON_TIME * usual, 3.0 * habits.gap_std[row])
        if abs(delay) <= tolerance and (nearest[row] < 0 or abs(delay) < abs(late[row])):
            seen[row], late[row], nearest[row] = now, delay, frame
            if last[row] >= 0:
                followed[frame] = last[row]
    return followed
