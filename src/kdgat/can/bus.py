"""The CAN bus itself: how long a frame lasts, and who may send when several want to."""

import heapq

import numpy as np
from numba import njit

from kdgat.can.frames import STANDARD_IDS

CRC_POLYNOMIAL = 0x4599
"""x^15 + x^14 + x^10 + x^8 + x^7 + x^4 + x^3 + 1 (ISO 11898-1, classical CAN)."""

UNSTUFFED_BITS = 13
"""CRC delimiter, acknowledge slot and delimiter, end of frame (7), intermission (3)."""

SHORTEST_FRAME = 47
"""Bits of a standard frame without data, before stuffing."""

LONGEST_FRAME = 160
"""Bits of an extended frame with 8 bytes, 131, and the most stuff bits it can need, 29."""


def frame_bits(arbitration_id: np.ndarray, dlc: np.ndarray, payload: np.ndarray) -> np.ndarray:
    """Count the bits that each frame occupies on the bus, stuff bits and intermission included.

    The bits are laid out as in ISO 11898-1, CRC included, and the stuff bits counted in them:
    after five equal bits a sender inserts one of the other value.

    Args:
        arbitration_id: integer `[num_frames]`, below 2**29.
        dlc: integer `[num_frames]`, 0 to 8.
        payload: integer `[num_frames, 8]`; bytes from `dlc` on are not read.

    Returns:
        int64 `[num_frames]`, `SHORTEST_FRAME` to `LONGEST_FRAME`.
    """
    return _frame_bits(
        np.asarray(arbitration_id, np.int64), np.asarray(dlc, np.int64), np.asarray(payload)
    )


def frame_time(
    arbitration_id: np.ndarray, dlc: np.ndarray, payload: np.ndarray, bitrate: int
) -> np.ndarray:
    """Return how long each frame occupies a bus of `bitrate` bit/s: int64 `[num_frames]`, µs."""
    bits = frame_bits(arbitration_id, dlc, payload)
    return np.rint(bits * (1e6 / bitrate)).astype(np.int64)


def priority(arbitration_id: np.ndarray) -> np.ndarray:
    """Return the rank of IDs in arbitration: int64 `[num_frames]`, the lowest wins.

    The first 11 bits decide; among equals a standard frame wins against an extended one.
    """
    number = np.asarray(arbitration_id, np.int64)
    return np.where(number < STANDARD_IDS, number << 19, (number << 1) | 1)


@njit(cache=True, nogil=True)
def arbitrate(ready, duration, rank):
    """Send frames over one bus: of those that wait, the lowest rank goes first.

    Sending is never interrupted, and frames of equal rank go in the order given. No frame is
    lost: one that finds the bus busy waits.

    Args:
        ready: int64 `[num_frames]`, time at which a frame wants the bus, ascending.
        duration: int64 `[num_frames]`, time on the bus, in the unit of `ready`.
        rank: int64 `[num_frames]`, see `priority`.

    Returns:
        order: int64 `[num_frames]`, the frame that is sent first, second, ...
        end: int64 `[num_frames]`, when that frame has been sent; not descending.
    """
    num_frames = len(ready)
    order = np.empty(num_frames, np.int64)
    end = np.empty(num_frames, np.int64)
    waiting = [(np.int64(0), np.int64(0)) for _ in range(0)]
    now = np.int64(0)
    arrived = 0
    for place in range(num_frames):
        if len(waiting) == 0:
            now = ready[arrived] if place == 0 else max(now, ready[arrived])
        while arrived < num_frames and ready[arrived] <= now:
            heapq.heappush(waiting, (rank[arrived], np.int64(arrived)))
            arrived += 1
        frame = heapq.heappop(waiting)[1]
        now += duration[frame]
        order[place] = frame
        end[place] = now
    return order, end


@njit(cache=True, nogil=True)
def _write(bits, position, value, width):
    """Write the `width` lowest bits of `value`, highest first; return the next position."""
    for shift in range(width - 1, -1, -1):
        bits[position] = (value >> shift) & 1
        position += 1
    return position


@njit(cache=True, nogil=True)
def _write_header(bits, arbitration_id, dlc):
    """Write start of frame, identifier, control bits and length; return the next position."""
    position = _write(bits, 0, 0, 1)
    if arbitration_id < STANDARD_IDS:
        position = _write(bits, position, arbitration_id, 11)
        position = _write(bits, position, 0, 3)  # RTR, IDE, r0
    else:
        position = _write(bits, position, arbitration_id >> 18, 11)
        position = _write(bits, position, 3, 2)  # SRR, IDE
        position = _write(bits, position, arbitration_id & 0x3FFFF, 18)
        position = _write(bits, position, 0, 3)  # RTR, r1, r0
    return _write(bits, position, dlc, 4)


@njit(cache=True, nogil=True)
def _crc(bits, length):
    crc = 0
    for position in range(length):
        feedback = bits[position] ^ (crc >> 14)
        crc = (crc << 1) & 0x7FFF
        if feedback:
            crc ^= CRC_POLYNOMIAL
    return crc


@njit(cache=True, nogil=True)
def _count_stuff_bits(bits, length):
    stuffed, run, last = 0, 0, 2
    for position in range(length):
        run = run + 1 if bits[position] == last else 1
        last = bits[position]
        if run == 5:
            stuffed += 1
            last = 1 - last
            run = 1
    return stuffed


@njit(cache=True, nogil=True)
def _frame_bits(arbitration_id, dlc, payload):
    bits = np.zeros(39 + 64 + 15, np.int64)
    total = np.empty(len(arbitration_id), np.int64)
    for frame in range(len(arbitration_id)):
        length = _write_header(bits, arbitration_id[frame], dlc[frame])
        for position in range(dlc[frame]):
            length = _write(bits, length, payload[frame, position], 8)
        length = _write(bits, length, _crc(bits, length), 15)
        total[frame] = length + _count_stuff_bits(bits, length) + UNSTUFFED_BITS
    return total
