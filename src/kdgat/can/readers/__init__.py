"""Readers of log files, one per format, chosen by content and never by name."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from kdgat.can.readers.candump import is_candump, read_candump
from kdgat.can.readers.contents import BYTE_ORDER_MARK, UTF_16_MARKS, read_contents
from kdgat.can.readers.foreign import is_asc, is_python_can_csv, is_trc, with_python_can
from kdgat.can.readers.hcrl import is_hcrl_csv, is_hcrl_text, read_hcrl_csv, read_hcrl_text
from kdgat.can.readers.log import SHOWN, Log
from kdgat.can.readers.parquet import read_parquet
from kdgat.can.readers.plain_csv import is_plain_csv, read_plain_csv
from kdgat.errors import DataError

LOOKED_AT = 50
"""Lines at the head of a text file by which its format is recognised."""


class BinaryFormat(NamedTuple):
    """A format that its first bytes name."""

    magic: tuple[bytes, ...]
    read: Callable[[bytes, str], Log]


class TextFormat(NamedTuple):
    """A format that its first lines show."""

    recognise: Callable[[list[bytes]], bool]
    read: Callable[[bytes, str], Log]


BINARY_FORMATS = {
    "parquet": BinaryFormat((b"PAR1",), read_parquet),
    "blf": BinaryFormat((b"LOGG",), with_python_can("blf")),
    "mf4": BinaryFormat((b"MDF     ", b"UnFinMF "), with_python_can("mf4")),
    "sqlite": BinaryFormat((b"SQLite format 3\0",), with_python_can("sqlite")),
}
TEXT_FORMATS = {
    "python_can_csv": TextFormat(is_python_can_csv, with_python_can("python_can_csv")),
    "csv": TextFormat(is_plain_csv, read_plain_csv),
    "candump": TextFormat(is_candump, read_candump),
    "hcrl_text": TextFormat(is_hcrl_text, read_hcrl_text),
    "hcrl_csv": TextFormat(is_hcrl_csv, read_hcrl_csv),
    "asc": TextFormat(is_asc, with_python_can("asc")),
    "trc": TextFormat(is_trc, with_python_can("trc")),
}
FORMATS = (*BINARY_FORMATS, *TEXT_FORMATS)
"""Names of all formats; the order is that in which they are tried."""

SUFFIXES = (
    *(".csv", ".txt", ".log", ".asc", ".trc", ".blf"),
    *(".mf4", ".mdf", ".db", ".sqlite", ".sqlite3", ".parquet"),
)
ARCHIVES = (".gz", ".zip")


def capture_stem(path: Path) -> str | None:
    """Return a log file's name without what names its format; None if it has no such suffix."""
    name = path.name
    for archive in ARCHIVES:
        if name.lower().endswith(archive):
            name = name[: -len(archive)]
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return None


def read_log(path: Path) -> Log:
    """Read a log file of any format, plain, in gz or in zip.

    Raises:
        DataError: The file cannot be read, is empty, is of no known format, or its format's
            reader refuses it.
    """
    contents = read_contents(path)
    for binary in BINARY_FORMATS.values():
        if contents.startswith(binary.magic):
            return binary.read(contents, str(path))
    if contents.startswith(UTF_16_MARKS):
        raise DataError(f"{path} is UTF-16 text: convert it to UTF-8.")
    contents = contents.removeprefix(BYTE_ORDER_MARK)
    lines = [line for line in contents[:20_000].split(b"\n") if line.strip()][:LOOKED_AT]
    if not lines:
        raise DataError(f"{path} is empty; expected one of {', '.join(FORMATS)}.")
    for text in TEXT_FORMATS.values():
        if text.recognise(lines):
            return text.read(contents, str(path))
    raise DataError(_unknown(path, lines[0]))


def _unknown(path: Path, line: bytes) -> str:
    found = line[:SHOWN].strip()
    if all(31 < character < 127 or character in b"\t\r" for character in found):
        return (
            f"{path}, line 1: found {found.decode()!r}, which begins none of the formats "
            f"{', '.join(FORMATS)}; a CSV needs the header "
            "timestamp,arbitration_id,data_field,attack."
        )
    return f"{path} is a binary file of no known format; expected one of {', '.join(FORMATS)}."
