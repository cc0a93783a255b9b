"""Fingerprints of a capture's content: what of one recording reappears in another.

Winnowing (Schleimer, Wilkerson and Aiken 2003): every run of a few consecutive frames has a hash,
and one run in `SAMPLED` is kept, chosen by its hash. The same frames are therefore chosen wherever
they lie: under another name, from the middle of a longer recording, with attack frames spliced in
between, or with another label.

`TIMED` runs are 8 frames with the times between them, so they survive splicing that leaves eight
frames in a row here and there, and chance does not repeat them: between different captures of the
public sets none is shared. `UNTIMED` runs are 64 frames without any time: they find copies whose
timestamps were rewritten, but a parked car may repeat itself. A copy with rewritten timestamps and
attacks spliced in all through is found by neither.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit

from kdgat.can.frames import payload

SAMPLED = 16
"""One run in so many is kept: 1 MB per 2 million frames, and 60 runs of 1,000 frames."""

MICROSECONDS = 1e6
"""Resolution of the public logs, per second."""

ODD = np.uint64(0x9E3779B97F4A7C15)
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Run:
    """What a fingerprint covers.

    Attributes:
        length: frames in a run.
        timed: whether the times between the frames count.
    """

    length: int
    timed: bool


TIMED = Run(length=8, timed=True)
UNTIMED = Run(length=64, timed=False)


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """The sampled runs of one capture, in its order.

    Attributes:
        key: hash of a run, uint64 `[num_runs]`.
        frame: its first frame, int64 `[num_runs]`.
        length: frames in a run.
    """

    key: np.ndarray
    frame: np.ndarray
    length: int

    def within(self, covered: np.ndarray) -> np.ndarray:
        """Return the keys of the runs that lie wholly in covered frames.

        Args:
            covered: bool `[num_frames]`.
        """
        up_to = np.concatenate([[0], np.cumsum(covered, dtype=np.int64)])
        whole = up_to[self.frame + self.length] - up_to[self.frame] == self.length
        return self.key[whole]


def fingerprints(frames: pd.DataFrame, run: Run) -> Fingerprints:
    """Take the fingerprints of a capture; labels and absolute times do not enter.

    A run in which a frame mostly equals the one before is left out: floods look alike everywhere.

    Args:
        frames: frame table.
        run: `TIMED` or `UNTIMED`.
    """
    ticks = np.rint(frames["timestamp"].to_numpy() * MICROSECONDS).astype(np.int64)
    hashes = frame_hashes(frames["arbitration_id"].to_numpy().astype(np.uint64), payload(frames))
    key, frame = _sampled_runs(hashes, ticks, run.length, run.timed)
    return Fingerprints(key, frame, run.length)


@njit(cache=True, nogil=True)
def mix(value):
    """Scramble 64 bits (the finaliser of splitmix64, Steele, Lea and Flood 2014)."""
    value ^= value >> SHIFTS[0]
    value *= FIRST_FACTOR
    value ^= value >> SHIFTS[1]
    value *= SECOND_FACTOR
    return value ^ (value >> SHIFTS[2])


@njit(cache=True, nogil=True)
def frame_hashes(arbitration_id, payload_bytes):
    """Hash ID, length and bytes of every frame.

    Args:
        arbitration_id: uint64 `[num_frames]`.
        payload_bytes: int16 `[num_frames, 8]`; an absent byte differs from any other.

    Returns:
        uint64 `[num_frames]`.
    """
    hashes = np.empty(len(arbitration_id), np.uint64)
    for frame in range(len(arbitration_id)):
        value = mix(arbitration_id[frame] + ODD)
        for byte in payload_bytes[frame]:
            value = mix(value + np.uint64(byte + 2) * ODD)
        hashes[frame] = value
    return hashes


@njit(cache=True, nogil=True)
def _sampled_runs(hashes, ticks, length, timed):
    """Roll a polynomial over the frames (Rabin and Karp 1987): one step a frame, whatever length.

    The time before a run's first frame is not part of the run: its term is taken off at the end.
    """
    num_frames = len(hashes)
    oldest = np.uint64(1)
    for _ in range(length - 1):
        oldest *= ODD
    times = np.zeros(num_frames, np.uint64)
    if timed:
        for frame in range(1, num_frames):
            times[frame] = mix(np.uint64(ticks[frame] - ticks[frame - 1]) + ODD)
    keys = np.empty(num_frames, np.uint64)
    frames = np.empty(num_frames, np.int64)
    kept, total, changes = 0, np.uint64(0), 0
    for last in range(num_frames):
        first = last - length + 1
        if first > 0:
            total -= (hashes[first - 1] + times[first - 1]) * oldest
            changes -= hashes[first] != hashes[first - 1]
        total = total * ODD + hashes[last] + times[last]
        changes += last > 0 and hashes[last] != hashes[last - 1]
        if first < 0 or changes * 4 < length:
            continue
        key = mix(total - times[first] * oldest)
        if key % np.uint64(SAMPLED) == 0:
            keys[kept] = key
            frames[kept] = first
            kept += 1
    return keys[:kept].copy(), frames[:kept].copy()
