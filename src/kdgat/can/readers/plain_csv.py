"""CSV with a header: `timestamp,arbitration_id,data_field,attack` (can-train-and-test, kdgat)."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
from numba import njit

from kdgat.can.frames import BYTE_COLUMNS, STANDARD_IDS, byte_columns, payload
from kdgat.can.readers.fields import (
    COMMA,
    TIME_BAD,
    field_end,
    line_end,
    parse_bytes,
    parse_id,
    parse_time,
)
from kdgat.can.readers.log import (
    BAD_FIELDS,
    BAD_LABEL,
    BAD_PAYLOAD,
    BAD_TIMESTAMP,
    FINE,
    SHOWN,
    Log,
)
from kdgat.can.readers.text import read_rows
from kdgat.errors import DataError

CAPTURE_COLUMNS = ("timestamp", "arbitration_id", "data_field", "attack")


def is_plain_csv(lines: list[bytes]) -> bool:
    """Tell whether the first line names at least one column of ours."""
    return any(name.encode() in lines[0].split(b",") for name in CAPTURE_COLUMNS)


def read_plain_csv(text: bytes, path: str) -> Log:
    """Read a CSV file with a header line; other columns may stand beside the four, in any order.

    Raises:
        DataError: A column is missing, or the file ends after the header.
    """
    header = text.split(b"\n", 1)[0].strip()
    columns = header.decode("utf-8", "replace").split(",")
    missing = [name for name in CAPTURE_COLUMNS if name not in columns]
    if missing:
        raise DataError(
            f"{path}, line 1: no column {', '.join(missing)}; found "
            f"{','.join(columns)[:SHOWN]!r}, expected {','.join(CAPTURE_COLUMNS)}."
        )
    if not text.strip().partition(b"\n")[2]:
        raise DataError(f"{path} holds a header and no frame.")
    places = np.array([columns.index(name) for name in CAPTURE_COLUMNS])
    return read_rows(text, _parse, name="csv", header=header, arguments=(places, len(columns)))


def write_capture(frames: pd.DataFrame, path: Path) -> None:
    """Write a frame table as CSV in the layout of the public sets, whole or not at all.

    Timestamps keep six decimals, as the public captures have, extended IDs 8 digits, and
    channels are not kept. Equal frames give equal bytes.

    Args:
        frames: Frame table without remote frames, of at most 8 bytes each.
        path: Target, in a folder that exists; compressed if it ends in `.gz`.

    Raises:
        DataError: The frames hold what the layout cannot say.
    """
    if frames["is_remote"].any() or byte_columns(frames) != BYTE_COLUMNS:
        raise DataError(f"{path}: the CSV layout has no remote and no CAN FD frames: use Parquet.")
    data = [
        row[:length].astype(np.uint8).tobytes().hex().upper()
        for row, length in zip(payload(frames), frames["dlc"], strict=True)
    ]
    ids = [
        f"{number:08X}" if extended or number >= STANDARD_IDS else f"{number:03X}"
        for number, extended in zip(frames["arbitration_id"], frames["is_extended"], strict=True)
    ]
    rows = zip(frames["timestamp"], ids, data, frames["attack"], strict=True)
    lines = [f"{time:.6f},{number},{x},{label}" for time, number, x, label in rows]
    text = "\n".join([",".join(CAPTURE_COLUMNS), *lines, ""]).encode("ascii")
    if path.suffix == ".gz":
        text = gzip.compress(text, compresslevel=6, mtime=0)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@njit(cache=True, nogil=True)
def _parse(text, rows, places, num_columns):
    fields = np.empty((num_columns, 2), np.int64)
    for row in range(len(rows.code)):
        last = line_end(text, rows.bounds[row], rows.bounds[row + 1])
        if _split(text, rows.bounds[row], last, fields) != num_columns:
            rows.code[row] = BAD_FIELDS
            continue
        rows.code[row] = _parse_row(text, rows, row, fields[places])
    return 0


@njit(cache=True, nogil=True)
def _split(text, first, last, fields):
    """Find the fields of a line; return their number, one too many if there are more."""
    found = 0
    while found < len(fields):
        end = field_end(text, first, last, COMMA)
        fields[found] = (first, end)
        found += 1
        if end == last:
            return found
        first = end + 1
    return found + 1


@njit(cache=True, nogil=True)
def _parse_row(text, rows, row, fields):
    rows.timestamp_bounds[row] = fields[0]
    rows.timestamp[row], kind = parse_time(text, fields[0, 0], fields[0, 1])
    rows.timestamp_kind[row] = kind
    if kind == TIME_BAD:
        return BAD_TIMESTAMP
    number, rows.is_extended[row], code = parse_id(text, fields[1, 0], fields[1, 1])
    if code != FINE:
        return code
    rows.arbitration_id[row] = number
    length = parse_bytes(text, fields[2, 0], fields[2, 1], rows.payload[row])
    if length < 0:
        return BAD_PAYLOAD
    rows.dlc[row] = length
    if fields[3, 1] - fields[3, 0] != 1:
        return BAD_LABEL
    label = text[fields[3, 0]] - 48
    if label != 0 and label != 1:
        return BAD_LABEL
    rows.attack[row] = label
    return FINE
