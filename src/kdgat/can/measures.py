"""Small sums that several kernels share.

Kernels elsewhere are compiled with these inside, and numba's cache notices a change of the
kernel's own file alone: after a change here, or of a constant from elsewhere, remove the
`__pycache__` folders beside it.
"""

import numpy as np
from numba import njit

COMPILED = {"cache": True, "nogil": True, "error_model": "numpy"}
"""How kernels are compiled: without a check for division by zero, which none of them does."""

INLINED = COMPILED | {"forceinline": True}
"""How parts of a kernel are compiled that run for every node or edge.

Numba counts the references to an array in instructions that lock the bus; views and calls made for
every node cost more than twice what the features themselves do. So these parts take whole arrays
and places in them, make no views, and become part of the kernel that calls them.
"""

TICK = 1e-6
"""Resolution of the logs in s; added above and below in ratios of times, so 0 to 0 is 1."""

NETWORK = 4
"""Values that a sorting network of five exchanges puts in order (Knuth, volume 3, 5.3.4)."""

ODD_BITS, TWO_BITS, FOUR_BITS, ONES = (
    np.uint64(int(byte * 8, 16)) for byte in ("55", "33", "0f", "01")
)


@njit(**INLINED)
def ratio(time, reference):
    """Divide two times in s; both 0 gives 1."""
    return (time + TICK) / (reference + TICK)


@njit(**INLINED)
def log1p(value):
    """Return log(1 + value): no value is so near 0 that the slower function would matter."""
    return np.log(1.0 + value)


@njit(**INLINED)
def log1p_above(value):
    """Return log(1 + value) of a value above 0, else 0: most are not, and logarithms cost most."""
    return log1p(value) if value > 0.0 else 0.0


@njit(**INLINED)
def two_largest(bounds, first, last):
    """Return the largest group and the second largest, 1 if there is none."""
    largest, second = 0, 1
    for number in range(first, last):
        count = bounds[number + 1] - bounds[number]
        second = max(second, min(count, largest))
        largest = max(largest, count)
    return largest, second


@njit(**COMPILED)
def sort(values, count):
    """Sort the first values in place (Shell 1959): a few by insertion, with no memory allocated."""
    step = 1
    while step < count // 3:
        step = 3 * step + 1
    while step > 0:
        for place in range(step, count):
            value = values[place]
            while place >= step and values[place - step] > value:
                values[place] = values[place - step]
                place -= step
            values[place] = value
        step //= 3


@njit(**INLINED)
def bits_set(word):
    """Count the bits of a 64-bit word that are 1."""
    word -= (word >> np.uint64(1)) & ODD_BITS
    word = (word & TWO_BITS) + ((word >> np.uint64(2)) & TWO_BITS)
    word = (word + (word >> np.uint64(4))) & FOUR_BITS
    return np.int64((word * ONES) >> np.uint64(56))


@njit(**INLINED)
def bytes_set(word):
    """Count the bytes of a 64-bit word that are not 0."""
    word |= word >> np.uint64(4)
    word |= word >> np.uint64(2)
    word |= word >> np.uint64(1)
    return np.int64(((word & ONES) * ONES) >> np.uint64(56))


@njit(**INLINED)
def differing(one, other, shorter):
    """Return the bits in which two packed payloads differ, of the bytes that both have."""
    if shorter == 0:
        return np.uint64(0)
    return (one ^ other) << np.uint64(64 - 8 * shorter)


@njit(**INLINED)
def bits_changed(one, other, one_length, other_length):
    """Count differing bits of two payloads; a byte that only one of them has counts 8."""
    shorter = min(one_length, other_length)
    return bits_set(differing(one, other, shorter)) + 8 * abs(one_length - other_length)


@njit(**INLINED)
def bytes_changed(one, other, one_length, other_length):
    """Count positions at which two payloads differ."""
    shorter = min(one_length, other_length)
    return bytes_set(differing(one, other, shorter)) + abs(one_length - other_length)


@njit(**COMPILED)
def select(values, count, rank):
    """Put the value of a rank in its place, smaller ones before and larger ones behind it.

    Of the first `count` values (Hoare 1961), parted without a branch (Lomuto): where a value
    belongs is anybody's guess. Equal values, of which there are many, are parted from larger ones.
    """
    low, high = 0, count - 1
    while low < high:
        middle = (low + high) // 2
        pivot = values[middle]
        values[middle] = values[high]
        smaller = low
        for place in range(low, high):
            value = values[place]
            values[place], values[smaller] = values[smaller], value
            smaller += value < pivot
        values[high], values[smaller] = values[smaller], pivot
        if rank < smaller:
            high = smaller - 1
            continue
        low = smaller + 1
        for place in range(low, high + 1):
            value = values[place]
            values[place], values[low] = values[low], value
            low += value == pivot
        if rank < low:
            break


@njit(**COMPILED)
def median(values, count):
    """Return the median of the first values, moving them about: only the middle is put in order."""
    half = count // 2
    select(values, count, half)
    lower = values[half]
    if count % 2 == 0:
        lower = values[0]
        for place in range(1, half):
            lower = max(lower, values[place])
    return 0.5 * (lower + values[half])


@njit(**INLINED)
def extent(values, count):
    """Return the smallest, the median and the largest of the first values, sorting them in place.

    Args:
        values: float64, with room for `NETWORK` values at least.
        count: How many there are, at least 1.
    """
    if count <= NETWORK:
        _sort_few(values, count)
    else:
        sort(values, count)
    return values[0], 0.5 * (values[(count - 1) // 2] + values[count // 2]), values[count - 1]


@njit(**INLINED)
def _sort_few(values, count):
    """Sort through a network: no branch depends on the values, so none is foretold wrongly."""
    for place in range(count, NETWORK):
        values[place] = np.inf
    _exchange(values, 0, 1)
    _exchange(values, 2, 3)
    _exchange(values, 0, 2)
    _exchange(values, 1, 3)
    _exchange(values, 1, 2)


@njit(**INLINED)
def _exchange(values, one, other):
    """Put the smaller of two values first."""
    smaller, larger = min(values[one], values[other]), max(values[one], values[other])
    values[one], values[other] = smaller, larger
