"""How alike two cars are: arbitration IDs in common, and in which of them rhythm and length agree.

python benchmarks/car_likeness.py <raw root> hcrl_sa/train_01_attack_free/attack-free-kia
hcrl_sa/test_02_unknown_vehicle_known_attack/DoS-spark ...

Each name is a capture, <dataset>/<scenario>/<capture>, that stands for its car; every pair is one
row. Benign frames alone are looked at. Of the IDs in common: the share whose mean gaps differ by
5 % at most, and the share whose longest payloads are equally long. A car that shares IDs, gaps and
lengths with one that a detector was trained on is unknown to it by name only.
"""

import argparse
from itertools import combinations
from pathlib import Path

import pandas as pd

from kdgat.can.captures import open_captures

ALIKE = 0.05


def habits(root: Path, capture: str) -> pd.DataFrame:
    """Give a row per ID with at least two benign frames: its mean gap, s, and longest payload."""
    dataset, _, name = capture.partition("/")
    frames = open_captures(root / dataset)[name](bad_row_share=0.001).frames
    by_id = frames[frames["attack"] == 0].groupby("arbitration_id")
    seen = by_id["timestamp"].agg(["min", "max", "count"])
    gap = (seen["max"] - seen["min"]) / (seen["count"] - 1)
    return pd.DataFrame({"gap": gap, "dlc": by_id["dlc"].max()})[seen["count"] > 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("captures", nargs="+", metavar="CAPTURE")
    arguments = parser.parse_args()
    cars = {name: habits(arguments.root, name) for name in arguments.captures}
    print("| car of | car of | IDs | in common | equal gap | equal length |\n" + "|---" * 6 + "|")
    for one, other in combinations(cars, 2):
        both = cars[one].join(cars[other], how="inner", rsuffix="_other")
        gap = ((both["gap"] / both["gap_other"] - 1).abs() <= ALIKE).mean()
        length = (both["dlc"] == both["dlc_other"]).mean()
        shares = f"{gap:.2f} | {length:.2f}" if len(both) else "– | –"
        numbers = f"{len(cars[one])} and {len(cars[other])} | {len(both)}"
        print(f"| {one} | {other} | {numbers} | {shares} |")


if __name__ == "__main__":
    main()
