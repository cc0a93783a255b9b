"""How far detectors carry on masquerade, which lasts: by one window and by many in a row.

python benchmarks/masquerade.py MODEL... --recorded <raw root>/set_01 --seconds 5 30

MODEL and --recorded as for hours_of_traffic.py. Each attack-free capture is judged as it is, and
with masquerade injected in different draws, calibrated with its first seconds, for each length of
that prefix; all after the longest one. The scores of so many windows in a row are averaged and
judged as one. Printed is the recall of episodes at the lowest level with at most 10 false alarms an
hour on these captures: a figure of ranking.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from guard import BITRATE
from hours_of_traffic import RESAMPLING, attacked_frames, place, recorded

from kdgat import load_detector
from kdgat.calibration import CALIBRATED
from kdgat.can.injections import inject
from kdgat.can.profile_features import capture_clock
from kdgat.can.windows import attack_counts
from kdgat.detector import Detector
from kdgat.metrics.episodes import alarm_scorecard

IN_A_ROW = (1, 8, 32, 128)
POINTS = {"model": {CALIBRATED: 0.0}}

Version = tuple[str, pd.DataFrame]
"""A capture's name, and its frames as recorded or with masquerade."""


def versions(folder: Path, draws: int, prefix: float) -> tuple[list[Version], pd.DataFrame]:
    """Give each attack-free capture as it is and attacked after its prefix, and the episodes."""
    found, episodes = [], []
    for number, (name, frames) in enumerate(recorded(folder)):
        found.append((name, frames))
        first = int(np.searchsorted(capture_clock(frames["timestamp"].to_numpy()), prefix))
        for draw in range(draws):
            generator = np.random.default_rng([5, number, draw])
            attacked = inject(frames.iloc[first:], "masquerade", generator, bitrate=BITRATE)
            whole = pd.concat([frames.iloc[:first], attacked.frames], ignore_index=True)
            found.append((f"{name}+{draw}", whole))
            episodes.append(attacked_frames(attacked).assign(capture=f"{name}+{draw}"))
    return found, pd.concat(episodes)


def judge(detector: Detector, version: Version, seconds: float, later: float) -> pd.DataFrame:
    """Score what comes so many s after the first frame."""
    name, frames = version
    windows = detector.score(frames, calibration_seconds=seconds)
    counts = attack_counts(
        frames["attack"].to_numpy(), windows["start"].to_numpy(), detector.window
    )
    judged = windows["start_time"] >= frames["timestamp"].iloc[0] + later
    judged &= windows["protocol"] == CALIBRATED
    return windows.assign(capture=name, label=counts > 0)[judged]


def joined(windows: pd.DataFrame, number: int) -> pd.DataFrame:
    """Make one window of so many in a row of a capture, with the mean of their scores."""
    return windows.groupby(np.arange(len(windows)) // number).agg(
        capture=("capture", "first"),
        start=("start", "first"),
        start_time=("start_time", "first"),
        end_time=("end_time", "last"),
        label=("label", "max"),
        score=("score", "mean"),
    )


def recall(captures: list[pd.DataFrame], episodes: pd.DataFrame, in_a_row: int) -> str:
    windows = pd.concat([joined(capture, in_a_row) for capture in captures]).assign(
        split="test",
        scenario="",
        model="model",
        protocol=CALIBRATED,
        operating_point=CALIBRATED,
    )
    table, *_ = alarm_scorecard(
        windows,
        POINTS,
        episodes,
        {"model": 0.0},
        persistence=(1, 1),
        resampling=RESAMPLING,
    )
    return f"{table.iloc[0].episode_recall_at_10_per_hour:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--recorded", type=Path, nargs="+", required=True)
    parser.add_argument("--seconds", type=float, nargs="+", default=[5.0])
    parser.add_argument("--draws", type=int, default=3)
    given = parser.parse_args()
    longest = max(given.seconds)
    heads = "".join(f" {seconds:g} s |" for seconds in given.seconds)
    print("| model | cars | episodes | windows in a row |" + heads)
    print("|" + "---|" * (4 + len(given.seconds)))
    for folder in given.recorded:
        captures, episodes = versions(folder, given.draws, longest)
        for model in given.models:
            detector = load_detector(model)
            scored = [
                [judge(detector, version, seconds, longest) for version in captures]
                for seconds in given.seconds
            ]
            for in_a_row in IN_A_ROW:
                cells = [recall(windows, episodes, in_a_row) for windows in scored]
                print(
                    f"| {place(model)} | {folder.name} | {len(episodes)} | {in_a_row} "
                    f"| {' | '.join(cells)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
