"""What a fusion agent gains where it calls weights that are all but as good as the best equal.

Of those it may take the evenest, or the one nearest to the classifier.

python benchmarks/indifference.py DATA_ROOT --datasets hcrl_sa set_01 set_03 --seeds 1 2 3

Reads what chains have left. Validation windows, injected attacks and cars that do not exist among
them: operating points come from the benign windows of each capture's earlier half, on which the
agent has played, figures from its later half; beside them the recall at the point of that half
itself at which .001 of its benign windows lie above. Means over datasets, seeds and both sizes. The
perceptron is the one of the scorecard: fitted on the earlier halves, too.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rule_expert import BUDGET, newest

from kdgat.calibration import PROTOCOLS, fit_threshold
from kdgat.datasets.tensors import read_model
from kdgat.metrics import detection_metrics
from kdgat.models.artifact import ModelArtifact, build
from kdgat.scores import chosen_weight, fused_logit
from kdgat.training.fusion_baselines import fusion_baseline_scores
from kdgat.training.scoring import fusion_state

INDIFFERENCES = (0.0, 0.1, 0.2, 0.3)
FALLBACKS = (0.5, 1.0)


def scores_of(states: pd.DataFrame, agent: ModelArtifact) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        value = build(agent)(fusion_state(states)).numpy()
    anomaly, attack = states["anomaly_logit"].to_numpy(), states["attack_logit"].to_numpy()
    agents = {
        f"agent, nearest to {usual:g} within {size:g}": fused_logit(
            anomaly, attack, chosen_weight(value, usual, indifference=size)
        )
        for usual in FALLBACKS
        for size in INDIFFERENCES
    }
    return {**agents, "mean of detectors": (anomaly + attack) / 2, "classifier": attack}


def judge(states: pd.DataFrame, agent: ModelArtifact, perceptron: np.ndarray) -> list[dict]:
    rows = []
    scores = {**scores_of(states, agent), "perceptron": perceptron}
    label = states["label"].to_numpy()
    for protocol in PROTOCOLS:
        own = states["protocol"] == protocol
        fitted, judged = own & states["early"], own & ~states["early"]
        for name, score in scores.items():
            point = fit_threshold(label[fitted], score[fitted], budget=BUDGET).value
            figures = detection_metrics(label[judged], score[judged], point)
            benign, attacks = (score[judged & (label == y)] for y in (0, 1))
            equal = np.quantile(benign, 1 - BUDGET, method="higher")
            figures["recall_at_budget"] = float((attacks > equal).mean())
            rows.append({"protocol": protocol, "fusion": name, **figures})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_root", type=Path)
    parser.add_argument("--datasets", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    given = parser.parse_args()
    rows: list[dict] = []
    for dataset, seed in product(given.datasets, given.seeds):
        place = Path(dataset) / f"seed_{seed}"
        states = pd.read_parquet(
            newest(given.data_root / "07_model_output" / place, "fusion_states.parquet")
        ).query("split == 'validation'")
        joined = fusion_baseline_scores(states, seed=seed)
        for size, own in states.groupby("size"):
            models = given.data_root / "06_models" / place
            agent = read_model(newest(models, f"{size}_agent.safetensors"))
            perceptron = joined.loc[joined["model"] == f"perceptron of {size}s", "score"].to_numpy()
            rows += judge(own.reset_index(drop=True), agent, perceptron)
    print("| protocol | fusion | F1 | recall | FPR | recall at an FPR of .001 | AUROC |")
    print("|---|---|---|---|---|---|---|")
    columns = ["f1", "recall", "false_positive_rate", "recall_at_budget", "auroc"]
    means = pd.DataFrame(rows).groupby(["protocol", "fusion"], sort=False)[columns].mean()
    for (protocol, fusion), row in means.iterrows():
        found = f"{row.f1:.3f} | {row.recall:.3f} | {row.false_positive_rate:.4f}"
        print(f"| {protocol} | {fusion} | {found} | {row.recall_at_budget:.3f} | {row.auroc:.3f} |")


if __name__ == "__main__":
    main()
