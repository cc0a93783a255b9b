"""The captures of a dataset: found in its folder, read one at a time, written."""

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from kdgat.can.capture_folders import find_captures
from kdgat.can.clock import report_clock
from kdgat.can.declarations import (
    ATTACK_FREE,
    SUPPRESS,
    Declaration,
    Labels,
    attack_type_of,
    vehicle_of,
)
from kdgat.can.labels import (
    Interval,
    label_rows,
    number_by_intervals,
    on_timestamps,
    read_intervals,
    silences,
)
from kdgat.can.readers import read_log
from kdgat.can.readers.log import SHOWN, Log
from kdgat.can.readers.parquet import write_parquet
from kdgat.can.silences import find_silences, joined, report_silences
from kdgat.errors import DataError, ParameterError

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Capture:
    """One recorded log file.

    Attributes:
        name: `<scenario>/<capture>`.
        scenario: Folder of training (`train_*`) or of test (`test_*`).
        vehicle: The car, `unknown` if nothing says which.
        attack_type: What is in it, `attack_free` if nothing.
        frames: Frame table, in file order.
        bad_rows: Malformed rows left out: `line`, `reason`, `text`.
        num_rows: Rows of the file, malformed ones and error frames included.
        error_frames: Error frames left out: they carry no ID.
        format: Name of the format it was read from.
        silences: First and last second (bus time) of episodes that silence an ID, so that no
            frame is part of them: as declared or, of a capture with `suppress` of which nothing is
            declared, as `find_silences` finds them.
    """

    name: str
    scenario: str
    vehicle: str
    attack_type: str
    frames: pd.DataFrame
    bad_rows: pd.DataFrame
    num_rows: int = 0
    error_frames: int = 0
    format: str = ""
    silences: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class CaptureFile:
    """A capture that is still to be read; calling it reads it.

    Attributes:
        name: `<scenario>/<capture>`.
        path: The file.
        vehicle: As in `Capture`.
        attack_type: As in `Capture`.
        formats: Formats that its dataset declares; any if empty.
        labels: Where its dataset's labels come from.
        intervals: The file of intervals, if there is one.
        checksum: SHA-256 of the file, where it is known.
    """

    name: str
    path: Path
    vehicle: str
    attack_type: str
    formats: tuple[str, ...] = ()
    labels: Labels | None = None
    intervals: Path | None = None
    checksum: str | None = None

    def __call__(self, bad_row_share: float) -> Capture:
        """Read the capture.

        Args:
            bad_row_share: Largest share of malformed rows, 0 to 1; 0 refuses any.

        Raises:
            DataError: The file, its labels or its checksum are not what they must be, or it has
                more malformed rows than allowed.
        """
        self._check_checksum()
        log = read_log(self.path)
        if self.formats and log.format not in (*self.formats, "parquet"):
            raise DataError(
                f"{self.path} has the format {log.format}; its dataset declares "
                f"{', '.join(self.formats)}."
            )
        check_bad_rows(self.path, log, bad_row_share)
        _report(self.name, log)
        intervals = on_timestamps(self._read_intervals(), log.frames)
        frames = self._label(log, intervals)
        if log.has_labels:
            self._check_labels(frames)
        return Capture(
            name=self.name,
            scenario=self.name.split("/", 1)[0],
            vehicle=self.vehicle,
            attack_type=self.attack_type,
            frames=frames,
            silences=tuple(self._silences(frames, intervals)),
            bad_rows=log.bad_rows,
            num_rows=log.num_rows,
            error_frames=log.error_frames,
            format=log.format,
        )

    def _read_intervals(self) -> list[Interval]:
        if self.intervals is None or self.labels is None:
            return []
        intervals = [x for name in self._known_as() for x in read_intervals(self.intervals, name)]
        if self.attack_type == SUPPRESS:
            return [replace(interval, adds_frames=False) for interval in intervals]
        return intervals

    def _check_labels(self, frames: pd.DataFrame) -> None:
        if self.attack_type not in (ATTACK_FREE, SUPPRESS) and not frames["attack"].any():
            LOGGER.warning(
                "%s: no frame of this capture with %s is labelled: every frame counts as benign "
                "(where an ID falls silent instead, declare the attack type %s)",
                *(self.name, self.attack_type, SUPPRESS),
            )

    def _silences(
        self, frames: pd.DataFrame, intervals: list[Interval]
    ) -> list[tuple[float, float]]:
        if intervals or self.attack_type != SUPPRESS or frames["attack"].any():
            return silences(frames, intervals)
        found = find_silences(frames)
        report_silences(self.name, found, float(frames["timestamp"].iloc[0]))
        return joined(found)

    def _known_as(self) -> tuple[str, str]:
        stem = self.name.split("/", 1)[1]
        return (self.labels.names.get(stem, stem), self.name)

    def _label(self, log: Log, intervals: list[Interval]) -> pd.DataFrame:
        labels_lie_in = self.labels.source if self.labels else "rows"
        use_rows = log.has_labels and (labels_lie_in == "rows" or log.format == "parquet")
        if intervals and self.attack_type == SUPPRESS:
            use_rows = False  # CAN-MIRGU labels what others send meanwhile: no attacker's frames
        if self.intervals is None or self.labels is None:
            if not log.has_labels and self.attack_type != ATTACK_FREE:
                LOGGER.warning(
                    "%s: %s has no labels: every frame counts as benign", self.name, log.format
                )
            return log.frames
        if use_rows:
            return (
                number_by_intervals(log.frames, intervals, self.name) if intervals else log.frames
            )
        if labels_lie_in == "rows" and self.attack_type not in (ATTACK_FREE, SUPPRESS):
            raise DataError(
                f"{self.path}: its dataset declares labels in its rows, and {log.format} has none; "
                "declare `labels: {source: intervals}` if the intervals give them."
            )
        if not intervals and self.attack_type not in (ATTACK_FREE, SUPPRESS):
            raise DataError(
                f"{self.intervals} gives no interval for {self._known_as()[0]}, a capture with "
                f"{self.attack_type}: it cannot be labelled; name it under `ignored`."
            )
        return label_rows(log.frames, intervals, self.name)

    def _check_checksum(self) -> None:
        if self.checksum is None:
            return
        with self.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.checksum:
            raise DataError(
                f"{self.path} has SHA-256 {found}, its dataset declares {self.checksum}: "
                "get the file again, or correct the declaration."
            )


def open_captures(
    folder: Path, declaration: Declaration | None = None, declared: tuple[str, ...] = ()
) -> dict[str, CaptureFile]:
    """List the captures of a dataset without reading any, sorted by name.

    Args:
        folder: Folder of the dataset.
        declaration: Of the dataset; the plain layout if there is none.
        declared: Names of all declared datasets, for the message if the folder is missing.

    Raises:
        DataError: As `find_captures`.
    """
    paths = find_captures(folder, declaration, declared)
    labels = declaration.labels if declaration else None
    return {
        name: CaptureFile(
            name=name,
            path=path,
            vehicle=vehicle_of(name, declaration),
            attack_type=attack_type_of(name, declaration),
            formats=tuple(declaration.formats) if declaration else (),
            labels=labels,
            intervals=folder / labels.intervals if labels and labels.intervals else None,
            checksum=declaration.checksums.get(path.relative_to(folder).as_posix())
            if declaration
            else None,
        )
        for name, path in paths.items()
    }


def read_capture(path: Path, bad_row_share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read one log file of any format into a frame table, setting malformed rows aside.

    Args:
        path: Log file, plain, in gz or in zip.
        bad_row_share: Largest share of malformed rows, 0 to 1; 0 refuses any.

    Returns:
        The frame table in file order, and the malformed rows: `line` (from 1), `reason`, `text`.

    Raises:
        DataError: The file cannot be read, is of no known format, has no usable row, or more
            malformed rows than allowed.
    """
    log = read_log(path)
    check_bad_rows(path, log, bad_row_share)
    report_clock(path.name, log.frames)
    return log.frames, log.bad_rows


def write_canonical(capture: Capture, path: Path) -> None:
    """Write a capture as Parquet: every column of its frames, and what is known about it."""
    about = {
        "capture": capture.name,
        "vehicle": capture.vehicle,
        "scenario": capture.scenario,
        "attack_type": capture.attack_type,
    }
    write_parquet(capture.frames, path, about=about)


def check_bad_rows(path: Path, log: Log, allowed: float) -> None:
    """Refuse a log with too many malformed rows.

    Raises:
        DataError: Their share is above `allowed`, or there is no other row.
        ParameterError: `allowed` is no share.
    """
    if not 0.0 <= allowed <= 1.0:
        raise ParameterError(f"bad_row_share is {allowed}: 0 to 1")
    num_bad = len(log.bad_rows)
    share = num_bad / max(1, log.num_rows)
    if share <= allowed and len(log.frames):
        return
    if num_bad == 0:
        raise DataError(f"{path} holds no frame but {log.error_frames} error frames.")
    line, reason, text = log.bad_rows.iloc[0]
    raise DataError(
        f"{path}, line {line}: {reason}, found {text[:SHOWN]!r}; malformed rows: {num_bad} "
        f"of {log.num_rows} ({share:.3%}), allowed: {allowed:.3%} (bad_row_share)."
    )


def _report(name: str, log: Log) -> None:
    """Say what was left out, and what is odd about the rest."""
    if len(log.bad_rows):
        line, reason, _ = log.bad_rows.iloc[0]
        LOGGER.warning(
            "%s: left out %d of %d rows; the first, line %d: %s",
            *(name, len(log.bad_rows), log.num_rows, line, reason),
        )
    if log.error_frames:
        LOGGER.info("%s: left out %d error frames, which carry no ID", name, log.error_frames)
    report_clock(name, log.frames)
