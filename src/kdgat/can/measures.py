"""Small sums that several kernels share.

Kernels elsewhere are compiled with these inside, and numba's cache notices a change of the
kernel's own file alone: after a change here, remove the `__pycache__` folders beside it.
"""

import numpy as np
from numba import njit

TICK = 1e-6
"""Resolution of the logs in s; added above and below in ratios of times, so 0 to 0 is 1."""

FEW = 40
"""Values up to which insertion is the faster sort."""

ODD_BITS, TWO_BITS, FOUR_BITS, ONES = (
    np.uint64(int(byte * 8, 16)) for byte in ("55", "33", "0f", "01")
)


@njit(cache=True, nogil=True)
def ratio(time, reference):
    """Divide two times in s; both 0 gives 1."""
    return (time + TICK) / (reference + TICK)


@njit(cache=True, nogil=True)
def log1p(value):
    """Return log(1 + value): no value is so near 0 that the slower function would matter."""
    return np.log(1.0 + value)


@njit(cache=True, nogil=True)
def sort(values):
    """Sort in place: a few values by insertion, since numba's own sort allocates memory."""
    if len(values) > FEW:
        values.sort()
        return
    for place in range(1, len(values)):
        value = values[place]
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@njit(cache=True, nogil=True)
def sorted_median(values, count):
    """Return the median of the first values, sorting them in place."""
    sort(values[:count])
    return 0.5 * (values[(count - 1) // 2] + values[count // 2])


@njit(cache=True, nogil=True)
def bits_set(word):
    """Count the bits of a 64-bit word that are 1."""
    word -= (word >> np.uint64(1)) & ODD_BITS
    word = (word & TWO_BITS) + ((word >> np.uint64(2)) & TWO_BITS)
    word = (word + (word >> np.uint64(4))) & FOUR_BITS
    return np.int64((word * ONES) >> np.uint64(56))


@njit(cache=True, nogil=True)
def bytes_set(word):
    """Count the bytes of a 64-bit word that are not 0."""
    word |= word >> np.uint64(4)
    word |= word >> np.uint64(2)
    word |= word >> np.uint64(1)
    return np.int64(((word & ONES) * ONES) >> np.uint64(56))


@njit(cache=True, nogil=True)
def differing(one, other, shorter):
    """Return the bits in which two packed payloads differ, of the bytes that both have."""
    if shorter == 0:
        return np.uint64(0)
    return (one ^ other) << np.uint64(64 - 8 * shorter)


@njit(cache=True, nogil=True)
def bits_changed(one, other, one_length, other_length):
    """Count differing bits of two payloads; a byte that only one of them has counts 8."""
    shorter = min(one_length, other_length)
    return bits_set(differing(one, other, shorter)) + 8 * abs(one_length - other_length)


@njit(cache=True, nogil=True)
def bytes_changed(one, other, one_length, other_length):
    """Count positions at which two payloads differ."""
    shorter = min(one_length, other_length)
    return bytes_set(differing(one, other, shorter)) + abs(one_length - other_length)


@njit(cache=True, nogil=True)
def select(values, rank):
    """Put the value of a rank in its place, smaller ones before and larger ones behind it."""
    low, high = 0, len(values) - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if rank <= right:
            high = right
        elif rank >= left:
            low = left
        else:
            return


@njit(cache=True, nogil=True)
def median(values):
    """Return the median, moving values about (Hoare 1961: only the middle is put in order)."""
    count = len(values)
    select(values, count // 2)
    upper = values[count // 2]
    if count % 2:
        return upper
    return 0.5 * (values[: count // 2].max() + upper)
