"""Ways to make one anomaly score of a VGAE's seven components, on validation windows alone.

python benchmarks/anomaly_score.py DATA_ROOT/05_model_input/hcrl_sa MODEL

MODEL is a stored VGAE. Ten times half of the cars, recorded, pseudo- and simulated ones, fit the
score and the operating point, and the other half is judged: F1 on injected and recorded attacks,
false-positive rate on benign windows, AUROC; means over the ten. No test window is read.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture

from kdgat import load_detector
from kdgat.calibration import PROTOCOLS, fit_threshold
from kdgat.can.graph_store import GraphStore
from kdgat.models.artifact import build
from kdgat.models.vgae import VGAE
from kdgat.training.scoring import anomaly_components
from kdgat.training.window_scores import Part, window_table

BUDGET = 0.001
SPLITS = 10

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Components of benign windows to fit on, components of all windows -> scores."""


def one_by_one(fitted: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Standardise each logarithm alone; root mean square of those above the benign mean."""
    fitted, level = np.log(fitted), np.log(components)
    deviation = (level - fitted.mean(axis=0)) / fitted.std(axis=0)
    return np.sqrt((np.maximum(deviation, 0.0) ** 2).mean(axis=1))


def distance(model: VGAE) -> Score:
    """Score as the model does."""

    def score(fitted: np.ndarray, components: np.ndarray) -> np.ndarray:
        model.set_anomaly_statistics(torch.from_numpy(fitted))
        return model.anomaly_score(torch.from_numpy(components)).numpy()

    return score


def mixture(number: int) -> Score:
    """Score by the density under so many Gaussians, a covariance each."""

    def score(fitted: np.ndarray, components: np.ndarray) -> np.ndarray:
        gaussians = GaussianMixture(number, random_state=0, reg_covar=1e-3).fit(np.log(fitted))
        return -gaussians.score_samples(np.log(components))

    return score


def cars(windows: pd.DataFrame) -> np.ndarray:
    """Number the cars: an attack injected into one is no car of its own."""
    parts = windows["capture"].str.split("+")
    pseudo = parts.map(lambda names: [n for n in names[1:2] if n.startswith("pseudo")])
    return pd.factorize(parts.str[0] + pseudo.str.join(""))[0]


def judge(score: Score, components: np.ndarray, windows: pd.DataFrame) -> np.ndarray:
    """Return F1, false-positive rate and AUROC of each protocol, means over the halves."""
    car, label = cars(windows), windows["label"].to_numpy()
    figures = []
    for split in range(SPLITS):
        fit = (np.random.default_rng(split).random(car.max() + 1) < 0.5)[car]
        scores = score(components[fit & (label == 0)], components)
        for protocol in PROTOCOLS:
            own = (windows["protocol"] == protocol).to_numpy()
            point = fit_threshold(label[own & fit], scores[own & fit], budget=BUDGET)
            truth, judged = label[own & ~fit], scores[own & ~fit]
            alarm = point.alarms(judged)
            f1 = 2 * (alarm & (truth == 1)).sum() / (alarm.sum() + truth.sum())
            figures.append([f1, alarm[truth == 0].mean(), roc_auc_score(truth, judged)])
    return np.reshape(figures, (SPLITS, len(PROTOCOLS), 3)).mean(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="model inputs of a dataset")
    parser.add_argument("model", type=Path, help="a stored VGAE that was trained on them")
    arguments = parser.parse_args()
    (*_, path) = sorted(arguments.folder.glob("drawn_validation_graphs.safetensors/*/*"))
    store, detector = GraphStore.load(path), load_detector(arguments.model)
    model = build(detector.judge)
    components = anomaly_components(model, store, detector.compute).clamp_min(1e-6).numpy()
    windows = window_table(Part(store, "validation"))
    ways = {"one by one": one_by_one, "distance": distance(model)}
    ways |= {f"{number} Gaussians": mixture(number) for number in (4, 8, 16)}
    print("| score | protocol | F1 | FPR | AUROC |")
    print("|---|---|---|---|---|")
    for name, score in ways.items():
        for protocol, figures in zip(PROTOCOLS, judge(score, components, windows), strict=True):
            f1, fpr, auroc = figures
            print(f"| {name} | {protocol} | {f1:.3f} | {fpr:.4f} | {auroc:.3f} |")


if __name__ == "__main__":
    main()
