"""Students on a training car that training has not seen: what cars that do not exist are worth.

python benchmarks/unknown_vehicle.py <raw root>/hcrl_sa [--seed 1]

Captures are named `<attack>-<vehicle>`. Each vehicle of the training captures is left out in turn;
undistilled students learn from the others, with and without pseudo-vehicles and simulated cars;
their epochs and operating points come from the others' validation windows; the mean of both
students judges the windows recorded of the car left out, some against profiles of its own. No test
capture is read.
"""

import argparse
import time
from pathlib import Path

from build_graphs import captures_of
from measure import scratch

from kdgat.calibration import PROTOCOLS, fit_threshold
from kdgat.can.drawing import Drawing
from kdgat.can.drawn_windows import drawn_blocks
from kdgat.can.graph_store import GraphStore, concatenate
from kdgat.can.scaling import feature_scaling
from kdgat.can.splits import Cut, write_stores
from kdgat.metrics.detection import detection_metrics
from kdgat.parameters import Autoencoder, Parameters, Teacher, check_parameters
from kdgat.sweep.work import configuration
from kdgat.training.autoencoder import train_autoencoder
from kdgat.training.classifier import train_classifier
from kdgat.training.scoring import fusion_table
from kdgat.training.window_scores import Part, window_table

SPLITS = ("drawn_train", "drawn_validation")

VARIANTS = {
    "recorded cars": {"share": 0.0, "pseudo_vehicles": 0, "simulated_vehicles": 0},
    "and injected attacks": {"pseudo_vehicles": 0, "simulated_vehicles": 0},
    "and pseudo-vehicles": {"simulated_vehicles": 0},
    "and simulated cars": {},
}
"""Changes of `data_processing.injections`, each row of the table with all before it."""

RECORDED_ALONE = {
    "share": 0.0,
    "pseudo_share": 0.0,
    "pseudo_vehicles": 0,
    "simulated_vehicles": 0,
    "draws": 1,
    "validation_draws": 1,
}
"""The change that draws recorded windows and nothing else."""


def car_of(name: str) -> str:
    return name.rsplit("-", maxsplit=1)[-1]


def draw(captures: dict, parameters: Parameters, changes: dict, folder: Path) -> list[GraphStore]:
    """Draw training and validation windows of captures."""
    data = parameters.data_processing
    drawing = Drawing(data.profile, data.injections.model_copy(update=changes))
    vehicles = {name: car_of(name) for name in captures}
    cut = Cut(data.window, data.stride, data.validation_share)
    folder.mkdir()
    paths = {split: folder / f"{split}.safetensors" for split in SPLITS}
    blocks = drawn_blocks(captures, vehicles, cut, drawing)
    stores = write_stores(blocks, paths)
    return [stores[split] for split in SPLITS]


def train(windows: GraphStore, validation: GraphStore, parameters: Parameters, seed: int):
    students = parameters.distillation
    common = {
        "train": windows,
        "validation": validation,
        "scaling": feature_scaling(windows),
        "compute": parameters.compute,
        "seed": seed,
    }
    autoencoder, _ = train_autoencoder(
        parameters=Autoencoder(
            model=students.autoencoder,
            loss=students.autoencoder_loss,
            fit=students.autoencoder_fit,
        ),
        **common,
    )
    classifier, _ = train_classifier(
        parameters=Teacher(
            mode="normal",
            id_dropout=students.id_dropout,
            model=students.classifier,
            fit=students.classifier_fit,
            curriculum=students.curriculum,
        ),
        autoencoder=autoencoder,
        **common,
    )
    return autoencoder, classifier


def judge(models, validation: GraphStore, unseen: GraphStore, parameters: Parameters) -> list:
    """Judge the mean of both students on the unseen car, one row for each protocol."""
    rows, parts = [], []
    for store in (validation, unseen):
        scores = fusion_table(*models, store, compute=parameters.compute)
        mean = scores[["anomaly_logit", "attack_logit"]].mean(axis=1)
        parts.append(window_table(Part(store, "validation")).assign(score=mean))
    for protocol in PROTOCOLS:
        fitted, judged = (part[part["protocol"] == protocol] for part in parts)
        budget = parameters.operating_point.budgets[protocol]
        point = fit_threshold(fitted["label"], fitted["score"], budget=budget)
        rows.append((protocol, detection_metrics(judged["label"], judged["score"], point.value)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a dataset, such as hcrl_sa")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    parameters = check_parameters(configuration(None, {})["parameters"])
    captures = captures_of(arguments.folder)
    vehicles = sorted({car_of(name) for name in captures})
    print("| trained on | car left out | protocol | F1 | FPR | AUROC | n | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for left_out in vehicles:
        others = {name: frames for name, frames in captures.items() if car_of(name) != left_out}
        own = {name: frames for name, frames in captures.items() if car_of(name) == left_out}
        for variant, changes in VARIANTS.items():
            began = time.process_time()
            with scratch() as folder:
                windows, validation = draw(others, parameters, changes, folder / "others")
                unseen = concatenate(draw(own, parameters, RECORDED_ALONE, folder / "left_out"))
                models = train(windows, validation, parameters, arguments.seed)
                judged = judge(models, validation, unseen, parameters)
            seconds = time.process_time() - began
            for protocol, figures in judged:
                print(
                    f"| {variant} | {left_out} | {protocol} | {figures['f1']:.3f} "
                    f"| {figures['false_positive_rate']:.4f} | {figures['auroc']:.4f} "
                    f"| {figures['n']:,} | {seconds:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
