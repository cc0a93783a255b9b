"""What one feature against the car's profile finds by itself, on validation windows alone.

python benchmarks/feature_alone.py DATA_ROOT/05_model_input/hcrl_sa

Scores a window with a profile by the largest value that a feature takes in it. For recorded cars,
pseudo-vehicles and simulated cars: share of the windows of each injected attack above all but
.001 of the benign windows. No test window is read.
"""

import argparse
from pathlib import Path

import numpy as np

from kdgat.can.feature_names import PROFILE_FEATURES
from kdgat.can.graph_store import GraphStore
from kdgat.can.injections import ATTACKS

BUDGET = 0.001
RHYTHM = ("profile_gap_record", "profile_gap_surprise", "profile_early_share", "suspicious_frames")
SPOOFING = ("spoofing_sparse", "spoofing_dense")


def kind_of(capture: str) -> str:
    """Say which kind of car a capture of drawn windows is of."""
    if capture.startswith("simulated"):
        return "simulated"
    return "pseudo" if "+pseudo" in capture else "recorded"


def recalls(
    values: np.ndarray, label: np.ndarray, attack: np.ndarray, attacks: list[str]
) -> list[float]:
    """Return the share of each attack's windows above all but the budget of the benign ones."""
    level = np.quantile(values[label == 0], 1.0 - BUDGET, method="higher")
    return [(values[(label == 1) & (attack == name)] > level).mean() for name in attacks]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="model inputs of a dataset")
    parser.add_argument("--features", nargs="+", choices=PROFILE_FEATURES, default=RHYTHM)
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=SPOOFING)
    arguments = parser.parse_args()
    (*_, path) = sorted(arguments.folder.glob("drawn_validation_graphs.safetensors/*/*"))
    store = GraphStore.load(path)
    first = store.node_offsets[:-1].numpy()
    known = store.x[first, store.node_features.index("has_profile")].numpy() > 0
    captures = np.asarray(store.captures)[store.capture.numpy()][known]
    label, attack = store.y.numpy()[known], np.array([c.rsplit("+")[-1] for c in captures])
    kinds = np.array([kind_of(capture) for capture in captures])
    print(f"| feature | cars | benign windows | {' | '.join(arguments.attacks)} |")
    print(f"|{'---|' * (3 + len(arguments.attacks))}")
    for feature in arguments.features:
        column = store.x[:, store.node_features.index(feature)].numpy()
        values = np.maximum.reduceat(column, first)[known]
        for kind in ("recorded", "pseudo", "simulated"):
            own = kinds == kind
            found = recalls(values[own], label[own], attack[own], arguments.attacks)
            shares = " | ".join(f"{share:.3f}" for share in found)
            print(f"| `{feature}` | {kind} | {(label[own] == 0).sum():,} | {shares} |")


if __name__ == "__main__":
    main()
