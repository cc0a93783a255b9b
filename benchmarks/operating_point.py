"""The operating point's rule against its parts and a floor, on validation windows alone.

python benchmarks/operating_point.py <data root>/07_model_output/hcrl_sa/seed_1

Reads the newest window scores of a run. Twenty times half of a model's validation windows fits
the points and the other half judges them: F1 on injected and recorded attacks, false-positive rate
on benign windows. `bare` is the extreme-value quantile wherever it lies. `floor` is the rule, but
never below the conformal quantile, the score that at most the budget's share of n + 1 exchangeable
windows reach (Vovk et al.: Algorithmic Learning in a Random World, 2005). `by car` is the rule on
scores less the .9 quantile that the benign windows of their car have where the point is fitted, as
a prefix could tell it: what a point refined by the calibration would be worth. No test window is
read.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from kdgat.calibration import CALIBRATED, PROTOCOLS, fit_threshold, tail_quantile
from kdgat.can.injections import ATTACKS

BUDGET = 0.001
SPLITS = 20
CAR_QUANTILE = 0.9
INJECTED = rf"\+(?:{'|'.join(ATTACKS)})$"
MODELS = tuple(
    f"{size}_{kind}"
    for size in ("teacher", "student")
    for kind in ("autoencoder", "classifier", "fusion")
)


def points(labels: np.ndarray, scores: np.ndarray) -> tuple[float, float, float]:
    """Fit the rule, the bare quantile and the rule with a floor."""
    fitted = fit_threshold(labels, scores, budget=BUDGET)
    benign = np.sort(scores[labels == 0])
    start = benign[-fitted.n_tail - 1]
    bare = start + tail_quantile(fitted.shape, fitted.scale, BUDGET * fitted.n / fitted.n_tail)
    allowed = int(BUDGET * (benign.size + 1)) - 1
    conformal = np.nextafter(benign[-allowed - 1], np.inf) if allowed >= 0 else -np.inf
    return fitted.value, bare, max(fitted.value, conformal)


def judge(labels: np.ndarray, scores: np.ndarray, value: float) -> tuple[float, float]:
    alarms = scores >= value
    hits = int((alarms & (labels == 1)).sum())
    return 2 * hits / (alarms.sum() + labels.sum()), float(alarms[labels == 0].mean())


def by_car(scores: np.ndarray, cars: pd.Series, benign: np.ndarray) -> np.ndarray:
    """Take from each score the quantile of its car's benign windows; a car without any keeps it."""
    usual = pd.Series(scores)[benign].groupby(cars[benign]).quantile(CAR_QUANTILE)
    return scores - cars.map(usual).fillna(0.0).to_numpy()


def compare(labels: np.ndarray, scores: np.ndarray, cars: pd.Series | None) -> np.ndarray:
    """Return F1 and false-positive rate of each point, means over the splits: `[3 or 4, 2]`."""
    generator, figures = np.random.default_rng(0), []
    for _ in range(SPLITS):
        fit = generator.random(len(labels)) < 0.5
        judged = [judge(labels[~fit], scores[~fit], p) for p in points(labels[fit], scores[fit])]
        if cars is not None:
            shifted = by_car(scores, cars, fit & (labels == 0))
            value = fit_threshold(labels[fit], shifted[fit], budget=BUDGET).value
            judged.append(judge(labels[~fit], shifted[~fit], value))
        figures.append(judged)
    return np.mean(figures, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="model outputs of one dataset and seed")
    found = sorted(parser.parse_args().folder.glob("window_scores.parquet/*/window_scores.parquet"))
    scores = pd.read_parquet(found[-1], filters=[("split", "==", "validation")])
    print("| model | protocol | benign windows | F1, FPR | bare | floor | by car |")
    print("|---|---|---|---|---|---|---|")
    for model in MODELS:
        for protocol in PROTOCOLS:
            own = scores[(scores["model"] == model) & (scores["protocol"] == protocol)]
            labels = own["label"].to_numpy().astype(int)
            cars = own["capture"].str.replace(INJECTED, "", regex=True).reset_index(drop=True)
            figures = compare(
                labels, own["score"].to_numpy(), cars if protocol == CALIBRATED else None
            )
            cells = [f"{f1:.3f}, {fpr:.4f}" for f1, fpr in figures] + ["–"] * (4 - len(figures))
            name = f"| {model.replace('_', ' ')} | {protocol} | {(labels == 0).sum():,} | "
            print(name + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
