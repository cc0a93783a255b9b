"""Do the operating points fit real cars that a detector has never seen?

python benchmarks/cars_never_seen.py DATA_ROOT RAW_ROOT --datasets hcrl_sa set_01 --seeds 1 2

The fusions that each dataset and seed of a data root ends with judge the attack-free training
captures of the other datasets, calibrated with their first 5 s. Printed: the operating point, the
share of windows above it, and the highest score. No test capture is read.
"""

import argparse
from pathlib import Path

import pandas as pd
from hours_of_traffic import judge, recorded

from kdgat import load_detector


def newest(root: Path, dataset: str, seed: int, agent: str) -> Path:
    name = f"{agent}.safetensors"
    return max((root / "06_models" / dataset / f"seed_{seed}" / name).glob(f"*/{name}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_root", type=Path)
    parser.add_argument("raw_root", type=Path)
    parser.add_argument("--datasets", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    given = parser.parse_args()
    print("| trained on | seed | fusion of | cars of | windows | point | FPR | highest score |")
    print("|" + "---|" * 8)
    for dataset in given.datasets:
        for seed in given.seeds:
            for size in ("student", "teacher"):
                detector = load_detector(newest(given.data_root, dataset, seed, f"{size}_agent"))
                point = detector.calibrated_operating_point.value
                for other in [each for each in given.datasets if each != dataset]:
                    windows = pd.concat(
                        judge(detector, name, frames)
                        for name, frames in recorded(given.raw_root / other)
                    )
                    scores = windows["score"][windows["protocol"] == "calibrated"]
                    print(
                        f"| {dataset} | {seed} | {size}s | {other} | {len(scores):,} "
                        f"| {point:.2f} | {(scores >= point).mean():.4f} | {scores.max():.2f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
