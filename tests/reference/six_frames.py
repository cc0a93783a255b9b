"""A recording small enough to work out by hand what attacks do to it."""

import numpy as np
import pandas as pd

from kdgat.can.frames import ABSENT, frame_table

BITRATE = 500_000
START = 1_650_000_000.0


def six_frames(ids=(0x100, 0x200, 0x100, 0x200, 0x100, 0x200)) -> pd.DataFrame:
    """One frame every ms; each holds its number in the first of two bytes."""
    data = np.full((6, 8), ABSENT, np.int16)
    data[:, 0] = np.arange(6)
    data[:, 1] = 0xA5
    time = START + np.arange(6) / 1000
    return frame_table(time, np.array(ids), np.full(6, 2), data, np.zeros(6))


def microseconds(frames: pd.DataFrame) -> list[int]:
    """When the frames were recorded, in µs after the first of the six."""
    return np.rint((frames["timestamp"] - START) * 1e6).astype(int).tolist()
