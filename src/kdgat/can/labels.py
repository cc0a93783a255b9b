"""Labels and episodes from intervals that lie beside the captures, as JSON or CSV.

ROAD and CAN-MIRGU publish one JSON object a capture. ROAD counts an interval's seconds from the
first frame, CAN-MIRGU from 1970: if all intervals of a capture end before its earliest timestamp,
they are taken for the former.
`injection_id` names the ID (`XXX`: any) and `injection_data_str` the payload, `X` for any digit.
CAN-MIRGU has several intervals in some captures (`injection_interval_1`, ...), trailing commas, and
one key twice. kdgat's own CSV has `capture,attack_type,start,end,arbitration_ids`.
"""

import json
import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from kdgat.can.clock import bus_time
from kdgat.can.frames import ABSENT, number_episodes, payload
from kdgat.errors import DataError

LOGGER = logging.getLogger(__name__)

INTERVAL_KEY = re.compile(r"(injection|masquerade|suspension)_interval(_\d+)?")
TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
ANY = "X"
ROUNDING = 1e-6
"""Timestamps and bounds are rounded to 1 µs."""

CSV_COLUMNS = ("capture", "start", "end", "arbitration_ids")


@dataclass(frozen=True)
class Interval:
    """One episode as published.

    Attributes:
        start: First second, as the timestamps of the frames count; in the files also since the
            first frame.
        end: Last second.
        arbitration_ids: IDs of the attacker's frames; empty if any.
        pattern: Hexadecimal payload of these frames, `X` for any digit; empty if any.
        adds_frames: False if the attack silences an ID, so that no frame is part of it.
    """

    start: float
    end: float
    arbitration_ids: tuple[int, ...] = ()
    pattern: str = ""
    adds_frames: bool = True


def read_intervals(path: Path, capture: str) -> list[Interval]:
    """Read the intervals of one capture, sorted by start.

    Args:
        path: JSON file with one object a capture, or CSV file.
        capture: Name of the capture in there.

    Returns:
        The intervals; none if the file does not mention the capture, or gives it none.

    Raises:
        DataError: The file cannot be read or has another layout.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        intervals = _from_csv(text, capture) if path.suffix == ".csv" else _from_json(text, capture)
    except OSError as error:
        raise DataError(f"{path}, the intervals of {capture}, cannot be read: {error}.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: the intervals of {capture} are malformed: {error}.") from error
    for each in intervals:
        if not each.start <= each.end:
            raise DataError(
                f"{path}: an interval of {capture} starts at {each.start:g} s and ends at "
                f"{each.end:g} s: it should end later."
            )
    return sorted(intervals, key=lambda interval: interval.start)


def on_timestamps(intervals: list[Interval], frames: pd.DataFrame) -> list[Interval]:
    """Count intervals as the frames' timestamps do, where their file counts from the first frame.

    Args:
        intervals: Of one capture, as read.
        frames: Frame table.
    """
    timestamp = frames["timestamp"].to_numpy()
    if len(timestamp) == 0 or any(each.end >= timestamp.min() for each in intervals):
        return intervals
    first = float(timestamp[0])
    return [replace(each, start=each.start + first, end=each.end + first) for each in intervals]


def label_rows(frames: pd.DataFrame, intervals: list[Interval], name: str) -> pd.DataFrame:
    """Label the frames that lie in an interval, with its IDs and payload, as its episode.

    A warning names a capture with intervals that no frame is part of.

    Args:
        frames: Frame table.
        intervals: Episodes, sorted by start.
        name: Of the capture.
    """
    episode, empty = np.zeros(len(frames), np.int32), []
    for number, interval in enumerate(intervals, start=1):
        if interval.adds_frames:
            matches = _matches(frames, interval)
            episode[(episode == 0) & matches] = number
            empty += [] if matches.any() else [interval]
    if empty:
        timestamp = frames["timestamp"]
        LOGGER.warning(
            "%s: no frame is part of %d of %d declared intervals, the first %.6f to %.6f s; "
            "its frames are of %.6f to %.6f s",
            *(name, len(empty), len(intervals), empty[0].start, empty[0].end),
            *(timestamp.min(), timestamp.max()),
        )
    return frames.assign(attack=(episode > 0).astype(np.uint8), episode=episode)


def number_by_intervals(frames: pd.DataFrame, intervals: list[Interval], name: str) -> pd.DataFrame:
    """Number the attack frames of a labelled capture by the interval in which they lie.

    Where an attack frame lies in none, the episodes are counted from the labels alone, and a
    warning names the capture.
    """
    timestamp, attack = frames["timestamp"].to_numpy(), frames["attack"].to_numpy()
    episode = np.zeros(len(frames), np.int32)
    for number, interval in enumerate(intervals, start=1):
        episode[(episode == 0) & (attack == 1) & _lies_in(timestamp, interval)] = number
    if (episode[attack == 1] == 0).any():
        LOGGER.warning("%s: attack frames outside all intervals: its rows number episodes", name)
        episode = number_episodes(timestamp, attack)
    return frames.assign(episode=episode)


def silences(frames: pd.DataFrame, intervals: list[Interval]) -> list[tuple[float, float]]:
    """Give the bounds, bus time in s, of the intervals that no frame is part of."""
    timestamp = frames["timestamp"].to_numpy()
    clock, bounds = bus_time(timestamp), []
    for interval in intervals:
        if interval.adds_frames:
            continue
        first, last = interval.start, interval.end
        runs = [] if clock is timestamp else _runs(_lies_in(timestamp, interval))
        bounds += [
            (
                float(clock[begin] - min(timestamp[begin] - first, _before(clock, begin))),
                float(clock[end] + min(last - timestamp[end], _before(clock, end + 1))),
            )
            for begin, end in runs
        ] or [(first, last)]
    return bounds


def _runs(chosen: np.ndarray) -> list[tuple[int, int]]:
    """Give the first and last frame of each unbroken run of chosen frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return [(int(begin), int(end) - 1) for begin, end in edges.reshape(-1, 2)]


def _before(clock: np.ndarray, frame: int) -> float:
    """Give the time from the frame before to a frame, s; without end where there is none."""
    return float(clock[frame] - clock[frame - 1]) if 0 < frame < len(clock) else np.inf


def _lies_in(timestamp: np.ndarray, interval: Interval) -> np.ndarray:
    return (timestamp >= interval.start - ROUNDING) & (timestamp <= interval.end + ROUNDING)


def _matches(frames: pd.DataFrame, interval: Interval) -> np.ndarray:
    matches = _lies_in(frames["timestamp"].to_numpy(), interval)
    if interval.arbitration_ids:
        matches &= np.isin(frames["arbitration_id"].to_numpy(), interval.arbitration_ids)
    data = payload(frames)
    for position, digit in enumerate(interval.pattern):
        if digit != ANY:
            byte = data[:, position // 2]
            nibble = byte % 16 if position % 2 else byte // 16
            matches &= (byte != ABSENT) & (nibble == int(digit, 16))
    return matches


def _from_csv(text: str, capture: str) -> list[Interval]:
    lines = [line.split(",") for line in text.splitlines() if line]
    if not lines:
        raise ValueError("it is empty")
    missing = [name for name in CSV_COLUMNS if name not in lines[0]]
    if missing:
        raise ValueError(f"no column {', '.join(missing)}")
    for line in lines[1:]:
        if len(line) != len(lines[0]):
            raise ValueError(f"{','.join(line)!r} has {len(line)} fields, not {len(lines[0])}")
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    return [
        Interval(float(row["start"]), float(row["end"]), _ids(row["arbitration_ids"].split()))
        for row in rows
        if row["capture"] == capture
    ]


def _from_json(text: str, capture: str) -> list[Interval]:
    # Keys that occur twice are kept: CAN-MIRGU has an interval under a wrong number.
    entries = json.loads(TRAILING_COMMA.sub("", text), object_pairs_hook=list)
    intervals = []
    for name, pairs in entries:
        if name != capture:
            continue
        values = dict(pairs)
        for key, bounds in pairs:
            match = INTERVAL_KEY.fullmatch(key)
            if match and bounds is not None:
                intervals.append(_interval(values, match, bounds))
    return intervals


def _interval(values: dict, match: re.Match, bounds: list) -> Interval:
    kind, number = match[1], match[2] or ""
    ids = values.get(f"{kind}_id{number}", values.get(f"{kind}_id", values.get("injection_id")))
    pattern = values.get(f"{kind}_data_str{number}", values.get(f"{kind}_data_str")) or ""
    start, end = (float(second) for second in bounds)
    if len(pattern) > 16 or set(pattern.upper()) - set("0123456789ABCDEFX"):
        raise ValueError(
            f"{kind}_data_str is {pattern!r}, up to 16 hexadecimal digits or X allowed"
        )
    listed = ids if isinstance(ids, list) else [] if ids is None else [ids]
    return Interval(start, end, _ids(listed), pattern.upper(), kind != "suspension")


def _ids(values: list) -> tuple[int, ...]:
    """Parse IDs; no ID, `XXX` or `any` among them means any."""
    texts = [value if isinstance(value, int) else str(value).strip() for value in values]
    if any(isinstance(text, str) and text.upper().strip("X") in ("", "ANY") for text in texts):
        return ()
    return tuple(text if isinstance(text, int) else int(text, 16) for text in texts)
