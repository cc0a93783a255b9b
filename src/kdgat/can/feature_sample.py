"""What this kdgat measures on some fixed frames.

A feature's name says what it is about, not how it is measured. Stores keep these figures, and
models those of the store they were trained on, so that neither is taken for what it is not.
"""

from functools import cache

import numpy as np
import pandas as pd

from kdgat.can.frames import frame_table
from kdgat.can.graphs import build_graphs
from kdgat.can.profile import Profile

SECONDS, LEARNED, WINDOW = 4.0, 2.0, 50

TIMERS = (
    (0.005, 0.06), (0.007, 0.18), (0.01, 0.06), (0.013, 0.35), (0.02, 0.6), (0.05, 0.06),
    (0.07, 0.06), (0.13, 0.06), (0.24, 0.06), (0.017, 0.01),
)  # fmt: skip
"""Period, s, and jitter, in periods, of each ID: some have a rhythm, some none, some few frames."""


@cache
def feature_sample() -> tuple[float, ...]:
    """Give the mean of each node feature, then of each edge feature, in the order of their names.

    They are those of the windows of the frames' second half; the profile knows the first.
    """
    frames = _frames()
    later = int(np.searchsorted(frames["timestamp"], LEARNED))
    starts = np.arange(later, len(frames) - WINDOW + 1, WINDOW)
    graphs = build_graphs(frames, starts, WINDOW, Profile.empty().update(frames[:later]))
    means = [table.mean(axis=0, dtype=np.float64) for table in (graphs.x, graphs.edge_attr)]
    return tuple(float(f"{mean:.7g}") for mean in np.concatenate(means))


def _frames() -> pd.DataFrame:
    """Make timers that jitter, their bytes counting, resting and wandering.

    In the second half one falls silent, one pauses and comes back out of step, one drifts, one
    freezes, one sends too few bytes, some are late, all are forged, two come that nobody knows, and
    the clock steps back.
    """
    sent = [_sent(0x100 + 0x40 * place, *timer) for place, timer in enumerate(TIMERS)]
    late = [_late(frames) for frames in sent]
    forged = [_forged(frames) for frames in sent]
    late[2] = late[2][(late[2]["time"] < 2.6) | (late[2]["time"] > 3.4)]
    back = late[5]["time"] > 3.0
    late[5].loc[back, "time"] += 4.4 * TIMERS[5][0]
    late[-1]["time"] += 0.004 * (late[-1]["time"] - LEARNED).clip(lower=0.0)
    late[3].loc[late[3]["time"] > 3.0, "byte_3"] = 9
    late[4].loc[(late[4]["time"] > LEARNED) & (late[4]["byte_0"] % 4 == 0), "dlc"] = 7
    unknown = [_sent(each, 0.11, 0.06).assign(byte_1=1, byte_3=2) for each in (0x7F0, 0x7F1)]
    new = pd.concat([*forged, *unknown])
    bus = pd.concat([*late, new[new["time"] > LEARNED]])
    bus = bus.sort_values("time", kind="stable", ignore_index=True)
    payload = bus[[f"byte_{place}" for place in range(8)]].to_numpy(np.int16)
    payload[bus["dlc"] == 7, 7] = -1
    return frame_table(
        timestamp=np.where(bus["time"] > 3.8, bus["time"] - 0.05, bus["time"]),
        arbitration_id=bus["id"].to_numpy(),
        dlc=bus["dlc"].to_numpy(),
        payload=payload,
        attack=np.zeros(len(bus), np.uint8),
    )


def _sent(arbitration_id: int, period: float, jitter: float) -> pd.DataFrame:
    number = np.arange(int(SECONDS / period))
    moved = (number * 0.618034) % 1.0 - 0.5
    return pd.DataFrame(
        {
            "time": period * (number + 0.5 + jitter * moved),
            "id": arbitration_id,
            "dlc": 8,
            "period": period,
            "byte_0": number % 16,
            "byte_1": arbitration_id % 251,
            "byte_2": np.abs(number % 200 - 100),
            "byte_3": (number * 37 + arbitration_id) % 256,
            "byte_4": number // 9 % 256,
            "byte_5": 0,
            "byte_6": (number % 5 == 0) * 128,
            "byte_7": (number * number) % 251,
        }
    )


def _late(frames: pd.DataFrame) -> pd.DataFrame:
    """Delay some frames of the second half by some of their period."""
    number = np.arange(len(frames))
    share = 0.07 * (number % 7 == 0) + 0.15 * (number % 11 == 0)
    is_late = frames["time"] > LEARNED
    return frames.assign(time=frames["time"] + is_late * share * frames["period"])


def _forged(frames: pd.DataFrame) -> pd.DataFrame:
    """Send every third frame of an ID once more, before the next is due, with another byte."""
    some = frames.iloc[::3]
    return some.assign(time=some["time"] + 0.65 * some["period"], byte_1=255)
