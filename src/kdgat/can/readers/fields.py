"""Compiled parsers of single fields, working on the bytes of a text file.

A field is the half-open range `[first, last)` of `text`, uint8 `[num_bytes]`.
"""

import numpy as np
from numba import njit

from kdgat.can.frames import ID_LIMIT
from kdgat.can.readers.log import BAD_ID, DECIMAL_ID, FINE

NO_DIGIT = 255
HEX_VALUE = np.full(256, NO_DIGIT, dtype=np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    HEX_VALUE[list(_digits)] = np.arange(16)

POWERS_OF_TEN = 10.0 ** np.arange(23)
"""Exact as float64, all of them."""

EXACT_MANTISSA = 2**53
EXTENDED_DIGITS = 8
"""Hexadecimal digits from which on an ID is extended whatever its value, as in candump logs."""

TIME_BAD, TIME_FINE, TIME_LONG = range(3)

NEWLINE, RETURN, SPACE, TAB, COMMA, POINT, HASH = 10, 13, 32, 9, 44, 46, 35


@njit(cache=True, nogil=True)
def line_bounds(text):
    """Find the lines of a text: int64 `[num_lines + 1]`, where each begins, and the end."""
    num_lines = 0
    for place in range(len(text)):
        num_lines += text[place] == NEWLINE
    if len(text) and text[-1] != NEWLINE:
        num_lines += 1
    bounds = np.empty(num_lines + 1, np.int64)
    bounds[0] = 0
    line = 1
    for place in range(len(text)):
        if text[place] == NEWLINE:
            bounds[line] = place + 1
            line += 1
    bounds[num_lines] = len(text)
    return bounds


@njit(cache=True, nogil=True)
def line_end(text, first, last):
    """Return where the line `[first, last)` ends without its line break, LF or CRLF."""
    if last > first and text[last - 1] == NEWLINE:
        last -= 1
    if last > first and text[last - 1] == RETURN:
        last -= 1
    return last


@njit(cache=True, nogil=True)
def skip_blanks(text, first, last):
    """Return the first place in `[first, last)` that is neither a space nor a tab."""
    while first < last and (text[first] == SPACE or text[first] == TAB):
        first += 1
    return first


@njit(cache=True, nogil=True)
def word_end(text, first, last):
    """Return where the run of other characters than space and tab ends that begins at `first`."""
    while first < last and text[first] != SPACE and text[first] != TAB:
        first += 1
    return first


@njit(cache=True, nogil=True)
def field_end(text, first, last, separator):
    """Return the place of the next separator in `[first, last)`, or `last`."""
    while first < last and text[first] != separator:
        first += 1
    return first


@njit(cache=True, nogil=True)
def parse_time(text, first, last):
    """Parse a decimal number of seconds.

    Returns:
        The value, and `TIME_FINE`; `TIME_LONG` if it needs a slower parser to be exact (an
        exponent, or too many digits); `TIME_BAD` if it is none.
    """
    negative = first < last and text[first] == 45
    if first < last and (text[first] == 45 or text[first] == 43):
        first += 1
    mantissa, digits, decimals, in_fraction = 0, 0, 0, False
    for place in range(first, last):
        digit = HEX_VALUE[text[place]]
        if digit < 10:
            if mantissa >= EXACT_MANTISSA // 10:
                return np.nan, TIME_LONG
            mantissa = mantissa * 10 + digit
            digits += 1
            decimals += in_fraction
        elif text[place] == POINT and not in_fraction:
            in_fraction = True
        elif digits and (text[place] == 69 or text[place] == 101):
            return np.nan, TIME_LONG
        else:
            return np.nan, TIME_BAD
    if digits == 0 or decimals > 22:
        return np.nan, TIME_BAD if digits == 0 else TIME_LONG
    value = mantissa / POWERS_OF_TEN[decimals]
    return -value if negative else value, TIME_FINE


@njit(cache=True, nogil=True)
def parse_id(text, first, last):
    """Parse a hexadecimal ID.

    Four digits from 1000 to 2047 without a letter are above 0x7FF, so no standard ID, but would
    be one if they were decimal: a sign of decimal IDs.

    Returns:
        The ID, whether it is written with 8 digits, and `FINE`, `BAD_ID` or `DECIMAL_ID`.
    """
    length = last - first
    if length == 0 or length > EXTENDED_DIGITS:
        return 0, False, BAD_ID
    value, decimal, letters = 0, 0, False
    for place in range(first, last):
        digit = HEX_VALUE[text[place]]
        if digit == NO_DIGIT:
            return 0, False, BAD_ID
        value = value * 16 + digit
        decimal = decimal * 10 + digit
        letters |= digit > 9
    if value >= ID_LIMIT:
        return value, True, BAD_ID
    if length == 4 and not letters and 1000 <= decimal <= 2047:
        return value, False, DECIMAL_ID
    return value, length == EXTENDED_DIGITS, FINE


@njit(cache=True, nogil=True)
def parse_bytes(text, first, last, row):
    """Parse bytes of two hexadecimal digits each into `row`; return their number, -1 if wrong."""
    length = last - first
    if length % 2 or length > 2 * len(row):
        return -1
    for position in range(length // 2):
        high = HEX_VALUE[text[first + 2 * position]]
        low = HEX_VALUE[text[first + 2 * position + 1]]
        if high == NO_DIGIT or low == NO_DIGIT:
            return -1
        row[position] = 16 * high + low
    return length // 2
