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
    return bus_time(frame_bits(arbitration_id, dlc, payload), bitrate)


def bus_time(bits: np.ndarray, bitrate: int) -> np.ndarray:
    """Return how long so many bits occupy a bus of `bitrate` bit/s: int64 `[num_frames]`, µs."""
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
            if arrived + 1 == num_frames or ready[arrived + 1] > now:
                # Nobody else wants the bus.
                now += duration[arrived]
                order[place] = arrived
                end[place] = now
                arrived += 1
                continue
        while arrived < num_frames and ready[arrived] <= now:
            heapq.heappush(waiting, (rank[arrived], np.int64(arrived)))
            arrived += 1
        frame = heapq.heappop(waiting)[1]
        now += duration[frame]
        order[place] = frame
        end[place] = now
    return order, end


def _bit_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tabulate what a byte does, highest bit first, to the CRC and to the run of equal bits.

    A run is a number: its last bit times 5, and its length less 1. A stuff bit begins a run.

    Returns:
        Remainder of each byte, int64 `[256]`; stuff bits and the run afterwards, by run and
        byte, int64 `[10, 256]` twice.
    """
    crc = np.zeros(256, np.int64)
    stuffed, after = np.zeros((10, 256), np.int64), np.zeros((10, 256), np.int64)
    for byte in range(256):
        bits = [(byte >> shift) & 1 for shift in range(7, -1, -1)]
        remainder = 0
        for bit in bits:
            feedback = bit ^ (remainder >> 14)
            remainder = ((remainder << 1) & 0x7FFF) ^ (CRC_POLYNOMIAL * feedback)
        crc[byte] = remainder
        for run in range(10):
            now, count = run, 0
            for bit in bits:
                now, stuff = _run_after(now, bit)
                count += stuff
            stuffed[run, byte], after[run, byte] = count, now
    return crc, stuffed, after


def _run_after(run: int, bit: int) -> tuple[int, int]:
    """Return the run of equal bits after one more, and whether it takes a stuff bit."""
    last, length = run // 5, run % 5 + 1
    length = length + 1 if bit == last else 1
    return (5 * (1 - bit), 1) if length == 5 else (5 * bit + length - 1, 0)


CRC_OF_BYTE, STUFFED, RUN_AFTER = _bit_tables()

STUFFED_BIT = np.array([[_run_after(run, bit)[1] for bit in (0, 1)] for run in range(10)])
RUN_AFTER_BIT = np.array([[_run_after(run, bit)[0] for bit in (0, 1)] for run in range(10)])


@njit(cache=True, nogil=True)
def _take_bits(value, width, run):
    """Count the stuff bits in the `width` lowest bits of `value`; return the run, too."""
    count = 0
    for shift in range(width - 1, -1, -1):
        bit = (value >> shift) & 1
        count += STUFFED_BIT[run, bit]
        run = RUN_AFTER_BIT[run, bit]
    return count, run


@njit(cache=True, nogil=True)
def _frame_bits(arbitration_id, dlc, payload):
    """Go through each frame byte by byte: bits before the first whole byte go one by one."""
    total = np.empty(len(arbitration_id), np.int64)
    for frame in range(len(arbitration_id)):
        number = arbitration_id[frame]
        if number < STANDARD_IDS:
            # Start of frame, ID; RTR, IDE, r0; length.
            head, width = (number << 7) | dlc[frame], 19
        else:
            # Start of frame, upper ID; SRR, IDE; lower ID; RTR, r1, r0; length.
            head = ((number >> 18) << 27) | (3 << 25) | ((number & 0x3FFFF) << 7) | dlc[frame]
            width = 39
        # No bit has been sent: the first one, a 0, begins a run.
        stuffed, run = _take_bits(head >> (width // 8 * 8), width % 8 - 1, 0)
        crc = CRC_OF_BYTE[head >> (width // 8 * 8)]
        for shift in range(width // 8 * 8 - 8, -1, -8):
            byte = (head >> shift) & 255
            stuffed += STUFFED[run, byte]
            run = RUN_AFTER[run, byte]
            crc = ((crc << 8) & 0x7FFF) ^ CRC_OF_BYTE[(crc >> 7) ^ byte]
        for position in range(dlc[frame]):
            byte = np.int64(payload[frame, position])
            stuffed += STUFFED[run, byte]
            run = RUN_AFTER[run, byte]
            crc = ((crc << 8) & 0x7FFF) ^ CRC_OF_BYTE[(crc >> 7) ^ byte]
        count, run = _take_bits(crc >> 8, 7, run)
        stuffed += count + STUFFED[run, crc & 255]
        total[frame] = width + 8 * dlc[frame] + 15 + stuffed + UNSTUFFED_BITS
    return total
