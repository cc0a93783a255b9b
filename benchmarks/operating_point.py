"""The operating point's rule against the bare extreme-value quantile, on validation windows alone.

python benchmarks/operating_point.py <data root>/07_model_output/hcrl_sa/seed_1

Reads the newest window scores of a run. Twenty times half of a model's validation windows fits
both points and the other half judges them: F1 on injected and recorded attacks, false-positive
rate on benign windows. No test window is read.
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


def bare_quantile(labels: np.ndarray, scores: np.ndarray) -> float:
    fitted = fit_threshold(labels, scores, budget=BUDGET)
    start = np.sort(scores[labels == 0])[-fitted.n_tail - 1]
    return start + tail_quantile(fitted.shape, fitted.scale, BUDGET * fitted.n / fitted.n_tail)


def judge(labels: np.ndarray, scores: np.ndarray, value: float) -> tuple[float, float]:
    alarms = scores >= value
    hits = int((alarms & (labels == 1)).sum())
    return 2 * hits / (alarms.sum() + labels.sum()), float(alarms[labels == 0].mean())


def compare(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return F1 and false-positive rate of both rules, means over the splits: `[2, 2]`."""
    generator, figures = np.random.default_rng(0), []
    for _ in range(SPLITS):
        fit = generator.random(len(labels)) < 0.5
        values = (
            fit_threshold(labels[fit], scores[fit], budget=BUDGET).value,
            bare_quantile(labels[fit], scores[fit]),
        )
        figures.append([judge(labels[~fit], scores[~fit], value) for value in values])
    return np.mean(figures, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="model outputs of one dataset and seed")
    found = sorted(parser.parse_args().folder.glob("window_scores.parquet/*/window_scores.parquet"))
    scores = pd.read_parquet(found[-1], filters=[("split", "==", "validation")])
    print("| model | protocol | benign windows | F1 | FPR | F1, bare | FPR, bare |")
    print("|---|---|---|---|---|---|---|")
    for model in MODELS:
        for protocol in PROTOCOLS:
            own = scores[(scores["model"] == model) & (scores["protocol"] == protocol)]
            labels = own["label"].to_numpy().astype(int)
            (f1, fpr), (bare_f1, bare_fpr) = compare(labels, own["score"].to_numpy())
            print(
                f"| {model.replace('_', ' ')} | {protocol} | {(labels == 0).sum():,} "
                f"| {f1:.3f} | {fpr:.4f} | {bare_f1:.3f} | {bare_fpr:.4f} |"
            )


if __name__ == "__main__":
    main()
