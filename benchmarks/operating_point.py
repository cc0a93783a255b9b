"""The operating point's rule against others, judged on cars of validation that it is not fitted on.

python benchmarks/operating_point.py <data root>/07_model_output/hcrl_sa/seed_1

Reads the newest window scores of a run. Twenty times the validation windows of half of the cars,
recorded, pseudo-vehicles and simulated ones, fit the points and those of the other half judge them:
F1 on injected and recorded attacks, false-positive rate on benign windows. No test window is read.

bare: the extreme-value quantile wherever it lies.
floor: the rule, but never below the conformal quantile, the score that at most the budget's share
    of n + 1 exchangeable windows reach (Vovk et al.: Algorithmic Learning in a Random World, 2005).
attack-free: the rule on captures without attacks, and so without what these leave behind.
groups: the median of the rule's points of four groups of cars.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from kdgat.calibration import FEWEST_IN_TAIL, PROTOCOLS, fit_threshold, tail_quantile
from kdgat.can.injections import ATTACKS

BUDGET = 0.001
SPLITS = 20
GROUPS = 4
MODELS = tuple(
    f"{size}_{kind}"
    for size in ("teacher", "student")
    for kind in ("autoencoder", "classifier", "fusion")
)


def car_of(capture: str) -> str:
    """Name the car that a capture of validation is of, whatever is injected into it."""
    base, _, last = capture.rpartition("+")
    return base if last in ATTACKS else capture


def point(windows: pd.DataFrame) -> float:
    return fit_threshold(windows["label"], windows["score"], budget=BUDGET).value


def bare_and_floor(windows: pd.DataFrame) -> tuple[float, float]:
    fitted = fit_threshold(windows["label"], windows["score"], budget=BUDGET)
    benign = np.sort(windows["score"][windows["label"] == 0].to_numpy(np.float64))
    start = benign[-fitted.n_tail - 1]
    bare = start + tail_quantile(fitted.shape, fitted.scale, BUDGET * fitted.n / fitted.n_tail)
    allowed = int(BUDGET * (benign.size + 1)) - 1
    conformal = np.nextafter(benign[-allowed - 1], np.inf) if allowed >= 0 else -np.inf
    return bare, max(fitted.value, conformal)


def of_groups(windows: pd.DataFrame, cars: np.ndarray) -> float:
    """Give the median point of groups of cars; one without enough benign windows has none."""
    groups = [windows[windows["car"].isin(part)] for part in np.array_split(cars, GROUPS)]
    enough = 2 * FEWEST_IN_TAIL
    return float(np.median([point(g) for g in groups if (g["label"] == 0).sum() >= enough]))


def judge(windows: pd.DataFrame, value: float) -> tuple[float, float]:
    alarms, attack = windows["score"] >= value, windows["label"] == 1
    return 2 * (alarms & attack).sum() / (alarms.sum() + attack.sum()), alarms[~attack].mean()


def compare(windows: pd.DataFrame) -> np.ndarray:
    """Return F1 and false-positive rate of each rule, means over the splits: `[5, 2]`."""
    generator, figures = np.random.default_rng(0), []
    free = windows.groupby("capture")["label"].transform("max") == 0
    for _ in range(SPLITS):
        cars = generator.permutation(windows["car"].unique())
        fitting = cars[: len(cars) // 2]
        fit = windows["car"].isin(fitting)
        rules = (
            point(windows[fit]),
            *bare_and_floor(windows[fit]),
            point(windows[fit & free]),
            of_groups(windows[fit], fitting),
        )
        figures.append([judge(windows[~fit], value) for value in rules])
    return np.mean(figures, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="model outputs of one dataset and seed")
    found = sorted(parser.parse_args().folder.glob("window_scores.parquet/*/window_scores.parquet"))
    scores = pd.read_parquet(found[-1], filters=[("split", "==", "validation")])
    scores["car"] = scores["capture"].map(car_of)
    print("| model | protocol | cars | rule: F1, FPR | bare | floor | attack-free | groups |")
    print("|" + "---|" * 8)
    for model in MODELS:
        for protocol in PROTOCOLS:
            own = scores[(scores["model"] == model) & (scores["protocol"] == protocol)]
            figures = " | ".join(f"{f1:.3f}, {fpr:.4f}" for f1, fpr in compare(own))
            cars = own["car"].nunique()
            print(f"| {model.replace('_', ' ')} | {protocol} | {cars} | {figures} |")


if __name__ == "__main__":
    main()
