"""What a fusion agent gains where it calls weights that are all but as good as the best equal.

Of those it may take the usual one, which in general earns most, or the evenest.

python benchmarks/indifference.py DATA_ROOT --dataset hcrl_sa --seeds 1 2 3

Reads what chains have left. Validation windows, injected attacks and cars that do not exist among
them: operating points come from the benign windows of each capture's earlier half, on which the
agent has played, figures from its later half. Means over seeds.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rule_expert import BUDGET, chains_to_read, newest

from kdgat.calibration import PROTOCOLS, fit_threshold
from kdgat.datasets.tensors import read_model
from kdgat.metrics import detection_metrics
from kdgat.models.artifact import ModelArtifact, build
from kdgat.scores import chosen_weight, fused_logit
from kdgat.training.scoring import fusion_state

INDIFFERENCES = (0.0, 0.1, 0.2, 0.3)


def scores_of(states: pd.DataFrame, agent: ModelArtifact) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        value = build(agent)(fusion_state(states)).numpy()
    anomaly, attack = states["anomaly_logit"].to_numpy(), states["attack_logit"].to_numpy()
    fallbacks = {"usual": agent.metadata["usual_weight"], "evenest": 0.5}
    agents = {
        f"agent, {name} within {size:g}": fused_logit(
            anomaly, attack, chosen_weight(value, weight, indifference=size)
        )
        for name, weight in fallbacks.items()
        for size in INDIFFERENCES
    }
    return {**agents, "mean of detectors": (anomaly + attack) / 2, "classifier": attack}


def judge(states: pd.DataFrame, agent: ModelArtifact) -> list[dict]:
    rows = []
    scores, label = scores_of(states, agent), states["label"].to_numpy()
    for protocol in PROTOCOLS:
        own = states["protocol"] == protocol
        fitted, judged = own & states["early"], own & ~states["early"]
        for name, score in scores.items():
            point = fit_threshold(label[fitted], score[fitted], budget=BUDGET).value
            figures = detection_metrics(label[judged], score[judged], point)
            rows.append({"protocol": protocol, "fusion": name, **figures})
    return rows


def main() -> None:
    arguments = chains_to_read(__doc__)
    tables = []
    for seed in arguments.seeds:
        place = Path(arguments.dataset) / f"seed_{seed}"
        outputs = arguments.data_root / "07_model_output" / place
        states = pd.read_parquet(newest(outputs, "fusion_states.parquet"))
        for size, rows in states[states["split"] == "validation"].groupby("size"):
            models = arguments.data_root / "06_models" / place
            agent = read_model(newest(models, f"{size}_agent.safetensors"))
            table = pd.DataFrame(judge(rows.reset_index(drop=True), agent))
            tables.append(table.assign(size=size))
    print("| of | protocol | fusion | F1, mean | F1, worst seed | FPR, mean | AUROC, mean |")
    print("|---|---|---|---|---|---|---|")
    for keys, rows in pd.concat(tables).groupby(["size", "protocol", "fusion"], sort=False):
        rate, auroc = rows.false_positive_rate.mean(), rows.auroc.mean()
        figures = f"{rows.f1.mean():.3f} | {rows.f1.min():.3f} | {rate:.4f} | {auroc:.3f}"
        print("| " + " | ".join(keys) + f" | {figures} |")


if __name__ == "__main__":
    main()
