"""What is known of test captures beyond the label of a window: which IDs, and which episodes."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.capture_tables import CaptureNote, CaptureTables
from kdgat.can.clock import bus_time
from kdgat.can.declarations import SUPPRESS
from kdgat.can.splits import Cut, deal_windows
from kdgat.errors import DataError

EPISODE_COLUMNS = ("capture", "start", "end", "attack_frames")
ATTACKED_ID_COLUMNS = ("capture", "start", "arbitration_id", "attack_frames")


class Truth(NamedTuple):
    """What is known of the test captures of a dataset.

    Attributes:
        episodes: EPISODE_COLUMNS, one row per episode, by capture and start: first and last
            second (bus time), and the number of attack frames, 0 if an ID falls silent. Where an
            ID falls silent and nothing says when, start and end are NaN.
        attacked_ids: ATTACKED_ID_COLUMNS, one row per window and ID with attack frames: `start`
            is the window's first frame, `attack_frames` is 1 to window.
    """

    episodes: pd.DataFrame
    attacked_ids: pd.DataFrame


def collect_truth(captures: CaptureTables, cut: Cut) -> Truth:
    """Bound the episodes of the test captures, and count the attack frames of each ID.

    Episodes with frames are bounded by their first and last attack frame, those that silence an
    ID by what the dataset declares.

    Args:
        captures: all captures; each test capture is asked for once.
        cut: How captures are cut into windows.

    Raises:
        DataError: In every test capture an ID is silent, and nothing says when.
    """
    bounds, tables = [], [pd.DataFrame(columns=list(ATTACKED_ID_COLUMNS))]
    for name in captures:
        if name.startswith("test_"):
            frames = captures[name]
            bounds += [(name, *bound) for bound in episodes_of(frames, captures.notes[name])]
            starts = deal_windows(name, frames, cut)["test"]
            tables.append(ids_under_attack(frames, starts, cut.window).assign(capture=name))
    episodes = pd.DataFrame(bounds, columns=list(EPISODE_COLUMNS))
    _refuse_without_labels([name for name in captures if name.startswith("test_")], episodes)
    return Truth(
        episodes,
        pd.concat(tables, ignore_index=True).astype(dict.fromkeys(ATTACKED_ID_COLUMNS[1:], int)),
    )


def _refuse_without_labels(tests: list[str], episodes: pd.DataFrame) -> None:
    unbounded = set(episodes["capture"][episodes["start"].isna()])
    if tests and unbounded.issuperset(tests):
        raise DataError(
            f"No test window has a label: an ID is silent in every test capture "
            f"({', '.join(tests[:3])}{', ...' if tests[3:] else ''}), and nothing says when; "
            "declare it (`labels.intervals` of the dataset), or add a test capture with frames "
            "that are labelled."
        )


def episodes_of(frames: pd.DataFrame, note: CaptureNote) -> list[tuple[float, float, int]]:
    """Give start, end and number of attack frames of each episode of a capture, by start."""
    time = pd.Series(bus_time(frames["timestamp"].to_numpy()), index=frames.index)
    attacked = frames["episode"] > 0
    bounds = time[attacked].groupby(frames["episode"]).agg(["min", "max", "size"])
    found = [*bounds.itertuples(index=False, name=None)]
    found += [(*silence, 0) for silence in note.silences]
    if note.attack_type == SUPPRESS and not found:
        return [(np.nan, np.nan, 0)]
    return sorted(found)


def ids_under_attack(frames: pd.DataFrame, starts: np.ndarray, window: int) -> pd.DataFrame:
    """Count the attack frames of each ID in each window of one capture.

    Args:
        frames: Frame table.
        starts: int64 `[num_windows]`, first frame of each window, ascending.
        window: Frames in a window.

    Returns:
        int64 columns start, arbitration_id and attack_frames, by start, then ID.
    """
    attacked = np.flatnonzero(frames["attack"].to_numpy())
    first = np.searchsorted(starts, attacked - window, side="right")
    behind = np.searchsorted(starts, attacked, side="right")
    times = behind - first  # windows overlap where the stride is shorter than a window
    frame = np.repeat(attacked, times)
    begun = np.repeat(np.cumsum(times) - times, times)
    number = np.repeat(first, times) + np.arange(len(frame)) - begun
    table = pd.DataFrame(
        {
            "start": starts[number],
            "arbitration_id": frames["arbitration_id"].to_numpy(np.int64)[frame],
        }
    )
    return table.groupby(["start", "arbitration_id"]).size().reset_index(name="attack_frames")
