"""How far the draw of validation's cars moves the operating points of one trained detector.

python benchmarks/drawing_noise.py <raw root>/set_03 MODEL [--seeds 0 1 2 3] [--times 4]

MODEL is a stored classifier that was trained on the dataset. Its validation windows are drawn anew
for each seed of `data_processing.injections`, with as many pseudo-vehicles and simulated cars as it
was trained with and with `--times` as many, which share as many windows. No test capture is read.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from build_graphs import captures_of
from unknown_vehicle import car_of

from kdgat.calibration import PROTOCOLS, fit_thresholds
from kdgat.can.drawing import Drawing
from kdgat.can.drawn_windows import drawn_blocks
from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.splits import Cut
from kdgat.datasets.tensors import read_model
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Parameters, check_parameters
from kdgat.sweep.work import configuration
from kdgat.training.scoring import score_classifier
from kdgat.training.window_scores import Part, window_table


def validation_of(captures: dict, parameters: Parameters, *, seed: int, times: int) -> GraphStore:
    """Draw validation's windows alone."""
    data = parameters.data_processing
    plan = data.injections
    plan = plan.model_copy(
        update={
            "seed": seed,
            "draws": 0,
            "pseudo_vehicles": times * plan.pseudo_vehicles,
            "simulated_vehicles": times * plan.simulated_vehicles,
        }
    )
    vehicles = {name: car_of(name) for name in captures}
    cut = Cut(window=data.window, stride=data.stride, validation_share=data.validation_share)
    drawing = Drawing(data.profile, plan)
    return concatenate([block for _, block in drawn_blocks(captures, vehicles, cut, drawing)])


def points(model: ModelArtifact, store: GraphStore, parameters: Parameters) -> list:
    """Fit the operating points: one for each protocol."""
    score = score_classifier(model, store, compute=parameters.compute)["attack_logit"]
    windows = window_table(Part(store, "validation"))
    windows = windows.assign(model="model", score=np.asarray(score))
    budgets = parameters.operating_point.budgets
    fitted = fit_thresholds(windows, budgets=budgets, fixed={})["model"]
    return [fitted[protocol] for protocol in PROTOCOLS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a dataset, such as set_03")
    parser.add_argument("model", type=Path, help="a stored classifier")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--times", type=int, default=4, help="how many times as many cars")
    arguments = parser.parse_args()
    parameters = check_parameters(configuration(None, {})["parameters"])
    torch.set_num_threads(1)
    captures, model = captures_of(arguments.folder), read_model(arguments.model)
    print("| cars | seed | " + " | ".join(f"{name}: point, F1" for name in PROTOCOLS) + " |")
    print("|---" * (2 + len(PROTOCOLS)) + "|")
    for times in (1, arguments.times):
        for seed in arguments.seeds:
            store = validation_of(captures, parameters, seed=seed, times=times)
            found = points(model, store, parameters)
            cells = " | ".join(f"{point.value:.2f}, {point.f1:.3f}" for point in found)
            print(f"| {times} times as many | {seed} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
