"""Logs of SocketCAN's candump: `(1436509052.249713) can0 044#2A366C2BBA`.

CAN-MIRGU appends a label to each line, 0 or 1; newer versions of candump the direction, R or T.
ROAD is plain candump, its labels lie in a JSON file beside the captures.
"""

import re

from numba import njit

from kdgat.can.readers.fields import (
    EXTENDED_DIGITS,
    HASH,
    HEX_VALUE,
    NO_DIGIT,
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
    BAD_ID,
    BAD_LABEL,
    BAD_PAYLOAD,
    BAD_TIMESTAMP,
    DECIMAL_ID,
    ERROR_FRAME,
    FINE,
    Log,
)
from kdgat.can.readers.text import MAX_CHANNELS, read_rows

LINE = re.compile(rb"\(\d+(\.\d*)?\)\s+\S+\s+[0-9A-Fa-f]+#")

ERROR_FLAG_DIGIT = 2
"""First of 8 hexadecimal digits from which on the ID carries CAN_ERR_FLAG, 0x20000000."""

OPEN, CLOSE, LETTER_R, SMALL_R, LETTER_T, SMALL_T = 40, 41, 82, 114, 84, 116


def is_candump(lines: list[bytes]) -> bool:
    """Tell whether a line looks like one of candump's."""
    return any(LINE.match(line.strip()) for line in lines)


def read_candump(text: bytes, path: str) -> Log:
    """Read a candump log, CAN FD (`##`), remote (`#R`) and error frames included."""
    return read_rows(text, _parse, name="candump", can_fd=b"##" in text)


@njit(cache=True, nogil=True)
def _parse(text, rows):
    num_channels = 0
    for row in range(len(rows.code)):
        last = line_end(text, rows.bounds[row], rows.bounds[row + 1])
        first = skip_blanks(text, rows.bounds[row], last)
        end = word_end(text, first, last)
        channel = skip_blanks(text, end, last)
        channel_end = word_end(text, channel, last)
        frame = skip_blanks(text, channel_end, last)
        frame_end = word_end(text, frame, last)
        if frame == last:
            rows.code[row] = BAD_FIELDS
            continue
        code = _parse_timestamp(text, rows, row, first, end)
        if code == FINE:
            code = _parse_frame(text, rows, row, frame, frame_end)
        if code == FINE:
            code = _parse_flag(text, rows, row, frame_end, last)
        if code == FINE:
            num_channels, code = _find_channel(text, rows, row, channel, channel_end, num_channels)
        rows.code[row] = code
    return num_channels


@njit(cache=True, nogil=True)
def _parse_timestamp(text, rows, row, first, last):
    if last - first < 3 or text[first] != OPEN or text[last - 1] != CLOSE:
        return BAD_TIMESTAMP
    rows.timestamp_bounds[row] = (first + 1, last - 1)
    rows.timestamp[row], kind = parse_time(text, first + 1, last - 1)
    rows.timestamp_kind[row] = kind
    return BAD_TIMESTAMP if kind == TIME_BAD else FINE


@njit(cache=True, nogil=True)
def _parse_frame(text, rows, row, first, last):
    """Parse `<ID>#<data>`, `<ID>##<flags><data>` or `<ID>#R<dlc>`."""
    data = field_end(text, first, last, HASH)
    if data == last:
        return BAD_FIELDS
    number, is_long, code = parse_id(text, first, data)
    if code == BAD_ID and is_long and data - first == EXTENDED_DIGITS:
        return ERROR_FRAME if HEX_VALUE[text[first]] & ERROR_FLAG_DIGIT else BAD_ID
    if code != FINE and code != DECIMAL_ID:
        return code
    rows.arbitration_id[row] = number
    rows.is_extended[row] = data - first > 3
    data += 1
    if data < last and (text[data] == LETTER_R or text[data] == SMALL_R):
        rows.is_remote[row] = True
        return _parse_remote_dlc(text, rows, row, data + 1, last)
    is_fd = data < last and text[data] == HASH
    if is_fd:
        if data + 1 == last or HEX_VALUE[text[data + 1]] == NO_DIGIT:
            return BAD_PAYLOAD
        data += 2
    width = 64 if is_fd else 8
    length = parse_bytes(text, data, last, rows.payload[row, :width])
    if length < 0:
        return BAD_PAYLOAD
    rows.dlc[row] = length
    return FINE if _is_length(length) else BAD_DLC


@njit(cache=True, nogil=True)
def _parse_remote_dlc(text, rows, row, first, last):
    if first == last:
        return FINE
    digit = HEX_VALUE[text[first]]
    if last - first != 1 or digit > 8:
        return BAD_DLC
    rows.dlc[row] = digit
    return FINE


@njit(cache=True, nogil=True)
def _is_length(length):
    """Tell whether a CAN or CAN FD frame can have so many bytes."""
    if length <= 8:
        return True
    return (length <= 24 and length % 4 == 0) or length == 32 or length == 48 or length == 64


@njit(cache=True, nogil=True)
def _parse_flag(text, rows, row, first, last):
    """Parse what may follow a frame: a label of CAN-MIRGU, or the direction."""
    first = skip_blanks(text, first, last)
    if first == last:
        return FINE
    end = word_end(text, first, last)
    if skip_blanks(text, end, last) != last or end - first != 1:
        return BAD_FIELDS
    flag = text[first]
    if flag == 48 or flag == 49:
        rows.attack[row] = flag - 48
        return FINE
    is_direction = flag in (LETTER_R, SMALL_R, LETTER_T, SMALL_T)
    return FINE if is_direction else BAD_LABEL


@njit(cache=True, nogil=True)
def _find_channel(text, rows, row, first, last, num_channels):
    """Give the row the number of its channel; return how many there are now, and a code."""
    for known in range(num_channels):
        place, end = rows.channel_bounds[known]
        if end - place != last - first:
            continue
        same = True
        for step in range(last - first):
            same &= text[place + step] == text[first + step]
        if same:
            rows.channel[row] = known
            return num_channels, FINE
    if num_channels == MAX_CHANNELS:
        return num_channels, BAD_FIELDS
    rows.channel_bounds[num_channels] = (first, last)
    rows.channel[row] = num_channels
    return num_channels + 1, FINE
