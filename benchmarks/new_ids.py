"""How often a car sends an ID that the beginning of its recording lacks.

python benchmarks/new_ids.py <raw root>/hcrl_sa <raw root>/set_01 [--stretches 4] [--cars 40]

Attack-free training captures, and simulated cars: the first 5 s of a stretch of a minute, against
the windows of the rest. What is new there in a car that is not attacked looks like an attack, so
simulated cars should not show it much more often than recorded ones. No test capture is read.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from guard import recorded, simulated

SECONDS, MINUTE, WINDOW = 5.0, 60.0, 100


def new_frames(frames: pd.DataFrame) -> np.ndarray:
    """Count the frames of new IDs in each window after the beginning: int64 `[num_windows]`."""
    clock = frames["timestamp"].to_numpy() - frames["timestamp"].iloc[0]
    number = frames["arbitration_id"].to_numpy()
    first = int(np.searchsorted(clock, SECONDS))
    is_new = ~np.isin(number[first:], np.unique(number[:first]))
    windows = len(is_new) // WINDOW
    return is_new[: windows * WINDOW].reshape(windows, WINDOW).sum(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--stretches", type=int, default=4, help="of each capture")
    parser.add_argument("--cars", type=int, default=40, help="simulated")
    arguments = parser.parse_args()
    sources = {
        folder.name: recorded(folder, MINUTE, arguments.stretches) for folder in arguments.folders
    }
    sources["simulated cars"] = simulated(MINUTE, arguments.cars)
    print(
        "| stretches of | with new IDs | windows with new IDs, mean, most | frames in one, most |"
    )
    print("|---|---|---|---|")
    for source, stretches in sources.items():
        counts = [new_frames(frames) for frames in stretches]
        shares = [(each > 0).mean() for each in counts]
        print(
            f"| {source} | {sum(share > 0 for share in shares)} of {len(counts)} "
            f"| {np.mean(shares):.3f}, {max(shares):.3f} | {max(each.max() for each in counts)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
