"""The frame table: one row per CAN frame, the same columns whatever format it was read from."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from kdgat.errors import DataError

MAX_DLC = 8
"""Data bytes of a classical CAN frame, at most (ISO 11898-1)."""

ID_LIMIT = 2**29
"""Arbitration IDs, extended ones included, lie below this (ISO 11898-1)."""

ABSENT = -1
"""Stands in `byte_0` to `byte_7` for a byte that the frame does not have: absent is not zero."""

BYTE_COLUMNS = tuple(f"byte_{position}" for position in range(MAX_DLC))

FRAME_COLUMNS = {
    "timestamp": "float64",
    "arbitration_id": "uint32",
    "dlc": "uint8",
    **dict.fromkeys(BYTE_COLUMNS, "int16"),
    "attack": "uint8",
}
"""Columns of a frame table and their types; `timestamp` in seconds, `attack` 0 or 1."""


def frame_table(
    timestamp: np.ndarray,
    arbitration_id: np.ndarray,
    dlc: np.ndarray,
    payload: np.ndarray,
    attack: np.ndarray,
) -> pd.DataFrame:
    """Build a frame table from arrays, in the order given.

    Args:
        timestamp: float `[num_frames]`, bus time in s; may step back.
        arbitration_id: integer `[num_frames]`, below 2**29.
        dlc: integer `[num_frames]`, 0 to 8.
        payload: int16 `[num_frames, 8]`; 0 to 255, `ABSENT` from position `dlc` on.
        attack: integer `[num_frames]`, 1 where the frame is part of an attack.

    Raises:
        DataError: An array has the wrong length or a value out of range.
    """
    _check_shapes(timestamp, arbitration_id, dlc, payload, attack)
    _check_ranges(timestamp, arbitration_id, dlc, payload, attack)
    columns = {"timestamp": timestamp, "arbitration_id": arbitration_id, "dlc": dlc}
    columns |= {name: payload[:, position] for position, name in enumerate(BYTE_COLUMNS)}
    columns["attack"] = attack
    return pd.DataFrame(
        {name: columns[name].astype(dtype) for name, dtype in FRAME_COLUMNS.items()}
    )


def payload(frames: pd.DataFrame) -> np.ndarray:
    """Return the payload bytes as contiguous int16 `[num_frames, 8]`, `ABSENT` where absent."""
    return np.ascontiguousarray(frames[list(BYTE_COLUMNS)].to_numpy())


def content_hash(frames: pd.DataFrame) -> str:
    """Return the SHA-256 of all columns, the same for equal frames under any file name."""
    digest = hashlib.sha256()
    for name, dtype in FRAME_COLUMNS.items():
        digest.update(np.ascontiguousarray(frames[name].to_numpy(dtype)).data)
    return digest.hexdigest()


def drop_repeated(
    captures: Mapping[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], list[tuple[str, str]]]:
    """Keep the first of the captures that hold exactly the same frames.

    All `train_*` scenarios are one set: a capture that two of them share would put twins into
    training and validation. Every `test_*` scenario is measured by itself, so a capture is
    repeated only within its own scenario. A capture in both training and test is an error.

    Args:
        captures: Frame tables by name `<scenario>/<capture>`; of twins the first is kept.

    Returns:
        The captures kept, in the same order, and pairs (dropped name, name of the one kept).

    Raises:
        DataError: A test capture repeats a training capture.
    """
    kept, dropped = {}, []
    first_by_content: dict[tuple[str, str], str] = {}
    hashes = {name: content_hash(frames) for name, frames in captures.items()}
    trained_on = {hashes[name]: name for name in captures if _group(name) == "train"}
    for name, frames in captures.items():
        if _group(name) != "train" and hashes[name] in trained_on:
            raise DataError(
                f"Test capture {name} holds the same frames as training capture "
                f"{trained_on[hashes[name]]}: remove one of the two, a test must be unseen."
            )
        first = first_by_content.setdefault((_group(name), hashes[name]), name)
        if first == name:
            kept[name] = frames
        else:
            dropped.append((name, first))
    return kept, dropped


def _group(name: str) -> str:
    """Return the set within which a capture may occur once: `train`, or its test scenario."""
    scenario = name.split("/", maxsplit=1)[0]
    return "train" if scenario.startswith("train_") else scenario


def _check_shapes(timestamp, arbitration_id, dlc, payload, attack) -> None:
    num_frames = len(timestamp)
    shapes = {
        "arbitration_id": (arbitration_id, (num_frames,)),
        "dlc": (dlc, (num_frames,)),
        "payload": (payload, (num_frames, MAX_DLC)),
        "attack": (attack, (num_frames,)),
    }
    for name, (values, shape) in shapes.items():
        if values.shape != shape:
            raise DataError(f"{name} has shape {values.shape}, {shape} is needed.")


def _check_ranges(timestamp, arbitration_id, dlc, payload, attack) -> None:
    present = np.arange(MAX_DLC) < np.asarray(dlc)[:, None]
    rules = (
        ("timestamp", np.isfinite(timestamp), "a finite number"),
        ("arbitration_id", (arbitration_id >= 0) & (arbitration_id < ID_LIMIT), "0 to 2**29 - 1"),
        ("dlc", (dlc >= 0) & (dlc <= MAX_DLC), "0 to 8"),
        ("attack", (attack == 0) | (attack == 1), "0 or 1"),
        (
            "payload",
            np.where(present, (payload >= 0) & (payload <= 255), payload == ABSENT).all(axis=1),
            "0 to 255 below dlc, ABSENT from dlc on",
        ),
    )
    values = {
        "timestamp": timestamp,
        "arbitration_id": arbitration_id,
        "dlc": dlc,
        "attack": attack,
        "payload": payload,
    }
    for name, fine, allowed in rules:
        if not fine.all():
            frame = int(np.argmin(fine))
            found = values[name][frame].tolist()
            raise DataError(f"{name} of frame {frame} is {found}; allowed: {allowed}.")
