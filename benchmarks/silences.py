"""Whether the frames of a capture tell when an ID was silent.

python benchmarks/silences.py <raw root>/hcrl_sa <raw root>/set_01 <raw root>/set_03 --cars 20

Of each dataset the attack-free training captures, and simulated cars, each of a style drawn at
random, as they are and with an ID silenced in episodes (`inject`, attack suppress), in several
draws. Printed for each: captures without an attack in which `find_silences` finds one; episodes,
those found with their ID and bounds, and silences found that are none.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from guard import BITRATE
from hours_of_traffic import recorded, simulated

from kdgat.can.injections import inject
from kdgat.can.silences import find_silences


def compare(frames: pd.DataFrame, generator: np.random.Generator) -> tuple[int, int, int]:
    """Give the episodes injected, those found, and the silences found that are no episode."""
    attacked = inject(frames, "suppress", generator, bitrate=BITRATE)
    silences = find_silences(attacked.frames)
    hits = {
        (silence, episode.start)
        for silence in silences
        for episode in attacked.episodes.itertuples()
        if f"{silence.arbitration_id:#05x}" == episode.arbitration_ids
        and silence.start <= episode.start
        and silence.end >= episode.end
    }
    found = len({start for _, start in hits})
    return len(attacked.episodes), found, len(silences) - len({silence for silence, _ in hits})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recorded", type=Path, nargs="*")
    parser.add_argument("--cars", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--draws", type=int, default=3)
    arguments = parser.parse_args()
    groups = {folder.name: list(recorded(folder)) for folder in arguments.recorded}
    groups["simulated cars"] = list(simulated(arguments.cars, arguments.minutes))
    print("| captures of | without an attack, silent | episodes | found | others found |")
    print("|" + "---|" * 5)
    for group, captures in groups.items():
        silent = sum(bool(find_silences(frames)) for _, frames in captures)
        counts = [
            compare(frames, np.random.default_rng([9, number, draw]))
            for number, (_, frames) in enumerate(captures)
            for draw in range(arguments.draws)
        ]
        episodes, found, others = np.sum(counts, axis=0)
        print(f"| {group} | {silent} of {len(captures)} | {episodes} | {found} | {others} |")


if __name__ == "__main__":
    main()
