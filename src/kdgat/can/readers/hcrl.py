"""The two layouts in which HCRL published its Car-Hacking and Survival Analysis captures.

Attacks as CSV without a header, so that the label moves with the DLC:
`1478198376.389427,0316,8,05,21,68,09,21,21,00,6f,R`, where T is injected and R is not;
attack-free traffic as text:
`Timestamp: 1479121434.850202        ID: 0350    000    DLC: 8    05 28 84 66 6d 00 00 a2`,
or as such CSV without labels, some cars' data in one field: `…,0316,8,05 21 68 09 21 21 00 6f`.
"""

import re

from numba import njit

from kdgat.can.readers.fields import (
    COMMA,
    HEX_VALUE,
    SPACE,
    TIME_BAD,
    field_end,
    line_end,
    parse_bytes,
    parse_id,
    parse_time,
    skip_blanks,
    word_end,
)
from kdgat.can.readers.log import (
    BAD_DLC,
    BAD_FIELDS,
    BAD_LABEL,
    BAD_PAYLOAD,
    BAD_TIMESTAMP,
    FINE,
    Log,
)
from kdgat.can.readers.text import read_rows

CSV_LINE = re.compile(rb"[-+]?\d+(\.\d*)?\s*,\s*[0-9A-Fa-f]{1,8}\s*,\s*\d\s*,")
TEXT_LINE = re.compile(rb"Timestamp:\s+\d")

INJECTED, GENUINE = 84, 82
"""The labels T and R."""

REMOTE_BIT = 49
"""A `1` that begins the field between ID and DLC marks a remote frame, as in HCRL's OTIDS."""


def is_hcrl_csv(lines: list[bytes]) -> bool:
    """Tell whether a line looks like CSV without a header."""
    return any(CSV_LINE.match(line.strip()) for line in lines)


def is_hcrl_text(lines: list[bytes]) -> bool:
    """Tell whether a line looks like attack-free text."""
    return any(TEXT_LINE.match(line.strip()) for line in lines)


def read_hcrl_csv(text: bytes, path: str) -> Log:
    """Read a capture in CSV without a header, labelled where it holds attacks."""
    return read_rows(text, _parse_csv, name="hcrl_csv")


def read_hcrl_text(text: bytes, path: str) -> Log:
    """Read an attack-free capture, text."""
    return read_rows(text, _parse_text, name="hcrl_text")


@njit(cache=True, nogil=True)
def _parse_start(text, rows, row, time, time_end, number, number_end, length, length_end):
    """Parse timestamp, ID and DLC, which both layouts have."""
    rows.timestamp_bounds[row] = (time, time_end)
    rows.timestamp[row], kind = parse_time(text, time, time_end)
    rows.timestamp_kind[row] = kind
    if kind == TIME_BAD:
        return BAD_TIMESTAMP
    rows.arbitration_id[row], rows.is_extended[row], code = parse_id(text, number, number_end)
    if code != FINE:
        return code
    if length_end - length != 1 or HEX_VALUE[text[length]] > 8:
        return BAD_DLC
    rows.dlc[row] = HEX_VALUE[text[length]]
    return FINE


@njit(cache=True, nogil=True)
def _csv_field(text, first, last):
    """Return a comma-separated field without the blanks around it, and where the next begins."""
    end = field_end(text, first, last, COMMA)
    after = end + 1
    first = skip_blanks(text, first, end)
    return first, word_end(text, first, end), after


@njit(cache=True, nogil=True)
def _parse_csv(text, rows):
    for row in range(len(rows.code)):
        last = line_end(text, rows.bounds[row], rows.bounds[row + 1])
        rows.code[row] = _parse_csv_row(text, rows, row, rows.bounds[row], last)
    return 0


@njit(cache=True, nogil=True)
def _parse_csv_row(text, rows, row, first, last):
    time, time_end, after = _csv_field(text, first, last)
    number, number_end, after = _csv_field(text, min(after, last), last)
    if after > last:
        return BAD_FIELDS
    length, length_end, after = _csv_field(text, after, last)
    code = _parse_start(text, rows, row, time, time_end, number, number_end, length, length_end)
    if code != FINE:
        return code
    after, code = _parse_csv_data(text, rows, row, after, last)
    if code != FINE or after > last:  # nothing follows the data: a row without a label
        return code
    label, label_end, after = _csv_field(text, after, last)
    # Copies that went through a spreadsheet pad short rows with empty fields.
    for place in range(min(after, last), last):
        if text[place] != COMMA and text[place] != SPACE:
            return BAD_DLC
    if label_end - label != 1 or (text[label] != INJECTED and text[label] != GENUINE):
        return BAD_LABEL
    rows.attack[row] = text[label] == INJECTED
    return FINE


@njit(cache=True, nogil=True)
def _parse_csv_data(text, rows, row, after, last):
    """Parse bytes in a field each, or all in one; return where the next begins, and a code."""
    num_bytes = rows.dlc[row]
    end = field_end(text, min(after, last), last, COMMA)
    _, first_end = _word(text, min(after, last), end)
    if num_bytes > 1 and skip_blanks(text, first_end, end) < end:
        return end + 1, _parse_data_words(text, rows, row, num_bytes, after, end)
    for position in range(num_bytes):
        if after > last:
            return after, BAD_FIELDS
        byte, byte_end, after = _csv_field(text, after, last)
        if parse_bytes(text, byte, byte_end, rows.payload[row, position : position + 1]) != 1:
            return after, BAD_PAYLOAD if after <= last else BAD_FIELDS
    return after, FINE


@njit(cache=True, nogil=True)
def _parse_data_words(text, rows, row, num_bytes, end, last):
    """Parse bytes with blanks between them, as many as there are."""
    for position in range(num_bytes):
        byte, end = _word(text, end, last)
        if byte == last:
            return BAD_FIELDS
        if parse_bytes(text, byte, end, rows.payload[row, position : position + 1]) != 1:
            return BAD_PAYLOAD
    return FINE if skip_blanks(text, end, last) == last else BAD_DLC


@njit(cache=True, nogil=True)
def _word(text, first, last):
    """Return the next run of other characters than blanks in `[first, last)`."""
    first = skip_blanks(text, first, last)
    return first, word_end(text, first, last)


@njit(cache=True, nogil=True)
def _parse_text(text, rows):
    for row in range(len(rows.code)):
        last = line_end(text, rows.bounds[row], rows.bounds[row + 1])
        rows.code[row] = _parse_text_row(text, rows, row, rows.bounds[row], last)
    return 0


@njit(cache=True, nogil=True)
def _parse_text_row(text, rows, row, first, last):
    _, end = _word(text, first, last)
    time, time_end = _word(text, end, last)
    _, end = _word(text, time_end, last)
    number, number_end = _word(text, end, last)
    flag, end = _word(text, number_end, last)
    _, end = _word(text, end, last)
    length, length_end = _word(text, end, last)
    if length == last:
        return BAD_FIELDS
    code = _parse_start(text, rows, row, time, time_end, number, number_end, length, length_end)
    if code != FINE:
        return code
    rows.is_remote[row] = text[flag] == REMOTE_BIT
    num_bytes = 0 if rows.is_remote[row] else rows.dlc[row]
    return _parse_data_words(text, rows, row, num_bytes, length_end, last)
