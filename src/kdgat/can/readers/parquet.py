"""Parquet: the canonical form of a capture on disk, every column kept exactly."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numba import njit

from kdgat.can.frames import (
    ABSENT,
    BYTE_COLUMNS,
    FD_BYTE_COLUMNS,
    FD_FRAME_COLUMNS,
    FRAME_COLUMNS,
    MAX_DLC,
    MAX_FD_DLC,
    STANDARD_IDS,
    byte_columns,
    long_payload,
)
from kdgat.can.readers.checks import checked_log
from kdgat.can.readers.log import Log
from kdgat.errors import DataError

PAYLOAD = "payload"
"""Column of the data as fixed binary: 0 for bytes that the frame does not have; `dlc` tells."""

REQUIRED = ("timestamp", "arbitration_id", "dlc")

WIDTHS = (MAX_DLC, MAX_FD_DLC)

KEPT_TYPES = {
    name: pa.from_numpy_dtype(dtype)
    for name, dtype in FD_FRAME_COLUMNS.items()
    if dtype != "category"
}
"""Column -> the type that it has in a frame table already."""


def write_parquet(frames: pd.DataFrame, path: Path, *, about: dict[str, str]) -> None:
    """Write a frame table, whole or not at all.

    Args:
        frames: Frame table; its bytes become one column, `PAYLOAD`, of 8, with CAN FD 64 each.
        path: Target, in a folder that exists.
        about: Columns that are the same in every row, such as capture and vehicle; dictionary
            encoded, so that they cost nothing.
    """
    table = pa.Table.from_pandas(frames.drop(columns=[*byte_columns(frames)]), preserve_index=False)
    table = table.append_column(PAYLOAD, _as_binary(long_payload(frames)))
    for name, value in about.items():
        codes = pa.array(np.zeros(len(frames), np.int8))
        table = table.append_column(name, pa.DictionaryArray.from_arrays(codes, [value]))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        # Read twice as fast as zstd with dictionaries, and smaller: neither times nor data repeat
        # enough for a dictionary, and times compress well once split by byte.
        pq.write_table(
            _without_nulls(table),
            temporary,
            compression="lz4",
            use_dictionary=[x for x in table.column_names if x not in ("timestamp", PAYLOAD)],
            column_encoding={"timestamp": "BYTE_STREAM_SPLIT"},
        )
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _without_nulls(table: pa.Table) -> pa.Table:
    """Declare that the columns hold no null: a file then need not say so row by row."""
    fields = [field.with_nullable(False) for field in table.schema]
    return table.cast(pa.schema(fields))


def read_parquet(contents: bytes, path: str) -> Log:
    """Read a frame table; columns other than its own are ignored.

    Needed are `timestamp`, `arbitration_id`, `dlc`, and either `payload`, fixed binary of 8 or 64
    bytes (null where a frame has none), or `byte_0` to `byte_7` (null or -1 where absent); the
    others have the defaults of `frame_table`.

    Raises:
        DataError: The file is damaged, lacks a column, or one has a type that cannot be it.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(contents))
        data = _data_columns(file.schema_arrow)
        names = file.schema_arrow.names
        missing = [name for name in (*REQUIRED, *data) if name not in names]
        if missing:
            raise DataError(
                f"{path}: no column {', '.join(missing)}; found {', '.join(names)}; data lie in "
                "byte_0 to byte_7, or in payload as fixed binary of 8 or 64 bytes."
            )
        others = [name for name in FRAME_COLUMNS if name in names and name not in BYTE_COLUMNS]
        table = file.read(columns=[*others, *data])
    except (pa.ArrowException, OSError) as error:
        said = str(error).rstrip(".")  # Arrow ends some of its messages with a full stop.
        raise DataError(f"{path} is a damaged Parquet file: {said}.") from error
    if len(table) == 0:
        raise DataError(f"{path} holds no frame.")
    columns = {name: _column(table[name], name, path) for name in others}
    columns.setdefault("is_remote", np.zeros(len(table), bool))
    if data == (PAYLOAD,):
        payload = _from_binary(table[PAYLOAD], columns["dlc"], columns["is_remote"])
    else:
        payload = np.empty((len(table), len(data)), np.int16)
        for position, name in enumerate(data):
            payload[:, position] = _column(table[name], name, path)
    return _as_log(columns, payload)


def _as_log(columns: dict, payload: np.ndarray) -> Log:
    extended = columns.get("is_extended")
    return checked_log(
        format="parquet",
        timestamp=columns["timestamp"],
        arbitration_id=columns["arbitration_id"],
        dlc=columns["dlc"],
        payload=payload,
        attack=columns.get("attack", np.zeros(len(payload), np.int64)),
        channel=columns.get("channel", ""),
        is_extended=columns["arbitration_id"] >= STANDARD_IDS if extended is None else extended,
        is_remote=columns["is_remote"],
        episode=columns.get("episode"),
        has_labels="attack" in columns,
    )


def _data_columns(schema: pa.Schema) -> tuple[str, ...]:
    """Name the columns that hold the data: one of fixed binary, or one for each byte."""
    if PAYLOAD in schema.names and schema.field(PAYLOAD).type in map(pa.binary, WIDTHS):
        return (PAYLOAD,)
    return FD_BYTE_COLUMNS if FD_BYTE_COLUMNS[-1] in schema.names else BYTE_COLUMNS


def _as_binary(payload: np.ndarray) -> pa.FixedSizeBinaryArray:
    """Turn payloads, `ABSENT` where absent, into fixed binary, 0 where absent."""
    num_frames, width = payload.shape
    data = np.where(payload == ABSENT, 0, payload).astype(np.uint8)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), num_frames, [None, pa.py_buffer(data)]
    )


def _from_binary(column: pa.ChunkedArray, dlc: np.ndarray, is_remote: np.ndarray) -> np.ndarray:
    """Turn fixed binary into payloads: int16 `[num_frames, 8 or 64]`."""
    payload = unpack(_memory(column, np.dtype((np.uint8, column.type.byte_width))), dlc, is_remote)
    if column.null_count:
        payload[column.is_null().to_numpy()] = ABSENT
    return payload


@njit(cache=True, nogil=True)
def unpack(data, dlc, is_remote):
    """Mark as absent what a frame has no room for; bytes there that are not 0 stay, to be found.

    Args:
        data: uint8 `[num_frames, width]`.
        dlc: integer `[num_frames]`.
        is_remote: bool `[num_frames]`.

    Returns:
        int16 `[num_frames, width]`.
    """
    payload = np.empty(data.shape, np.int16)
    for frame in range(len(data)):
        length = 0 if is_remote[frame] else np.int64(dlc[frame])
        for position in range(data.shape[1]):
            value = data[frame, position]
            payload[frame, position] = value if position < length or value != 0 else ABSENT
    return payload


def _column(column: pa.ChunkedArray, name: str, path: str) -> np.ndarray | pd.Categorical:
    """Turn a column into an array that holds any number it may hold; nulls become bad values."""
    try:
        if not column.null_count and column.type == KEPT_TYPES.get(name):
            return _numbers(column)
        if name == "channel":
            return _channel(column)
        if name == "timestamp":
            return pc.cast(column, pa.float64()).fill_null(np.nan).to_numpy()
        if FRAME_COLUMNS.get(name) == "bool":
            return pc.cast(column, pa.bool_()).fill_null(False).to_numpy()
        if name.startswith("byte_"):
            return pc.cast(column, pa.int16()).fill_null(ABSENT).to_numpy()
        return pc.cast(column, pa.int64()).fill_null(-1).to_numpy()
    except pa.ArrowException as error:
        raise DataError(
            f"{path}: column {name} has type {column.type}, which cannot be read as it: {error}."
        ) from error


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Return a column without nulls as an array of its own type."""
    if column.type == pa.bool_():
        return _memory(pc.cast(column, pa.uint8()), np.dtype(np.uint8)).view(bool)
    return _memory(column, np.dtype(column.type.to_pandas_dtype()))


def _memory(column: pa.ChunkedArray, dtype: np.dtype) -> np.ndarray:
    """Return the memory of a column as it was read, which nobody else writes into, as an array."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return np.frombuffer(array.buffers()[1], dtype)[array.offset :][: len(array)]


def _channel(column: pa.ChunkedArray) -> pd.Categorical:
    if column.null_count:
        column = pc.cast(column, pa.string()).fill_null("")
    names = column.combine_chunks()
    if not pa.types.is_dictionary(names.type):
        names = names.dictionary_encode()
    categories = pc.cast(names.dictionary, pa.string()).to_pylist()
    return pd.Categorical.from_codes(names.indices.to_numpy(zero_copy_only=False), categories)
