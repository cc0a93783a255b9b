"""Rows of formats that deliver numbers instead of text: checked all at once."""

import numpy as np
import pandas as pd

from kdgat.can.frames import ID_LIMIT, STANDARD_IDS, frame_table, payload_fits
from kdgat.can.readers.log import Log, bad_row_table, fd_length

RULES = (
    "timestamp is not a finite number (s)",
    "arbitration_id is not 0 to 2^29 - 1, or above 0x7ff without being extended",
    "dlc is not 0 to 8 or one of CAN FD to 64",
    "data bytes are not 0 to 255 up to dlc and absent from there on",
    "attack is neither 0 nor 1",
    "episode is not 0 in a benign frame and above 0 in an attack frame",
)
"""What a row must be, in the order in which it is checked."""


def checked_log(
    *,
    format: str,
    timestamp: np.ndarray,
    arbitration_id: np.ndarray,
    dlc: np.ndarray,
    payload: np.ndarray,
    attack: np.ndarray,
    channel: str | pd.Categorical,
    is_extended: np.ndarray,
    is_remote: np.ndarray,
    episode: np.ndarray | None = None,
    has_labels: bool = False,
    error_frames: int = 0,
    line: np.ndarray | None = None,
    rejected: list[tuple[int, str, str]] | None = None,
) -> Log:
    """Set rows aside that break a rule, and build the rest into a frame table.

    Args:
        format: name of the format.
        timestamp: as in `frame_table`, of all rows; so are the others up to `episode`.
        arbitration_id: integer.
        dlc: integer.
        payload: int16, 8 or 64 columns.
        attack: integer.
        channel: one for all or one a row.
        is_extended: bool.
        is_remote: bool.
        episode: integer, counted from `attack` if not given.
        has_labels: whether `attack` was in the file.
        error_frames: error frames that the reader has left out.
        line: integer `[num_rows]`, where each row stands in the file; 1, 2, ... if not given.
        rejected: rows that the reader itself could not understand.
    """
    length = np.where(is_remote, 0, np.clip(dlc, 0, payload.shape[1]))
    fine = (
        np.isfinite(timestamp),
        (arbitration_id >= 0)
        & (arbitration_id < ID_LIMIT)
        & (is_extended | (arbitration_id < STANDARD_IDS)),
        (dlc >= 0) & (dlc <= payload.shape[1]) & fd_length(dlc),
        payload_fits(payload, length.astype(np.int64)),
        (attack == 0) | (attack == 1),
        np.ones(len(dlc), bool)
        if episode is None
        else (episode >= 0) & ((episode > 0) == (attack > 0)),
    )
    keep = np.logical_and.reduce(fine)
    lines = np.arange(1, len(keep) + 1) if line is None else line
    table = list(rejected or [])
    for row in np.flatnonzero(~keep):
        reason = next(rule for rule, good in zip(RULES, fine, strict=True) if not good[row])
        data = " ".join(f"{byte:02x}" for byte in payload[row, : max(0, dlc[row])])
        text = f"{timestamp[row]} {arbitration_id[row]:#x} [{dlc[row]}] {data}"
        table.append((int(lines[row]), reason, text))
    if keep.all():
        keep = slice(None)
    frames = frame_table(
        timestamp=timestamp[keep],
        arbitration_id=arbitration_id[keep],
        dlc=dlc[keep],
        payload=payload[keep],
        attack=attack[keep],
        channel=channel if isinstance(channel, str) else channel[keep],
        is_extended=is_extended[keep],
        is_remote=is_remote[keep],
        episode=None if episode is None else episode[keep],
    )
    return Log(
        frames=frames,
        bad_rows=bad_row_table(sorted(table)),
        num_rows=len(lines) + error_frames + len(rejected or []),
        error_frames=error_frames,
        has_labels=has_labels,
        format=format,
    )
