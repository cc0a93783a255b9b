"""From the rows that a compiled parser has filled to a frame table and a quarantine table."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.frames import ABSENT, MAX_DLC, MAX_FD_DLC, STANDARD_IDS, frame_table
from kdgat.can.readers.fields import TIME_LONG, line_bounds, line_end
from kdgat.can.readers.log import (
    BAD_LABEL,
    BAD_TIMESTAMP,
    CUT_OFF,
    ERROR_FRAME,
    FINE,
    NUL_BYTE,
    REASONS,
    REPEATED_HEADER,
    Log,
    bad_row_table,
)

NO_LABEL = 2
"""In `attack` of a row: the row has no label."""

MAX_CHANNELS = 256


class Rows(NamedTuple):
    """One row per line, to be filled by a parser.

    Attributes:
        bounds: int64 `[num_rows + 1]`, where each line begins in the text, and the end.
        timestamp: float64 `[num_rows]`, s.
        timestamp_bounds: int64 `[num_rows, 2]`, the field, where `timestamp_kind` is `TIME_LONG`.
        timestamp_kind: uint8 `[num_rows]`, as `parse_time` gives it.
        arbitration_id: uint32 `[num_rows]`.
        is_extended: bool `[num_rows]`.
        is_remote: bool `[num_rows]`.
        dlc: uint8 `[num_rows]`.
        payload: int16 `[num_rows, 8 or 64]`, `ABSENT` where nothing was written.
        attack: uint8 `[num_rows]`, 0, 1 or `NO_LABEL`.
        channel: int16 `[num_rows]`, index into `channel_bounds`.
        channel_bounds: int64 `[256, 2]`, the field that names a channel first.
        code: uint8 `[num_rows]`, `FINE`, `ERROR_FRAME` or a key of `REASONS`.
    """

    bounds: np.ndarray
    timestamp: np.ndarray
    timestamp_bounds: np.ndarray
    timestamp_kind: np.ndarray
    arbitration_id: np.ndarray
    is_extended: np.ndarray
    is_remote: np.ndarray
    dlc: np.ndarray
    payload: np.ndarray
    attack: np.ndarray
    channel: np.ndarray
    channel_bounds: np.ndarray
    code: np.ndarray


def read_rows(
    text: bytes,
    parse: Callable,
    *,
    name: str,
    header: bytes | None = None,
    can_fd: bool = False,
    arguments: tuple = (),
) -> Log:
    """Parse the lines of a text file.

    Args:
        text: The file, without byte order mark.
        parse: Compiled function of (uint8 text, rows, *arguments) that fills `Rows` and returns
            how many channels it has found.
        name: Name of the format.
        header: First line, if the format has one; it is skipped, and a bad row if repeated.
        can_fd: Whether frames of up to 64 bytes are allowed.
        arguments: Further arguments of `parse`.
    """
    is_whole = text.endswith(b"\n")
    text = text.rstrip(b"\r\n")
    characters = np.frombuffer(text, np.uint8)
    bounds = line_bounds(characters)[0 if header is None else 1 :]
    rows = _empty_rows(bounds, MAX_FD_DLC if can_fd else MAX_DLC)
    num_channels = parse(characters, rows, *arguments)
    _parse_long_timestamps(text, rows)
    has_labels = _check_labels(rows)
    bad_rows = _bad_rows(text, characters, rows, header, is_whole)
    fine: np.ndarray | slice = rows.code == FINE
    if fine.all():
        fine = slice(None)
    frames = frame_table(
        timestamp=rows.timestamp[fine],
        arbitration_id=rows.arbitration_id[fine],
        dlc=rows.dlc[fine],
        payload=rows.payload[fine],
        attack=rows.attack[fine] == 1,
        channel=_channels(text, rows, fine, num_channels),
        is_extended=rows.is_extended[fine] | (rows.arbitration_id[fine] >= STANDARD_IDS),
        is_remote=rows.is_remote[fine],
    )
    return Log(
        frames=frames,
        bad_rows=bad_rows,
        num_rows=len(rows.code),
        error_frames=int((rows.code == ERROR_FRAME).sum()),
        has_labels=has_labels,
        format=name,
    )


def _empty_rows(bounds: np.ndarray, width: int) -> Rows:
    num_rows = len(bounds) - 1
    return Rows(
        bounds=bounds,
        timestamp=np.zeros(num_rows),
        timestamp_bounds=np.zeros((num_rows, 2), np.int64),
        timestamp_kind=np.zeros(num_rows, np.uint8),
        arbitration_id=np.zeros(num_rows, np.uint32),
        is_extended=np.zeros(num_rows, np.bool_),
        is_remote=np.zeros(num_rows, np.bool_),
        dlc=np.zeros(num_rows, np.uint8),
        payload=np.full((num_rows, width), ABSENT, np.int16),
        attack=np.full(num_rows, NO_LABEL, np.uint8),
        channel=np.zeros(num_rows, np.int16),
        channel_bounds=np.zeros((MAX_CHANNELS, 2), np.int64),
        code=np.zeros(num_rows, np.uint8),
    )


def _parse_long_timestamps(text: bytes, rows: Rows) -> None:
    """Parse what the compiled parser could not do exactly, and refuse infinite timestamps."""
    for row in np.flatnonzero(rows.timestamp_kind == TIME_LONG):
        first, last = rows.timestamp_bounds[row]
        try:
            rows.timestamp[row] = float(text[first:last].decode("ascii"))
        except ValueError:
            rows.timestamp[row] = np.nan
        if rows.code[row] == FINE and not np.isfinite(rows.timestamp[row]):
            rows.code[row] = BAD_TIMESTAMP


def _check_labels(rows: Rows) -> bool:
    """Say whether rows have labels; where some have, one without is malformed."""
    is_fine = rows.code == FINE
    has_label = rows.attack != NO_LABEL
    has_labels = bool((is_fine & has_label).any())
    if has_labels:
        rows.code[is_fine & ~has_label] = BAD_LABEL
    return has_labels


def _channels(text: bytes, rows: Rows, fine: np.ndarray, num_channels: int) -> str | pd.Categorical:
    if num_channels == 0:
        return ""
    names = [text[first:last].decode("utf-8", "replace") for first, last in rows.channel_bounds]
    return pd.Categorical.from_codes(rows.channel[fine], names[:num_channels])


def _bad_rows(
    text: bytes, characters: np.ndarray, rows: Rows, header: bytes | None, is_whole: bool
) -> pd.DataFrame:
    """List the malformed rows, with the reason a person would give where there is a better one."""
    first_line = 1 if header is None else 2
    table = []
    for row in np.flatnonzero(rows.code > ERROR_FRAME):
        first, last = rows.bounds[row], rows.bounds[row + 1]
        line = text[first : line_end(characters, first, last)]
        code = rows.code[row]
        if b"\0" in line:
            code = NUL_BYTE
        elif header is not None and line.strip() == header:
            code = REPEATED_HEADER
        elif row == len(rows.code) - 1 and not is_whole:
            code = CUT_OFF
        table.append((first_line + int(row), REASONS[code], line.decode("utf-8", "replace")))
    return bad_row_table(table)
