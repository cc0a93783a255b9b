"""Parquet: the canonical form of a capture on disk, every column kept exactly."""

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kdgat.can.frames import (
    ABSENT,
    BYTE_COLUMNS,
    FD_BYTE_COLUMNS,
    FD_FRAME_COLUMNS,
    FRAME_COLUMNS,
    STANDARD_IDS,
)
from kdgat.can.readers.checks import checked_log
from kdgat.can.readers.log import Log
from kdgat.errors import DataError

REQUIRED = ("timestamp", "arbitration_id", "dlc", *BYTE_COLUMNS)


def write_parquet(frames: pd.DataFrame, path: Path, *, about: dict[str, str]) -> None:
    """Write a frame table, whole or not at all.

    Args:
        frames: Frame table.
        path: Target, in a folder that exists.
        about: Columns that are the same in every row, such as capture and vehicle; dictionary
            encoded, so that they cost nothing.
    """
    table = pa.Table.from_pandas(frames, preserve_index=False)
    for name, value in about.items():
        codes = pa.array(np.zeros(len(frames), np.int8))
        table = table.append_column(name, pa.DictionaryArray.from_arrays(codes, [value]))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(table.replace_schema_metadata(None), temporary, compression="zstd")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_parquet(contents: bytes, path: str) -> Log:
    """Read a frame table; columns other than its own are ignored.

    Needed are `timestamp`, `arbitration_id`, `dlc` and `byte_0` to `byte_7` (null or -1 where
    absent); the others have the defaults of `frame_table`.

    Raises:
        DataError: The file is damaged, lacks a column, or one has a type that cannot be it.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(contents))
        names = file.schema_arrow.names
        missing = [name for name in REQUIRED if name not in names]
        if missing:
            raise DataError(f"{path}: no column {', '.join(missing)}; found {', '.join(names)}.")
        wanted = [name for name in FD_FRAME_COLUMNS if name in names]
        table = file.read(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is a damaged Parquet file: {error}.") from error
    if len(table) == 0:
        raise DataError(f"{path} holds no frame.")
    columns = {name: _column(table[name], name, path) for name in wanted}
    return _as_log(columns, path)


def _as_log(columns: dict, path: str) -> Log:
    width = FD_BYTE_COLUMNS if FD_BYTE_COLUMNS[-1] in columns else BYTE_COLUMNS
    payload = np.empty((len(columns["timestamp"]), len(width)), np.int16)
    for position, name in enumerate(width):
        payload[:, position] = columns[name]
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
        is_remote=columns.get("is_remote", np.zeros(len(payload), bool)),
        episode=columns.get("episode"),
        has_labels="attack" in columns,
    )


def _column(column: pa.ChunkedArray, name: str, path: str) -> np.ndarray | pd.Categorical:
    """Turn a column into an array that holds any number it may hold; nulls become bad values."""
    try:
        if name == "channel":
            return pd.Categorical(
                column.to_pandas()
                .astype("category")
                .cat.set_categories([str(value) for value in column.unique().to_pylist()])
            )
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
