"""What a forged frame leaves behind in the windows after it, and what frames on time forget.

python benchmarks/left_behind.py RAW_ROOT/hcrl_sa RAW_ROOT/set_01 RAW_ROOT/set_03 --cars 20

Sparse spoofing is injected into the attack-free training captures of each dataset, and into
simulated cars, after the first 5 s, of which the profile is learned. Measured is the largest
`profile_gap_record` and `profile_gap_surprise` of each window, once with every gap from the ID's
frame before (the baseline), once as kdgat does, where a frame on time counts from the one that it
follows. Printed for each: the share of attacked windows, and of benign ones of the attacked
capture, above all but a thousandth of the windows of the same capture without the attack; and the
share of these windows in which any feature differs between the two ways. No test capture is read.
"""

import argparse
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from cars_never_seen import attacked_later
from hours_of_traffic import recorded, simulated

from kdgat.can.graphs import NODE_FEATURES, Graphs, build_graphs
from kdgat.can.on_time import frames_followed
from kdgat.can.profile import Profile
from kdgat.can.profile_features import capture_clock
from kdgat.can.windows import attack_counts, window_starts

SECONDS, WINDOW, BUDGET = 5.0, 100, 0.001
FEATURES = ("profile_gap_record", "profile_gap_surprise")


def frame_before(clock, before, *_):
    """Let every frame follow the one of its ID before."""
    return before


WAYS = {"frame before": frame_before, "on time": frames_followed}


def graphs_of(frames: pd.DataFrame, first: int, profile: Profile) -> tuple[Graphs, np.ndarray]:
    """Build the graphs of what comes after the prefix, and say which windows are attacked."""
    starts = window_starts(len(frames), WINDOW, WINDOW)
    starts = starts[starts >= first]
    counts = attack_counts(frames["attack"].to_numpy(), starts, WINDOW)
    return build_graphs(frames, starts, WINDOW, profile), counts > 0


def largest(graphs: Graphs) -> np.ndarray:
    """Give the largest value of each feature, float `[num_windows, 2]`."""
    columns = [NODE_FEATURES.index(name) for name in FEATURES]
    return np.maximum.reduceat(graphs.x[:, columns], graphs.node_offsets[:-1])


def compare(number: int, frames: pd.DataFrame) -> tuple[np.ndarray, float]:
    """Compare both ways on one capture.

    Returns:
        Shares, float `[2 ways, 2 features, attacked and benign windows]`, and that of the windows
        without an attack that differ.
    """
    first = int(np.searchsorted(capture_clock(frames["timestamp"].to_numpy()), SECONDS))
    profile = Profile.empty().update(frames.iloc[:first])
    attacked = attacked_later(number, frames, SECONDS)
    shares, benign = [], []
    for way in WAYS.values():
        with patch("kdgat.can.graphs.frames_followed", way):
            quiet, _ = graphs_of(frames, first, profile)
            graphs, is_attack = graphs_of(attacked, first, profile)
        above = largest(graphs) > np.quantile(largest(quiet), 1.0 - BUDGET, axis=0, method="higher")
        shares.append(np.stack([above[is_attack].mean(axis=0), above[~is_attack].mean(axis=0)], 1))
        benign.append(quiet)
    nodes = (benign[0].x != benign[1].x).any(axis=1)
    return np.array(shares), float(np.logical_or.reduceat(nodes, quiet.node_offsets[:-1]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recorded", type=Path, nargs="*")
    parser.add_argument("--cars", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=1.0)
    given = parser.parse_args()
    groups = {folder.name: list(recorded(folder)) for folder in given.recorded}
    groups["simulated cars"] = list(simulated(given.cars, given.minutes))
    heads = [f"`{name}`, {way}" for name in FEATURES for way in WAYS]
    print(f"| captures of | number | {' | '.join(heads)} | without an attack, differ |")
    print("|" + "---|" * (3 + len(heads)))
    for group, captures in groups.items():
        found = [compare(number, frames) for number, (_, frames) in enumerate(captures)]
        means = np.mean([shares for shares, _ in found], axis=0)
        cells = [
            f"{means[way, feature, 0]:.3f}, {means[way, feature, 1]:.4f}"
            for feature in range(len(FEATURES))
            for way in range(len(WAYS))
        ]
        differ = np.mean([share for _, share in found])
        print(f"| {group} | {len(captures)} | {' | '.join(cells)} | {differ:.5f} |", flush=True)


if __name__ == "__main__":
    main()
