"""Rows of formats that deliver numbers instead of text: checked all at once."""

import numpy as np
import pandas as pd
from numba import njit

from kdgat.can.frames import (
    ID_LIMIT,
    MAX_DLC,
    MAX_FD_DLC,
    STANDARD_IDS,
    as_channel,
    assemble_frames,
    bytes_fit,
    number_episodes,
)
from kdgat.can.readers.log import Log, bad_row_table

RULES = (
    "timestamp is not a finite number (s)",
    "arbitration_id is not 0 to 2^29 - 1, or above 0x7ff without being extended",
    "dlc is not 0 to 8 or one of CAN FD to 64",
    "data bytes are not 0 to 255 up to dlc and absent from there on",
    "attack is neither 0 nor 1",
    "episode is not 0 in a benign frame and above 0 in an attack frame",
)
"""What a row must be, in the order in which it is checked."""

NONE_BROKEN = len(RULES)

IS_LENGTH = np.isin(np.arange(MAX_FD_DLC + 1), (*range(MAX_DLC + 1), 12, 16, 20, 24, 32, 48, 64))
"""Whether a CAN or CAN FD frame can have so many data bytes: bool `[65]`."""


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

    The table is built around the arrays given where it can be, see `assemble_frames`.

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
    broken = broken_rules(
        timestamp,
        arbitration_id,
        is_extended,
        dlc,
        is_remote,
        payload,
        attack,
        attack if episode is None else episode,
    )
    keep = broken == NONE_BROKEN
    table = list(rejected or [])
    for row in np.flatnonzero(~keep):
        data = " ".join(f"{byte:02x}" for byte in payload[row, : max(0, dlc[row])])
        text = f"{timestamp[row]} {arbitration_id[row]:#x} [{dlc[row]}] {data}"
        table.append((int(row) + 1 if line is None else int(line[row]), RULES[broken[row]], text))
    if keep.all():
        keep = slice(None)
    rows = {
        "timestamp": timestamp,
        "channel": as_channel(channel, len(broken)),
        "arbitration_id": arbitration_id,
        "is_extended": is_extended,
        "is_remote": is_remote,
        "dlc": dlc,
        "payload": payload,
        "attack": attack,
    }
    columns = {name: values[keep] for name, values in rows.items()}
    columns["episode"] = (
        number_episodes(columns["timestamp"], columns["attack"])
        if episode is None
        else episode[keep]
    )
    return Log(
        frames=assemble_frames(columns),
        bad_rows=bad_row_table(sorted(table)),
        num_rows=len(broken) + error_frames + len(rejected or []),
        error_frames=error_frames,
        has_labels=has_labels,
        format=format,
    )


@njit(cache=True, nogil=True)
def broken_rules(timestamp, arbitration_id, is_extended, dlc, is_remote, payload, attack, episode):
    """Find the first of `RULES` that each row breaks.

    Args:
        timestamp: float `[num_rows]`; the others as `checked_log` takes them.

    Returns:
        uint8 `[num_rows]`, place in `RULES`, or `NONE_BROKEN`.
    """
    broken = np.full(len(dlc), NONE_BROKEN, np.uint8)
    longest = payload.shape[1]
    for row in range(len(dlc)):
        highest = ID_LIMIT if is_extended[row] else STANDARD_IDS
        length = 0 if is_remote[row] else min(max(np.int64(dlc[row]), 0), longest)
        if not np.isfinite(timestamp[row]):
            broken[row] = 0
        elif not 0 <= np.int64(arbitration_id[row]) < highest:
            broken[row] = 1
        elif not (0 <= dlc[row] <= longest and IS_LENGTH[dlc[row]]):
            broken[row] = 2
        elif not bytes_fit(payload, row, length):
            broken[row] = 3
        elif attack[row] != 0 and attack[row] != 1:
            broken[row] = 4
        elif episode[row] < 0 or (episode[row] > 0) != (attack[row] > 0):
            broken[row] = 5
    return broken
