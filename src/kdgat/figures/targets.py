"""What kdgat set out to reach on the public captures, and what it reaches, as Markdown tables."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from kdgat.calibration import CALIBRATED, ZERO_SHOT
from kdgat.figures.seeds import FUSIONS, interval_ends
from kdgat.figures.style import in_words
from kdgat.markdown import table

AUTOENCODERS = ("student_autoencoder", "teacher_autoencoder")
CLOSE = 0.003
"""Students may have so much less F1 than their teachers."""

RANKING = 0.99
"""AUROC wanted of an autoencoder alone, calibrated, whatever the seed."""


class Target(NamedTuple):
    """What is wanted of a fusion over seeds: mean F1, F1 of the worst seed, mean FPR at most."""

    f1: float
    worst: float
    false_positive_rate: float


SCENARIO_TARGETS = {
    "hcrl_sa": {
        (CALIBRATED, "test_01"): Target(0.998, 0.995, 0.002),
        (CALIBRATED, "test_02"): Target(0.995, 0.99, 0.006),
        (CALIBRATED, "test_03"): Target(0.998, 0.995, 0.002),
        (ZERO_SHOT, "test_01"): Target(0.99, 0.0, 0.02),
        (ZERO_SHOT, "test_02"): Target(0.95, 0.0, 0.02),
        (ZERO_SHOT, "test_03"): Target(0.99, 0.0, 0.02),
    }
}

FURTHER_TARGETS = {
    "hcrl_sa": {
        (ZERO_SHOT, "test_01"): Target(0.995, 0.0, 0.004),
        (ZERO_SHOT, "test_02"): Target(0.99, 0.0, 0.004),
        (ZERO_SHOT, "test_03"): Target(0.995, 0.0, 0.004),
    }
}
"""What is wanted with further training cars (`data_processing.further_vehicles`)."""

CAPTURE_TARGETS = ("set_01", "set_02", "set_03", "set_04")
"""Datasets of which every calibrated capture is to reach `DENSE`, or `SPARSE`, and `AUROC`."""

DENSE, SPARSE, AUROC = 0.95, 0.90, 0.98
SPARSE_ATTACKS = ("rpm", "speed")
"""Attacks that send one frame in a window."""


def scenario_targets(
    dataset: str, scorecards: Mapping[int, pd.DataFrame], *, further: bool = False
) -> str:
    """Set the figures over seeds beside what is wanted of them.

    Args:
        dataset: one of `SCENARIO_TARGETS`; of others there is nothing to say.
        scorecards: seed -> metrics.SCORECARD_COLUMNS.
        further: the detectors have further training cars: `FURTHER_TARGETS`.

    Returns:
        Markdown, one row per scenario and protocol; empty without targets.
    """
    targets = (FURTHER_TARGETS if further else SCENARIO_TARGETS).get(dataset)
    if not targets or not scorecards:
        return ""
    rows = pd.concat(scorecards.values())
    names = [
        "wanted of",
        "n, seeds",
        "mean F1, worst seed, mean FPR",
        "student fusion (intervals)",
        "teacher fusion (intervals)",
        f"students within {CLOSE:g} of teachers",
        "autoencoders' AUROC",
    ]
    lines = []
    for (protocol, prefix), target in targets.items():
        own = rows[(rows["protocol"] == protocol) & rows["scenario"].str.startswith(prefix)]
        by_model = {model: part for model, part in own.groupby("model")}
        if not {*FUSIONS, *AUTOENCODERS} <= by_model.keys():
            continue
        student, teacher = (by_model[model] for model in FUSIONS)
        less = student["f1"].mean() - teacher["f1"].mean()
        auroc = min(by_model[model]["auroc"].min() for model in AUTOENCODERS)
        ranks = f"{auroc:.4f}: {_verdict(auroc >= RANKING)}" if protocol == CALIBRATED else "–"
        worst = f"≥ {target.worst:g}" if target.worst else "–"
        cells = [
            f"{in_words(own['scenario'].iloc[0])}, {in_words(protocol)}",
            _size(student),
            f"≥ {target.f1:g}, {worst}, ≤ {target.false_positive_rate:g}",
            _reached(student, target),
            _reached(teacher, target),
            f"{less:+.4f}: {_verdict(less >= -CLOSE)}",
            ranks,
        ]
        lines.append(cells)
    return table(names, lines) + "\n"


def capture_targets(dataset: str, scorecards: Mapping[int, pd.DataFrame]) -> str:
    """Set the figures by capture, calibrated, beside what is wanted of them.

    Args:
        dataset: one of `CAPTURE_TARGETS`; of others there is nothing to say.
        scorecards: seed -> metrics.CAPTURE_COLUMNS.

    Returns:
        Markdown, one row per capture with attacks, figures of the worst seed; empty without
        targets.
    """
    if dataset not in CAPTURE_TARGETS or not scorecards:
        return ""
    rows = pd.concat(scorecards.values())
    rows = rows[(rows["protocol"] == CALIBRATED) & rows["f1"].notna()]
    names = ["wanted of, calibrated", "n, seeds", "F1, AUROC"]
    names += [f"{in_words(model)}, worst seed" for model in FUSIONS]
    lines = []
    for capture, own in rows.groupby("capture"):
        if not set(FUSIONS) <= set(own["model"]):
            continue
        wanted = SPARSE if capture.rsplit("/", 1)[1].startswith(SPARSE_ATTACKS) else DENSE
        cells = []
        for model in FUSIONS:
            part = own[own["model"] == model]
            f1, auroc = part["f1"].min(), part["auroc"].min()
            cells.append(f"{f1:.3f}, {auroc:.3f}: {_verdict(f1 >= wanted and auroc >= AUROC)}")
        size = _size(own[own["model"] == FUSIONS[0]])
        lines.append([capture, size, f"≥ {wanted:g}, ≥ {AUROC:g}", *cells])
    return table(names, lines) + "\n"


def _size(rows: pd.DataFrame) -> str:
    """Write how many windows each of how many seeds has judged."""
    return f"{rows['n'].iloc[0]:,}, {len(rows)}"


def _reached(rows: pd.DataFrame, target: Target) -> str:
    mean, worst = rows["f1"].mean(), rows["f1"].min()
    rate = rows["false_positive_rate"].mean()
    reached = mean >= target.f1 and worst >= target.worst and rate <= target.false_positive_rate
    return f"{mean:.4f} ({interval_ends(rows)}), {worst:.4f}, {rate:.4f}: {_verdict(reached)}"


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"
