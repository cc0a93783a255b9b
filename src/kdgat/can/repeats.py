"""Captures that hold the same frames as another, found by content."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kdgat.can.frames import FD_BYTE_COLUMNS, FD_FRAME_COLUMNS, FRAME_COLUMNS, byte_columns
from kdgat.errors import DataError

NO_CONTENT = ("channel", "episode")
"""Columns that say how a capture was recorded or annotated, not what happened on the bus."""


def content_hash(frames: pd.DataFrame) -> str:
    """Return the SHA-256 of what happened on the bus, with its labels.

    It is the same for equal frames under any file name, in any format, on any channel.
    """
    digest = hashlib.sha256()
    is_fd = byte_columns(frames) is FD_BYTE_COLUMNS
    for name, dtype in (FD_FRAME_COLUMNS if is_fd else FRAME_COLUMNS).items():
        if name not in NO_CONTENT:
            digest.update(np.ascontiguousarray(frames[name].to_numpy(dtype)).data)
    return digest.hexdigest()


def episodes_hash(frames: pd.DataFrame) -> str:
    """Return the SHA-256 of the episodes' numbers, by which training captures are split."""
    number = np.ascontiguousarray(frames["episode"].to_numpy(np.int32))
    return hashlib.sha256(number.data).hexdigest()


def find_repeated(hashes: Mapping[str, str], allowed: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Find the captures that repeat another one of training, or of the same test scenario.

    Args:
        hashes: Capture name -> `content_hash`; of twins the first is kept.
        allowed: Names of test captures that may repeat a training capture.

    Returns:
        Pairs (name to drop, name of the one kept).

    Raises:
        DataError: A test capture repeats a training capture, or a name allowed is no capture.
    """
    unknown = sorted(set(allowed) - set(hashes))
    if unknown:
        raise DataError(f"No capture {unknown[0]} to allow; captures: {', '.join(hashes)}.")
    repeated = []
    first_by_content: dict[tuple[str, str], str] = {}
    trained_on = {content: name for name, content in hashes.items() if _group(name) == "train"}
    for name, content in hashes.items():
        if _group(name) != "train" and content in trained_on and name not in allowed:
            raise DataError(
                f"Test capture {name} holds the same frames as training capture "
                f"{trained_on[content]}: remove one of the two, a test must be unseen,"
                " or allow it by name in data_processing.allowed_repeats."
            )
        first = first_by_content.setdefault((_group(name), content), name)
        if first != name:
            repeated.append((name, first))
    return repeated


def _group(name: str) -> str:
    """Return the set within which a capture may occur once: `train`, or its test scenario."""
    scenario = name.split("/", maxsplit=1)[0]
    return "train" if scenario.startswith("train_") else scenario
