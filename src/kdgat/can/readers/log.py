"""What every reader returns, and why a row is left out."""

from typing import NamedTuple

import numpy as np
import pandas as pd

FINE, ERROR_FRAME = 0, 1
(
    BAD_FIELDS,
    BAD_TIMESTAMP,
    BAD_ID,
    DECIMAL_ID,
    BAD_DLC,
    BAD_PAYLOAD,
    BAD_LABEL,
    NUL_BYTE,
    REPEATED_HEADER,
    CUT_OFF,
    NOT_UNDERSTOOD,
) = range(2, 13)

REASONS = {
    BAD_FIELDS: "wrong number of fields",
    BAD_TIMESTAMP: "timestamp is not a finite number (s)",
    BAD_ID: "arbitration_id is not a hexadecimal number below 2^29, without 0x",
    DECIMAL_ID: "arbitration_id is decimal (1000 to 2047) where hexadecimal ones are expected",
    BAD_DLC: "dlc is not the number of data bytes, 0 to 8 or one of CAN FD to 64",
    BAD_PAYLOAD: "data_field is not 0 to 8 bytes of two hexadecimal digits each (CAN FD: to 64)",
    BAD_LABEL: "attack is neither 0 nor 1 (R nor T in logs of HCRL)",
    NUL_BYTE: "the row holds NUL bytes",
    REPEATED_HEADER: "the header is repeated",
    CUT_OFF: "the last line is cut off",
    NOT_UNDERSTOOD: "python-can does not understand the row",
}
"""What a malformed row breaks; a row counts for the first rule it breaks."""

SHOWN = 60
"""Characters of a malformed row that a message quotes."""

KEPT = 200
"""Characters of a malformed row that the quarantine table keeps."""


class Log(NamedTuple):
    """One log file as read.

    Attributes:
        frames: Frame table in file order; all benign where the format has no labels.
        bad_rows: Rows left out: `line` (from 1; in binary formats the record), `reason`, `text`.
        num_rows: Rows of the file, malformed ones and error frames included.
        error_frames: Error frames, which carry no ID and are left out.
        has_labels: Whether the rows themselves say what is an attack.
        format: Name of the format, a key of `FORMATS`.
    """

    frames: pd.DataFrame
    bad_rows: pd.DataFrame
    num_rows: int
    error_frames: int
    has_labels: bool
    format: str


def bad_row_table(rows: list[tuple[int, str, str]]) -> pd.DataFrame:
    """Build the quarantine table of one file from (line, reason, text), in file order."""
    return pd.DataFrame(
        {
            "line": np.array([line for line, _, _ in rows], np.int64),
            "reason": pd.array([reason for _, reason, _ in rows], "str"),
            "text": pd.array([text[:KEPT] for _, _, text in rows], "str"),
        }
    )
