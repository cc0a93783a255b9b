"""Attacked windows in which the car's own frames of the attacked ID are missing.

python benchmarks/owner_silent.py DATA_ROOT RAW_ROOT --dataset hcrl_sa --seeds 1 2 3 \
    --scenario test_03_known_vehicle_unknown_attack

Where an attacker's frames take the place of the car's own, a window alone shows an ID that sends at
a pace of its own, as the IDs of some car do. Reads the scores and operating points that `kedro run`
has left of each seed, and the test captures. A window counts as one whose owner is silent if only
attack frames of the IDs under attack are in it, though the car itself sends each of them in the
capture, at its mean rate at least once in such a window. Printed for each fusion: how many of
these windows there are and how many alarm, the same of all other attacked windows, and the highest
F1 without a false alarm that a detector reaches which finds none of the former.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from rule_expert import newest

from kdgat.calibration import PROTOCOLS
from kdgat.can.captures import open_captures
from kdgat.markdown import table

COLUMNS = ("seed", "protocol", "fusion of", "silent: alarm, n", "others: alarm, n", "highest F1")


def is_silent(frames: pd.DataFrame, start: int, window: int) -> bool:
    """Say whether an attacked window holds no frame of the owner of the IDs under attack."""
    part = frames.iloc[start : start + window]
    attack = part["attack"].to_numpy() == 1
    seconds = part["timestamp"].iloc[-1] - part["timestamp"].iloc[0]
    duration = frames["timestamp"].iloc[-1] - frames["timestamp"].iloc[0]
    own = frames.loc[frames["attack"] == 0, "arbitration_id"].value_counts()
    for number in part.loc[attack, "arbitration_id"].unique():
        expected = own.get(number, 0) / duration * seconds
        if expected < 1.0 or (part.loc[~attack, "arbitration_id"] == number).any():
            return False
    return True


def rows_of(seed: int, folder: Path, silent: dict[str, set[int]]) -> list[tuple]:
    """Count, for both fusions and protocols, the alarms of one seed."""
    scores = pd.read_parquet(newest(folder, "window_scores.parquet"))
    points = json.loads(newest(folder, "thresholds.json").read_text())
    attacked = scores[scores["capture"].isin(silent) & (scores["label"] == 1)]
    rows = []
    for protocol in PROTOCOLS:
        for size in ("student", "teacher"):
            model = f"{size}_fusion"
            windows = attacked[(attacked["model"] == model) & (attacked["protocol"] == protocol)]
            level = windows["operating_point"].map(lambda of, at=points[model]: at[of]["value"])
            alarm = (windows["score"] >= level).to_numpy()
            alone = np.array(
                [
                    start in silent[name]
                    for name, start in zip(windows["capture"], windows["start"], strict=True)
                ]
            )
            found = int((~alone).sum())
            counts = [f"{alarm[each].sum()}, {each.sum()}" for each in (alone, ~alone)]
            highest = 2 * found / (found + len(windows))
            rows.append((seed, protocol, f"{size}s", *counts, f"{highest:.4f}"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_root", type=Path)
    parser.add_argument("raw_root", type=Path)
    parser.add_argument("--dataset", default="hcrl_sa")
    parser.add_argument("--scenario", default="test_03_known_vehicle_unknown_attack")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--window", type=int, default=100)
    told = parser.parse_args()
    files = open_captures(told.raw_root / told.dataset)
    silent = {}
    for name in (name for name in files if name.startswith(f"{told.scenario}/")):
        frames = files[name](bad_row_share=0.001).frames
        attacks = np.add.reduceat(
            frames["attack"].to_numpy(np.int64), np.arange(0, len(frames), told.window)
        )
        starts = np.flatnonzero(attacks) * told.window
        silent[name] = {int(s) for s in starts if is_silent(frames, int(s), told.window)}
    outputs = told.data_root / "07_model_output" / told.dataset
    rows = [row for seed in told.seeds for row in rows_of(seed, outputs / f"seed_{seed}", silent)]
    print(table(COLUMNS, [tuple(map(str, row)) for row in rows]))


if __name__ == "__main__":
    main()
