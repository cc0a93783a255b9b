"""Do the operating points fit real cars that a detector has never seen?

python benchmarks/cars_never_seen.py DATA_ROOT RAW_ROOT --datasets hcrl_sa set_01 --seeds 1 2

The fusions that each dataset and seed of a data root ends with (or, with --models, its classifiers)
judge the attack-free training captures of the other datasets, as they are and with sparse spoofing
injected, calibrated with their first seconds (0: zero-shot). Printed for each length of that prefix
and each budget: the operating point that validation's benign windows give, the share of the cars'
benign windows above it, and that of their attack windows; all of those after the longest prefix. No
test capture is read.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from guard import BITRATE
from hours_of_traffic import recorded
from rule_expert import newest

from kdgat import load_detector
from kdgat.calibration import CALIBRATED, ZERO_SHOT, fit_threshold
from kdgat.can.injections import inject
from kdgat.can.profile_features import capture_clock
from kdgat.can.windows import attack_counts
from kdgat.detector import Detector

FILES = {"fusion": "agent", "classifier": "classifier"}

Captures = list[tuple[pd.DataFrame, pd.DataFrame]]
"""As recorded, and attacked after its prefix."""


def protocol_of(seconds: float) -> str:
    return CALIBRATED if seconds else ZERO_SHOT


def attacked_later(number: int, frames: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Inject sparse spoofing into what comes after the prefix."""
    first = int(np.searchsorted(capture_clock(frames["timestamp"].to_numpy()), seconds))
    generator = np.random.default_rng([6, number])
    injected = inject(frames.iloc[first:], "spoofing_sparse", generator, bitrate=BITRATE)
    return pd.concat([frames.iloc[:first], injected.frames], ignore_index=True)


def scores(detector: Detector, captures: Captures, seconds: float, later: float) -> list:
    """Give the scores of benign windows and of attacked ones, in so many s or later."""
    found: list[list] = [[], []]
    for versions in captures:
        for is_attack, frames in enumerate(versions):
            windows = detector.score(frames, calibration_seconds=seconds)
            attacks = frames["attack"].to_numpy()
            counts = attack_counts(attacks, windows["start"].to_numpy(), detector.window)
            judged = windows["start_time"] >= frames["timestamp"].iloc[0] + later
            judged &= (windows["protocol"] == protocol_of(seconds)) & ((counts > 0) == is_attack)
            found[is_attack].append(windows["score"][judged].to_numpy())
    return [np.concatenate(parts) for parts in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_root", type=Path)
    parser.add_argument("raw_root", type=Path)
    parser.add_argument("--datasets", nargs="+", required=True)
    parser.add_argument("--cars", nargs="+", help="of these datasets; by default of --datasets")
    parser.add_argument("--models", nargs="+", choices=FILES, default=["fusion"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--budgets", type=float, nargs="+", default=[0.001, 0.002, 0.003, 0.005])
    parser.add_argument("--seconds", type=float, nargs="+", default=[5.0])
    given = parser.parse_args()
    longest = max(given.seconds)
    judged = given.cars or given.datasets
    cars = {
        dataset: [
            (frames, attacked_later(number, frames, longest))
            for number, (_, frames) in enumerate(recorded(given.raw_root / dataset))
        ]
        for dataset in judged
    }
    settings = [(seconds, budget) for seconds in given.seconds for budget in given.budgets]
    heads = "".join(f" {seconds:g} s, budget {budget:g} |" for seconds, budget in settings)
    print("| trained on | seed | model | cars of | windows, attacked |" + heads)
    print("|" + "---|" * (5 + len(settings)))
    for dataset in given.datasets:
        for seed in given.seeds:
            place = Path(dataset) / f"seed_{seed}"
            validation = pd.read_parquet(
                newest(given.data_root / "07_model_output" / place, "window_scores.parquet")
            ).query("split == 'validation'")
            for size, kind in product(("student", "teacher"), given.models):
                own = validation[validation["model"] == f"{size}_{kind}"]
                points = {
                    protocol: [
                        fit_threshold(part["label"], part["score"], budget=budget).value
                        for budget in given.budgets
                    ]
                    for protocol, part in own.groupby("protocol")
                }
                models = given.data_root / "06_models" / place
                detector = load_detector(newest(models, f"{size}_{FILES[kind]}.safetensors"))
                for other in [each for each in judged if each != dataset]:
                    cells = []
                    for seconds in given.seconds:
                        benign, attacks = scores(detector, cars[other], seconds, longest)
                        cells += [
                            f"{point:.2f}: {(benign >= point).mean():.4f}, "
                            f"{(attacks >= point).mean():.3f}"
                            for point in points[protocol_of(seconds)]
                        ]
                    print(
                        f"| {dataset} | {seed} | {size} {kind} | {other} "
                        f"| {len(benign):,}, {len(attacks):,} | {' | '.join(cells)} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
