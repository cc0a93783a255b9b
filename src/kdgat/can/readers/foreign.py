"""The formats that are left to python-can: recognised here, read there.

python-can takes a second to import, so it is imported when the first such file is read.
"""

import re
from collections.abc import Callable

from kdgat.can.readers.log import Log

CSV_HEADER = b"timestamp,arbitration_id,extended,remote,error,dlc,data"
CSV_LINE = re.compile(rb"[\d.e+]+,0x[0-9a-f]+,[01],[01],[01],\d+,")

ASC_HEADER = re.compile(rb"(date\s+\w+|base\s+(hex|dec)|//|(no\s+)?internal\s+events)", re.I)


def is_asc(lines: list[bytes]) -> bool:
    """Tell whether a text begins as Vector's ASC does."""
    return bool(ASC_HEADER.match(lines[0].strip()))


def is_trc(lines: list[bytes]) -> bool:
    """Tell whether a text begins as PEAK's TRC does."""
    return lines[0].startswith(b";")


def is_python_can_csv(lines: list[bytes]) -> bool:
    """Tell whether a text is the CSV of python-can."""
    return lines[0].strip() == CSV_HEADER or any(CSV_LINE.match(line) for line in lines)


def with_python_can(name: str) -> Callable[[bytes, str], Log]:
    """Return the reader of a format, which imports python-can when it is called."""

    def read(contents: bytes, path: str) -> Log:
        from kdgat.can.readers.python_can import READERS

        return READERS[name](contents, path)

    return read
