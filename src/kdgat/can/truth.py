"""What the labels of test captures say beyond "this window is an attack": which IDs took part."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kdgat.can.splits import Cut, deal_windows

ATTACKED_ID_COLUMNS = ("capture", "start", "arbitration_id", "attack_frames")


def attacked_ids(captures: Mapping[str, pd.DataFrame], cut: Cut) -> pd.DataFrame:
    """Count the attack frames of each ID in each window of the test captures.

    Args:
        captures: `<scenario>/<capture>` -> frame table; each test capture is asked for once.
        cut: How captures are cut.

    Returns:
        ATTACKED_ID_COLUMNS, one row per window and ID with attack frames: `start` is the window's
        first frame, `attack_frames` is 1 to window.
    """
    tables = []
    for name in captures:
        if name.startswith("test_"):
            frames = captures[name]
            starts = deal_windows(name, frames, cut)["test"]
            tables.append(ids_under_attack(frames, starts, cut.window).assign(capture=name))
    columns = list(ATTACKED_ID_COLUMNS)
    return (
        pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
    )


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
