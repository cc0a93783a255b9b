"""How far a detector carries on masquerade, which lasts: by one window, and by many in a row.

python benchmarks/masquerade.py MODEL --recorded <raw root>/set_01 <raw root>/set_03

MODEL and --recorded as for hours_of_traffic.py. Each attack-free capture is judged as it is, and
with masquerade injected in different draws, calibrated with its first 5 s. The scores of so many
windows in a row are averaged and judged as one. Recall is that of the lowest level with at most 1
and 10 false alarms an hour on these captures: a figure of ranking.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from guard import BITRATE
from hours_of_traffic import RESAMPLING, attacked_frames, judge, recorded

from kdgat import load_detector
from kdgat.can.injections import inject
from kdgat.metrics.episodes import alarm_scorecard

IN_A_ROW = (1, 8, 32, 128)
POINTS = {"model": {"calibrated": 0.0}}


def joined(windows: pd.DataFrame, number: int) -> pd.DataFrame:
    """Make one window of so many calibrated ones of a capture, with the mean of their scores."""
    windows = windows[windows["protocol"] == "calibrated"].sort_values("start")
    return windows.groupby(np.arange(len(windows)) // number).agg(
        capture=("capture", "first"),
        start=("start", "first"),
        start_time=("start_time", "first"),
        end_time=("end_time", "last"),
        label=("label", "max"),
        score=("score", "mean"),
        operating_point=("operating_point", "first"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--recorded", type=Path, nargs="+", required=True)
    parser.add_argument("--draws", type=int, default=3)
    arguments = parser.parse_args()
    detector = load_detector(arguments.model)
    print("| cars | windows in a row | episodes | recall at 1 an hour | at 10 |")
    print("|" + "---|" * 5)
    for folder in arguments.recorded:
        captures, episodes = [], []
        for number, (name, frames) in enumerate(recorded(folder)):
            captures.append(judge(detector, name, frames))
            for draw in range(arguments.draws):
                generator = np.random.default_rng([5, number, draw])
                attacked = inject(frames, "masquerade", generator, bitrate=BITRATE)
                here = f"{name}+{draw}"
                captures.append(judge(detector, here, attacked.frames))
                episodes.append(attacked_frames(attacked).assign(capture=here))
        for in_a_row in IN_A_ROW:
            windows = pd.concat([joined(capture, in_a_row) for capture in captures])
            table, *_ = alarm_scorecard(
                windows.assign(split="test", scenario="", model="model", protocol="calibrated"),
                POINTS,
                pd.concat(episodes),
                {"model": 0.0},
                persistence=(1, 1),
                resampling=RESAMPLING,
            )
            row = table.iloc[0]
            print(
                f"| {folder.name} | {in_a_row} | {row.episodes} "
                f"| {row.episode_recall_at_1_per_hour:.3f} "
                f"| {row.episode_recall_at_10_per_hour:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
