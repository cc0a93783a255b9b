"""Read and write captures: CSV with `timestamp,arbitration_id,data_field,attack`, plain or gz."""

import gzip
import os
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from pyarrow import csv

from kdgat.can.frames import ABSENT, ID_LIMIT, MAX_DLC, frame_table, payload
from kdgat.errors import DataError

CAPTURE_COLUMNS = ("timestamp", "arbitration_id", "data_field", "attack")
SUFFIXES = (".csv", ".csv.gz")

FINE, BAD_FIELDS, BAD_TIMESTAMP, BAD_ID, BAD_PAYLOAD, BAD_LABEL = range(6)
REASONS = (
    "",
    "wrong number of fields",
    "timestamp is not a finite number (s)",
    "arbitration_id is not a hexadecimal number below 2^29, without 0x",
    "data_field is not 0 to 8 bytes of two hexadecimal digits each",
    "attack is neither 0 nor 1",
)
"""What a malformed row breaks, by the code above; a row counts for the first rule it breaks."""

SHOWN = 60
"""Characters of a malformed row or header that a message quotes."""

ASCII_ONLY = bytes(range(128)) + b"?" * 128
"""Maps any byte beyond ASCII to one that no field may hold."""

NO_DIGIT = 255
HEX_VALUE = np.full(256, NO_DIGIT, dtype=np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    HEX_VALUE[list(_digits)] = np.arange(16)


def find_captures(folder: Path) -> dict[str, Path]:
    """List the captures of a dataset: `<scenario>/<capture>` and its file, sorted by name.

    Scenarios are the folders named `train_*` or `test_*`; captures end in `.csv` or `.csv.gz`.

    Raises:
        DataError: The folder is missing, has no training or no test capture, or holds a
            capture both plain and compressed.
    """
    if not folder.is_dir():
        raise DataError(f"No dataset at {folder}; datasets beside it: {_datasets_beside(folder)}.")
    captures: dict[str, Path] = {}
    for path in sorted([*folder.glob("train_*/*"), *folder.glob("test_*/*")]):
        stem = _capture_name(path)
        if stem is None:
            continue
        name = f"{path.parent.name}/{stem}"
        if name in captures:
            raise DataError(f"{folder} holds {name} twice, plain and compressed: remove one.")
        captures[name] = path
    for kind in ("train_", "test_"):
        if not any(name.startswith(kind) for name in captures):
            raise DataError(
                f"{folder} holds no {kind}* scenario with a capture; expected files "
                f"{kind}<scenario>/<capture>.csv or .csv.gz."
            )
    return dict(sorted(captures.items()))


def read_capture(path: Path, bad_row_share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read one capture into a frame table, setting malformed rows aside.

    Args:
        path: CSV file with a header line, gzip-compressed if it ends in `.gz`.
        bad_row_share: Largest share of malformed rows, 0 to 1; 0 refuses any.

    Returns:
        The frame table in file order, and the malformed rows: `line` (1 is the header),
        `reason`, `text`.

    Raises:
        DataError: The file cannot be read, is empty, lacks a column, has no usable row, or
            more malformed rows than allowed.
    """
    text = _read_text(path).rstrip(b"\r\n")
    _check_header(path, text)
    table, rejected = _parse_rows(path, text)
    columns = {name: table[name].combine_chunks() for name in CAPTURE_COLUMNS}
    seconds, fine_time = _timestamps(columns["timestamp"])
    arbitration_id, fine_id = _decode_ids(*_buffers(columns["arbitration_id"]), HEX_VALUE)
    dlc, payload_bytes, fine_payload = _decode_payloads(*_buffers(columns["data_field"]), HEX_VALUE)
    attack, fine_label = _decode_labels(*_buffers(columns["attack"]))
    code = np.select(
        [~fine_time, ~fine_id, ~fine_payload, ~fine_label],
        [BAD_TIMESTAMP, BAD_ID, BAD_PAYLOAD, BAD_LABEL],
        FINE,
    )
    bad_rows = _bad_rows(text, code, rejected)
    _check_bad_rows(path, bad_rows, len(code) + len(rejected), bad_row_share)
    fine = code == FINE
    frames = frame_table(
        seconds[fine], arbitration_id[fine], dlc[fine], payload_bytes[fine], attack[fine]
    )
    return frames, bad_rows


def write_capture(frames: pd.DataFrame, path: Path) -> None:
    """Write a frame table in the layout that `read_capture` reads, whole or not at all.

    Timestamps keep six decimals, as the public captures have. Equal frames give equal bytes.

    Args:
        frames: Frame table.
        path: Target, in a folder that exists; compressed if it ends in `.gz`.
    """
    present = np.arange(MAX_DLC) < frames["dlc"].to_numpy()[:, None]
    data = [
        row[keep].astype(np.uint8).tobytes()
        for row, keep in zip(payload(frames), present, strict=True)
    ]
    rows = zip(frames["timestamp"], frames["arbitration_id"], data, frames["attack"], strict=True)
    lines = [
        f"{time:.6f},{number:03X},{x.hex().upper()},{label}" for time, number, x, label in rows
    ]
    text = "\n".join([",".join(CAPTURE_COLUMNS), *lines, ""]).encode("ascii")
    if path.suffix == ".gz":
        text = gzip.compress(text, compresslevel=6, mtime=0)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _capture_name(path: Path) -> str | None:
    """Return the file's name without `.csv` or `.csv.gz`; None if it is no capture."""
    for suffix in SUFFIXES:
        if path.name.endswith(suffix) and path.is_file():
            return path.name.removesuffix(suffix)
    return None


def _datasets_beside(folder: Path) -> str:
    if not folder.parent.is_dir():
        return "none"
    return ", ".join(sorted(x.name for x in folder.parent.iterdir() if x.is_dir())) or "none"


def _read_text(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def _check_header(path: Path, text: bytes) -> None:
    if not text.strip():
        raise DataError(f"{path} is empty; expected the header {','.join(CAPTURE_COLUMNS)}.")
    header = text.split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").strip()
    missing = [name for name in CAPTURE_COLUMNS if name not in header.split(",")]
    if missing:
        raise DataError(
            f"{path}, line 1: no column {', '.join(missing)}; found {header[:SHOWN]!r}, "
            f"expected {','.join(CAPTURE_COLUMNS)}."
        )
    if b"\n" not in text:
        raise DataError(f"{path} holds a header and no frame.")


def _parse_rows(path: Path, text: bytes) -> tuple[pa.Table, list[int]]:
    """Split rows into fields; return those with enough fields and the lines of the others."""
    rejected = []

    def set_aside(row: csv.InvalidRow) -> str:
        rejected.append(row.number)
        return "skip"

    # Rows are numbered only when they are read in order; blank lines count too.
    try:
        table = csv.read_csv(
            pa.BufferReader(text if text.isascii() else text.translate(ASCII_ONLY)),
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(
                quote_char=False, ignore_empty_lines=False, invalid_row_handler=set_aside
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(CAPTURE_COLUMNS, pa.string()),
                include_columns=CAPTURE_COLUMNS,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{path} is not a CSV file: {error}.") from error
    return table, rejected


def _timestamps(fields: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Parse seconds: float64 `[num_rows]` and whether each is a finite number."""
    try:
        seconds = pc.cast(fields, pa.float64())
    except pa.ArrowInvalid:
        looks_right = pc.match_substring_regex(fields, r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")
        seconds = pc.cast(pc.if_else(looks_right, fields, None), pa.float64())
    values = seconds.fill_null(np.nan).to_numpy(zero_copy_only=False)
    return values, np.isfinite(values)


def _buffers(fields: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Return Arrow's own memory: uint8 characters and int32 `[num_rows + 1]` bounds of fields."""
    _, offsets, characters = fields.buffers()
    bounds = np.frombuffer(offsets, np.int32)[fields.offset : fields.offset + len(fields) + 1]
    if characters is None:
        return np.zeros(0, np.uint8), bounds
    return np.frombuffer(characters, np.uint8), bounds


@njit(cache=True, nogil=True)
def _decode_ids(characters, bounds, hex_value):
    """Decode hexadecimal IDs: int64 `[num_rows]` and whether each is below `ID_LIMIT`."""
    num_rows = len(bounds) - 1
    values = np.zeros(num_rows, np.int64)
    fine = np.zeros(num_rows, np.bool_)
    for row in range(num_rows):
        length = bounds[row + 1] - bounds[row]
        fine[row] = 0 < length <= 8
        if not fine[row]:
            continue
        for place in range(bounds[row], bounds[row + 1]):
            digit = hex_value[characters[place]]
            fine[row] &= digit != NO_DIGIT
            values[row] = values[row] * 16 + digit
        fine[row] &= values[row] < ID_LIMIT
    return values, fine


@njit(cache=True, nogil=True)
def _decode_payloads(characters, bounds, hex_value):
    """Decode data fields: uint8 dlc, int16 payload `[num_rows, 8]`, whether each is valid."""
    num_rows = len(bounds) - 1
    dlc = np.zeros(num_rows, np.uint8)
    values = np.full((num_rows, MAX_DLC), ABSENT, np.int16)
    fine = np.zeros(num_rows, np.bool_)
    for row in range(num_rows):
        first = bounds[row]
        length = bounds[row + 1] - first
        fine[row] = length % 2 == 0 and length <= 2 * MAX_DLC
        if not fine[row]:
            continue
        dlc[row] = length // 2
        for position in range(length // 2):
            high = hex_value[characters[first + 2 * position]]
            low = hex_value[characters[first + 2 * position + 1]]
            fine[row] &= high != NO_DIGIT and low != NO_DIGIT
            values[row, position] = 16 * high + low
    return dlc, values, fine


@njit(cache=True, nogil=True)
def _decode_labels(characters, bounds):
    """Decode labels: uint8 `[num_rows]` and whether each is the character 0 or 1."""
    num_rows = len(bounds) - 1
    values = np.zeros(num_rows, np.uint8)
    fine = np.zeros(num_rows, np.bool_)
    for row in range(num_rows):
        if bounds[row + 1] - bounds[row] == 1:
            values[row] = characters[bounds[row]] - 48
            fine[row] = values[row] <= 1
    return values, fine


def _bad_rows(text: bytes, code: np.ndarray, rejected: list[int]) -> pd.DataFrame:
    """List malformed rows in file order: `line`, `reason`, `text`."""
    lines = np.delete(np.arange(len(code) + len(rejected)), np.array(rejected, int) - 2) + 2
    reasons = dict.fromkeys(rejected, REASONS[BAD_FIELDS])
    reasons |= {int(lines[row]): REASONS[code[row]] for row in np.flatnonzero(code)}
    rows = []
    if reasons:
        all_lines = text.split(b"\n")
        for line in sorted(reasons):
            shown = all_lines[line - 1].rstrip(b"\r").decode("utf-8", errors="replace")
            rows.append((line, reasons[line], shown))
    table = pd.DataFrame(rows, columns=["line", "reason", "text"])
    return table.astype({"line": "int64", "reason": "str", "text": "str"})


def _check_bad_rows(path: Path, bad_rows: pd.DataFrame, num_rows: int, allowed: float) -> None:
    share = len(bad_rows) / num_rows
    if share <= allowed and len(bad_rows) < num_rows:
        return
    line, reason, text = bad_rows.iloc[0]
    raise DataError(
        f"{path}, line {line}: {reason}, found {text[:SHOWN]!r}; malformed rows: {len(bad_rows)} "
        f"of {num_rows} ({share:.3%}), allowed: {allowed:.3%} (bad_row_share)."
    )
