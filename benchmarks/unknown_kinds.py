"""Where should a fusion agent fall back to, if attacks may be of a kind that nobody trained on?

python benchmarks/unknown_kinds.py DATA_ROOT --datasets hcrl_sa set_03

For each group of kinds a student classifier, without a teacher, and an agent are trained on the
drawn windows of a chain that has run, but for that group, recorded or injected. The chain's
student autoencoder, which has seen no attack, is taken as it is. The agent plays on the earlier
half of each validation capture; operating points are fitted on all benign validation windows of a
protocol. Printed for each weight that an agent may fall back to, and for each detector alone: the
share of attack windows at or above the point, of the group held out and of the other kinds in
later halves. Means over groups and datasets. No test window is read.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rule_expert import BUDGET, newest

from kdgat.calibration import PROTOCOLS, fit_threshold
from kdgat.can.graph_store import GraphStore
from kdgat.can.scaling import FeatureScaling
from kdgat.datasets.tensors import read_model
from kdgat.models.artifact import ModelArtifact, build
from kdgat.parameters import Parameters, check_parameters
from kdgat.scores import chosen_weight, fused_logit
from kdgat.sweep.work import configuration
from kdgat.training.distillation import train_student_classifier
from kdgat.training.dqn import train_agent
from kdgat.training.scoring import early_windows, fusion_state, fusion_table
from kdgat.training.window_scores import Part, window_table

GROUPS = {"floods": ("dos",), "fuzzing": ("fuzz",), "spoofing": ("spoof", "masquerade")}
"""Words in the names of captures."""

FALLBACKS = (0.5, 0.75, 1.0)


def shows(store: GraphStore, words: tuple[str, ...]) -> NDArray[np.bool_]:
    """Mark the windows of captures with one of these words in their names."""
    named = np.array([any(word in name.lower() for word in words) for name in store.captures])
    return named[store.capture.numpy()]


def train_without(
    stores: tuple[GraphStore, GraphStore],
    held_out: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    scaling: FeatureScaling,
    autoencoder: ModelArtifact,
    parameters: Parameters,
    seed: int,
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Give the agent's view of all validation windows, and what it expects of each weight."""
    train, validation = (
        store.subset(np.flatnonzero(~hidden))
        for store, hidden in zip(stores, held_out, strict=True)
    )
    alone = parameters.distillation.soft.model_copy(update={"enabled": False})
    classifier, _ = train_student_classifier(
        train=train, validation=validation, scaling=scaling, teacher=None, autoencoder=None,
        parameters=parameters.distillation.model_copy(update={"soft": alone}),
        compute=parameters.compute, seed=seed,
    )  # fmt: skip
    table = fusion_table(autoencoder, classifier, stores[1], compute=parameters.compute)
    y, early = stores[1].y.numpy(), early_windows(stores[1])
    played, chosen = early & ~held_out[1], ~early & ~held_out[1]
    agent, _ = train_agent(
        train=table[played], train_y=y[played], validation=table[chosen], validation_y=y[chosen],
        network=parameters.fusion.student, agent=parameters.fusion.agent,
        compute=parameters.compute, seed=seed, stage="student_fusion",
    )  # fmt: skip
    with torch.inference_mode():
        return table, build(agent)(fusion_state(table)).numpy()


def judge(
    table: pd.DataFrame, value: NDArray, validation: GraphStore, held_out: NDArray[np.bool_]
) -> list[dict]:
    anomaly, attack = table["anomaly_logit"].to_numpy(), table["attack_logit"].to_numpy()
    scores = {"autoencoder": anomaly, "classifier": attack, "mean": (anomaly + attack) / 2} | {
        f"agent, falls back to {usual:g}": fused_logit(anomaly, attack, chosen_weight(value, usual))
        for usual in FALLBACKS
    }
    y, early = validation.y.numpy(), early_windows(validation)
    protocols = window_table(Part(validation, "validation"))["protocol"].to_numpy()
    rows = []
    for protocol in PROTOCOLS:
        own = protocols == protocol
        unknown, known = own & (y == 1) & held_out, own & (y == 1) & ~held_out & ~early
        for name, score in scores.items():
            point = fit_threshold(y[own], score[own], budget=BUDGET).value
            figures = {"unknown": (score[unknown] >= point).mean()}
            figures |= {"known": (score[known] >= point).mean(), "n": int(unknown.sum())}
            rows.append({"protocol": protocol, "score": name, **figures})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_root", type=Path)
    parser.add_argument("--datasets", nargs="+", required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    parameters = check_parameters(configuration(None, {})["parameters"])
    rows = []
    for dataset in given.datasets:
        inputs = given.data_root / "05_model_input" / dataset
        models = given.data_root / "06_models" / dataset / f"seed_{given.seed}"
        train, validation = (
            GraphStore.load(newest(inputs, f"drawn_{split}_graphs.safetensors"))
            for split in ("train", "validation")
        )
        stored = json.loads(newest(inputs, "feature_scaling.json").read_text())
        scaling = FeatureScaling.from_dict(stored)
        autoencoder = read_model(newest(models, "student_autoencoder.safetensors"))
        for words in GROUPS.values():
            held_out = (shows(train, words), shows(validation, words))
            table, value = train_without(
                (train, validation), held_out, scaling, autoencoder, parameters, given.seed
            )
            rows += judge(table, value, validation, held_out[1])
    figures = pd.DataFrame(rows).groupby(["protocol", "score"], sort=False)
    print("| protocol | score | kind held out | other kinds | windows held out |")
    print("|---|---|---|---|---|")
    for (protocol, score), found in figures:
        shares = f"{found.unknown.mean():.3f} | {found.known.mean():.3f} | {found.n.sum():,}"
        print(f"| {protocol} | {score} | {shares} |")


if __name__ == "__main__":
    main()
