"""What a run has to tell, one line of JSON a record, on this disk before anything else.

Appending never waits for a tracking store: `delivery` carries the records on. A journal that is
complete and delivered is deleted; one that is left behind says who wrote it and how far it got.

Kinds of records: `run` (experiment, name, tags, owner: how it began), `resume` (owner: a later
process goes on with it), `params`, `tags`, `metrics` (values, step, time), `artifact` (path),
`text` (name, text), `status` (status, time, error).
"""

import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kdgat.tracking.owners import Owner

LOGGER = logging.getLogger(__name__)
SUFFIX = ".jsonl"
UNKNOWN_END = "ended without a word: kill -9, out of memory or power loss"


def milliseconds() -> int:
    """Give the time as MLflow counts it, ms since 1970."""
    return int(time.time() * 1000)


class Journal:
    """The journal of one run, open for appending; any thread may append.

    What the disk refuses is kept in memory and tried again with the next record.

    Args:
        path: the file; its stem is the run's version.
    """

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_torn_line(path)
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
        self._size = os.fstat(self._file).st_size
        self._waiting = b""
        self._lock = threading.Lock()

    def append(self, kind: str, **fields: Any) -> None:
        """Write one record."""
        line = json.dumps({"kind": kind, **fields}).encode() + b"\n"
        with self._lock:
            self._write(self._waiting + line)

    def close(self) -> None:
        """Close the file; what the disk still refuses is named in the log."""
        with self._lock:
            if self._waiting:
                self._write(self._waiting)
            if self._waiting:
                LOGGER.error("lost %d records: %s cannot be written", self.waiting, self.path)
            os.close(self._file)

    @property
    def waiting(self) -> int:
        """Records that the disk has refused so far."""
        return self._waiting.count(b"\n")

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._file, data)
            if written < len(data):
                raise OSError(f"{written} of {len(data)} bytes written")
        except OSError as error:
            os.ftruncate(self._file, self._size)
            if not self._waiting:
                LOGGER.warning("%s: %s; records wait in memory", self.path, error)
            self._waiting = data
        else:
            self._size += written
            self._waiting = b""


def read(path: Path, offset: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """Read the whole records of a journal.

    Args:
        path: the journal.
        offset: where to begin, bytes.

    Yields:
        A record, and where the next one begins.
    """
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):  # its writer is not done, or died
                return
            offset += len(line)
            try:
                record = json.loads(line)
            except ValueError:  # a power loss may leave blocks of zeros
                LOGGER.warning("%s: the record that ends at byte %d is spoilt", path, offset)
            else:
                yield record, offset


def standing(path: Path) -> tuple[Owner | None, bool]:
    """Say who writes a journal, None if it names nobody yet, and whether the run has ended."""
    owner, ended = None, False
    for record, _ in read(path):
        if record["kind"] in ("run", "resume"):
            owner, ended = Owner.from_dict(record["owner"]), False
        elif record["kind"] == "status":
            ended = True
    return owner, ended


def is_left_behind(path: Path, dead_hosts: tuple[str, ...] = ()) -> bool:
    """Say whether nobody is left to bring a journal to the store.

    Args:
        path: the journal.
        dead_hosts: machines known to be gone, which cannot be asked.
    """
    owner, ended = standing(path)
    if owner is None:
        return False
    is_alive = False if owner.host in dead_hosts else owner.is_alive()
    if not ended:
        return is_alive is False
    return not is_alive or owner == Owner.this_process()  # another one is at its last delivery


def close_if_dead(path: Path, dead_hosts: tuple[str, ...] = ()) -> bool:
    """Put KILLED on record for a run whose process is gone.

    Args:
        path: the run's journal.
        dead_hosts: machines known to be gone, which cannot be asked.

    Returns:
        Whether it was so.
    """
    _, ended = standing(path)
    if ended or not is_left_behind(path, dead_hosts):
        return False
    journal = Journal(path)
    journal.append("status", status="KILLED", time=milliseconds(), error=UNKNOWN_END)
    journal.close()
    return True


def write_whole(path: Path, value: Any) -> None:
    """Write a small JSON file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with open(handle, "w") as file:
            json.dump(value, file, indent=1)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)


def _cut_torn_line(path: Path) -> None:
    if not path.is_file():
        return
    whole = max((offset for _, offset in read(path)), default=0)
    os.truncate(path, whole)
