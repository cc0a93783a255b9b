"""Whether the two-line rule's evidence helps the fusion, on validation windows with a profile.

python benchmarks/rule_expert.py DATA_ROOT --dataset hcrl_sa --seeds 1 2 3

Reads what a chain has left. The rule's evidence is the number of frames of an ID unknown to the
profile or in under half of its mean interval, brought onto the scale of the detectors' logits as
the anomaly score is. Operating points come from the benign windows of each capture's earlier half,
figures from the later half; injected attacks and cars that do not exist are among them.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from kdgat.calibration import CALIBRATED, fit_threshold
from kdgat.can.graph_store import GraphStore
from kdgat.metrics import detection_metrics
from kdgat.scores import anomaly_logit, score_statistics
from kdgat.training.baseline_scores import rule_count

BUDGET = 0.001


def newest(folder: Path, name: str) -> Path:
    versions = list(folder.glob(f"{name}/*/{name}"))
    if not versions:
        raise SystemExit(f"no {name} in {folder}: run the chain of that dataset and seed first")
    return max(versions)


def scores_of(states: pd.DataFrame, rule: np.ndarray) -> dict[str, np.ndarray]:
    agent, both = states["fused_logit"].to_numpy(), states[["anomaly_logit", "attack_logit"]]
    return {
        "agent": agent,
        "larger of agent and rule": np.maximum(agent, rule),
        "mean of agent and rule": (agent + rule) / 2,
        "mean of detectors": both.mean(axis=1).to_numpy(),
        "mean of detectors and rule": (both.sum(axis=1).to_numpy() + rule) / 3,
        "rule": rule,
    }


def judge(states: pd.DataFrame, count: np.ndarray) -> list[tuple[str, float, float]]:
    with_profile = states["operating_point"] == CALIBRATED
    fitted, judged = with_profile & states["early"], with_profile & ~states["early"]
    statistics = score_statistics(count[fitted & (states["label"] == 0)])
    rows = []
    for name, score in scores_of(states, anomaly_logit(count, statistics)).items():
        point = fit_threshold(states["label"][fitted], score[fitted], budget=BUDGET).value
        figures = detection_metrics(states["label"][judged], score[judged], point)
        rows.append((name, figures["f1"], figures["false_positive_rate"]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_root", type=Path)
    parser.add_argument("--dataset", default="hcrl_sa")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    arguments = parser.parse_args()
    inputs = arguments.data_root / "05_model_input" / arguments.dataset
    store = GraphStore.load(newest(inputs, "drawn_validation_graphs.safetensors"))
    count = np.log1p(rule_count(store))
    tables = []
    for seed in arguments.seeds:
        outputs = arguments.data_root / "07_model_output" / arguments.dataset / f"seed_{seed}"
        states = pd.read_parquet(newest(outputs, "fusion_states.parquet"))
        for size, rows in states[states["split"] == "validation"].groupby("size"):
            judged = judge(rows.reset_index(drop=True), count)
            table = pd.DataFrame(judged, columns=["fusion", "F1", "FPR"])
            tables.append(table.assign(size=size, seed=seed))
    summary = pd.concat(tables).groupby(["size", "fusion"], sort=False)
    print("| of | fusion | F1, mean | F1, worst seed | FPR, mean |")
    print("|---|---|---|---|---|")
    for (size, fusion), rows in summary:
        figures = f"{rows.F1.mean():.3f} | {rows.F1.min():.3f} | {rows.FPR.mean():.4f}"
        print(f"| {size}s | {fusion} | {figures} |")


if __name__ == "__main__":
    main()
