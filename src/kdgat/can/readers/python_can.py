"""Formats that python-can reads: ASC, BLF, MF4, TRC, SQLite and its own CSV.

python-can skips text rows that it does not know and stops at the first that it cannot parse. Here
each line is handed to it one by one, so that every row that gave no frame is accounted for.
"""

import io
import re
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import can
import numpy as np
import pandas as pd

from kdgat.can.frames import ABSENT, MAX_DLC, MAX_FD_DLC
from kdgat.can.readers.checks import checked_log
from kdgat.can.readers.foreign import CSV_HEADER
from kdgat.can.readers.log import NOT_UNDERSTOOD, REASONS, Log
from kdgat.errors import DataError

ASC_TIMED = re.compile(r"\s*\d+\.\d+\s")
ASC_FRAME = re.compile(r"\s*\d+\.\d+\s+(CANFD\b|\d+\s+([0-9A-Fa-f]+x?|ErrorFrame)\b)")
ASC_OTHER = re.compile(r"\s*(date|base|(no\s+)?internal|begin|end|start|//|$)", re.I)
ASC_RELATIVE = re.compile(r"\s*base\s.*\btimestamps\s+relative", re.I)
ASC_LAST_HEADER_LINE = "no internal events logged"
"""Ends the header: without it python-can swallows the line that follows the header."""

TRC_OTHER = {"ST", "EC", "EV", "Warng"}
"""Types of rows that report a state of the bus, not a frame."""

TRC_ERRORS = {"ER", "Error"}

READING_ERRORS = (ValueError, LookupError, TypeError, ArithmeticError, NotImplementedError)
READING_ERRORS += (struct.error, zlib.error, sqlite3.Error, EOFError, OSError)

Messages = Iterable[tuple[int, can.Message]]
"""Number of the line or record, and the message it holds."""


class SkippedRows(NamedTuple):
    """Rows that gave no frame: malformed ones, and error frames that python-can drops."""

    bad: list[tuple[int, str, str]]
    error_frames: list[int]


class TextLog(NamedTuple):
    """How to hand a text format to python-can.

    Attributes:
        reader: Its reader, given something that yields lines.
        header: Lines of the header, to be repeated after a row that it cannot parse.
        kind: Tells of a line that gave no frame whether it is `bad`, an `error` or `other`.
    """

    reader: Callable[[Iterator[str]], Iterable[can.Message]]
    header: list[str]
    kind: Callable[[str], str]


def read_asc(contents: bytes, path: str) -> Log:
    """Read an ASC log; timestamps are seconds since the measurement began.

    Raises:
        DataError: They are seconds since the line before, which python-can takes for the former.
    """
    lines = _lines(contents)
    end = next((n for n, line in enumerate(lines) if ASC_TIMED.match(line)), len(lines))
    for number, line in enumerate(lines[:end], start=1):
        if ASC_RELATIVE.match(line):
            raise DataError(
                f"{path}, line {number}: {line.strip()!r}, each time would count from the line "
                "before; only `timestamps absolute` is read: export the log again with it."
            )
    header = [*lines[:end], ASC_LAST_HEADER_LINE]
    return _read_text("asc", lines, end, TextLog(can.ASCReader, header, _asc_kind), path)


def read_trc(contents: bytes, path: str) -> Log:
    """Read a TRC log; from version 1.1 on timestamps are absolute."""
    lines = _lines(contents)
    end = next((n for n, line in enumerate(lines) if not line.startswith(";")), len(lines))
    return _read_text("trc", lines, end, TextLog(can.TRCReader, lines[:end], _trc_kind), path)


def read_python_can_csv(contents: bytes, path: str) -> Log:
    """Read a CSV that python-can has written."""
    lines = _lines(contents)
    begin = int(lines[0].strip().encode() == CSV_HEADER)
    text = TextLog(can.CSVReader, [CSV_HEADER.decode()], lambda line: "bad")
    return _read_text("python_can_csv", lines, begin, text, path)


def read_blf(contents: bytes, path: str) -> Log:
    """Read a BLF log.

    Raises:
        DataError: The file is cut off or damaged.
    """

    def open_reader() -> Iterable[can.Message]:
        reader = can.BLFReader(io.BytesIO(contents))
        if reader.file_size > len(contents):
            raise DataError(
                f"{path} is cut off: its header promises {reader.file_size} bytes, "
                f"{len(contents)} are there."
            )
        return reader

    return _read_binary("blf", open_reader, path)


def read_mf4(contents: bytes, path: str) -> Log:
    """Read an MF4 log of a bus.

    Raises:
        DataError: The file is damaged or logs no CAN bus.
    """
    return _read_binary("mf4", lambda: can.MF4Reader(io.BytesIO(contents)), path)


def read_sqlite(contents: bytes, path: str) -> Log:
    """Read the table `messages` of an SQLite log.

    Raises:
        DataError: The file is damaged or has no such table.
    """
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        file.write(contents)
        file.flush()
        return _read_binary("sqlite", lambda: can.SqliteReader(file.name), path)


def _lines(contents: bytes) -> list[str]:
    return [line.rstrip("\r") for line in contents.decode("utf-8", "replace").split("\n")]


def _asc_kind(line: str) -> str:
    if ASC_FRAME.match(line):
        return "bad"
    return "other" if ASC_TIMED.match(line) or ASC_OTHER.match(line) else "bad"


def _trc_kind(line: str) -> str:
    words = line.split()[:4]
    if not words or words[0].startswith(";") or TRC_OTHER.intersection(words):
        return "other"
    return "error" if TRC_ERRORS.intersection(words) else "bad"


def _read_text(name: str, lines: list[str], begin: int, text: TextLog, path: str) -> Log:
    skipped = SkippedRows([], [])
    while lines and not lines[-1].strip():
        lines.pop()
    messages = _messages(lines, begin, text, skipped)
    return _as_log(name, messages, skipped, path)


def _messages(lines: list[str], begin: int, text: TextLog, skipped: SkippedRows) -> Messages:
    """Yield (line, message); a row that stops the reader is set aside and a new one goes on."""
    taken: list[int] = []

    def source() -> Iterator[str]:
        while taken_until[0] < len(lines):
            number = taken_until[0]
            taken_until[0] += 1
            taken.append(number)
            yield lines[number] + "\n"

    taken_until = [begin]
    while taken_until[0] < len(lines):
        reader = text.reader(_LineSource(text.header, source()))
        try:
            for message in reader:
                number = taken.pop()
                _account(lines, taken, text, skipped)
                yield number + 1, message
        except READING_ERRORS as error:
            reason = f"{REASONS[NOT_UNDERSTOOD]}: {error}"
            skipped.bad.append((taken[-1] + 1, reason, lines[taken.pop()]))
        _account(lines, taken, text, skipped)


def _account(lines: list[str], taken: list[int], text: TextLog, skipped: SkippedRows) -> None:
    """Sort lines that gave no frame."""
    for number in taken:
        kind = text.kind(lines[number])
        if kind == "bad":
            row = (number + 1, REASONS[NOT_UNDERSTOOD], lines[number])
            skipped.bad.append(row)
        elif kind == "error":
            skipped.error_frames.append(number + 1)
    taken.clear()


class _LineSource:
    """Yields the header, then the lines; a file as far as python-can's readers need one."""

    def __init__(self, header: list[str], lines: Iterator[str]):
        self._header = iter(header)
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._header:
            return line + "\n"
        return next(self._lines)

    def close(self) -> None:
        """Do nothing: the lines go on in the next reader."""


def _read_binary(name: str, open_reader: Callable[[], Iterable[can.Message]], path: str) -> Log:
    # Loaded by python-can anyway, if the file is MF4.
    from asammdf.blocks.utils import MdfException
    from can.io.blf import BLFParseError

    try:
        return _as_log(name, enumerate(open_reader(), start=1), SkippedRows([], []), path)
    except (*READING_ERRORS, BLFParseError, MdfException) as error:
        raise DataError(f"{path} is a damaged {name.upper()} file: {error}.") from error


def _as_log(name: str, messages: Messages, skipped: SkippedRows, path: str) -> Log:
    line, frames = [], []
    num_errors = 0
    for number, message in messages:
        if message.is_error_frame:
            num_errors += 1
        else:
            line.append(number)
            frames.append(message)
    if not frames:
        raise DataError(f"{path} holds no frame{_first_of(skipped)}.")
    lengths = np.array([len(message.data) for message in frames])
    return checked_log(
        format=name,
        timestamp=np.array([message.timestamp for message in frames], np.float64),
        arbitration_id=np.array([message.arbitration_id for message in frames], np.int64),
        dlc=np.array([_num_bytes(message) for message in frames], np.int64),
        payload=_payload(frames, lengths),
        attack=np.zeros(len(frames), np.int64),
        channel=pd.Categorical([_channel(message) for message in frames]),
        is_extended=np.array([message.is_extended_id for message in frames], bool),
        is_remote=np.array([message.is_remote_frame for message in frames], bool),
        error_frames=num_errors + len(skipped.error_frames),
        line=np.array(line),
        rejected=skipped.bad,
    )


def _first_of(skipped: SkippedRows) -> str:
    if not skipped.bad:
        return ""
    line, reason, text = skipped.bad[0]
    return f"; line {line}: {reason}, found {text[:60]!r}"


def _num_bytes(message: can.Message) -> int:
    """Return the number of data bytes: some readers give a CAN FD frame's code instead."""
    if message.is_remote_frame:
        return message.dlc
    if message.is_fd or len(message.data) > MAX_DLC:
        return len(message.data)
    return min(message.dlc, MAX_DLC)


def _channel(message: can.Message) -> str:
    return "" if message.channel is None else str(message.channel)


def _payload(frames: list[can.Message], lengths: np.ndarray) -> np.ndarray:
    width = MAX_FD_DLC if lengths.max(initial=0) > MAX_DLC else MAX_DLC
    payload = np.full((len(frames), width), ABSENT, np.int16)
    data = np.frombuffer(b"".join(bytes(message.data) for message in frames), np.uint8)
    payload[np.arange(width) < lengths[:, None]] = data
    return payload


READERS = {
    "asc": read_asc,
    "blf": read_blf,
    "mf4": read_mf4,
    "python_can_csv": read_python_can_csv,
    "sqlite": read_sqlite,
    "trc": read_trc,
}
"""Reader of each format that is left to python-can."""
