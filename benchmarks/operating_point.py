"""The operating point's rule against its parts and a floor, on validation windows alone.

python benchmarks/operating_point.py <data root>/07_model_output/hcrl_sa/seed_1

Reads the newest window scores of a run. Twenty times half of a model's validation windows fits
the points and the other half judges them: F1 on injected and recorded attacks, false-positive rate
on benign windows. `bare` is the extreme-value quantile wherever it lies; `floor` is the rule, but
never below the conformal quantile, the score that at most the budget's share of n + 1 exchangeable
windows reach (Vovk et al.: Algorithmic Learning in a Random World, 2005). No test window is read.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from kdgat.calibration import PROTOCOLS, fit_threshold, tail_quantile

BUDGET = 0.001
SPLITS = 20
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


def compare(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return F1 and false-positive rate of each point, means over the splits: `[3, 2]`."""
    generator, figures = np.random.default_rng(0), []
    for _ in range(SPLITS):
        fit = generator.random(len(labels)) < 0.5
        figures.append(
            [judge(labels[~fit], scores[~fit], p) for p in points(labels[fit], scores[fit])]
        )
    return np.mean(figures, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="model outputs of one dataset and seed")
    found = sorted(parser.parse_args().folder.glob("window_scores.parquet/*/window_scores.parquet"))
    scores = pd.read_parquet(found[-1], filters=[("split", "==", "validation")])
    print("| model | protocol | benign windows | F1, FPR | bare | floor |")
    print("|---|---|---|---|---|---|")
    for model in MODELS:
        for protocol in PROTOCOLS:
            own = scores[(scores["model"] == model) & (scores["protocol"] == protocol)]
            labels = own["label"].to_numpy().astype(int)
            figures = " | ".join(
                f"{f1:.3f}, {fpr:.4f}" for f1, fpr in compare(labels, own["score"].to_numpy())
            )
            print(
                f"| {model.replace('_', ' ')} | {protocol} | {(labels == 0).sum():,} | {figures} |"
            )


if __name__ == "__main__":
    main()
