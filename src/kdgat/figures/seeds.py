"""All models over several seeds, as Markdown tables."""

import math
from collections.abc import Collection, Iterator, Mapping

import pandas as pd

from kdgat.comparison import compare_pairs
from kdgat.errors import DataError
from kdgat.figures.scorecard import UNDEFINED
from kdgat.figures.style import in_words, require_columns
from kdgat.markdown import table
from kdgat.metrics.verdicts import BASELINES, DETECTORS, WAYS_TO_JOIN, contests, is_baseline

FUSIONS = ("student_fusion", "teacher_fusion")
RIVALS = {
    BASELINES: ("the best baseline", "a baseline"),
    DETECTORS: ("the better of its detectors", "a detector"),
    WAYS_TO_JOIN: ("the best other way to join them", "another way"),
}
"""Whom a fusion meets, as in metrics.verdicts: how to call the best of them, and any."""

BOOTSTRAP = 10_000
CONFIDENCE = 0.95

COLUMNS = (
    "model", "scenario", "protocol", "f1", "f1_low", "f1_high", "false_positive_rate", "auroc", "n",
)  # fmt: skip
SEEDS_COLUMNS = (
    "scenario",
    "model",
    "F1, mean",
    "intervals",
    "worst seed",
    "FPR, mean",
    "worst seed",
    "AUROC, worst",
    "n",
    "seeds",
)


def headline_table(scorecards: Mapping[int, pd.DataFrame]) -> str:
    """Show the fused detectors beside the best baseline, for a reader in a hurry.

    Args:
        scorecards: seed -> metrics.SCORECARD_COLUMNS.

    Returns:
        Markdown: one row per scenario and protocol; F1 as the mean over seeds, with the lowest and
        the highest end of the seeds' intervals, and the mean false-positive rate. The best baseline
        is the one with the highest mean F1 of that row; only models that have an F1 in every seed
        count.

    Raises:
        DataError: a column is missing, or there is no scorecard.
    """
    rows = _over_seeds(scorecards)
    fusions = [f"{in_words(model)}: F1 (interval), FPR" for model in FUSIONS]
    lines = []
    for scenario, own in rows.groupby("scenario", sort=False):
        rival = _best(own, list(filter(is_baseline, own["model"].unique())))
        best = f"{in_words(rival)}: {_headline(own[own['model'] == rival])}" if rival else UNDEFINED
        cells = [
            in_words(scenario),
            *(_headline(own[own["model"] == model]) for model in FUSIONS),
            best,
            f"{int(own['n'].iloc[0]):,}",
            own["seed"].nunique(),
        ]
        lines.append(cells)
    return table(["scenario and protocol", *fusions, "best baseline", "n", "seeds"], lines) + "\n"


def seeds_table(scorecards: Mapping[int, pd.DataFrame]) -> str:
    """Sum up all models over seeds, each mean with the intervals' ends and the worst seed.

    Args:
        scorecards: seed -> metrics.SCORECARD_COLUMNS.

    Returns:
        Markdown: how each fusion stands to the best baseline, detector and other way to join them
        of each scenario, in sentences, and by scenario with intervals over seeds; then one row per
        scenario, protocol and model whose F1 every seed has.

    Raises:
        DataError: a column is missing, or there is no scorecard.
    """
    rows = _over_seeds(scorecards)
    lines = []
    for (scenario, model), own in rows.groupby(["scenario", "model"], sort=False):
        f1, fpr, auroc = own["f1"], own["false_positive_rate"], own["auroc"]
        cells = [
            in_words(scenario),
            in_words(model),
            f"{f1.mean():.4f}",
            interval_ends(own),
            f"{f1.min():.4f}",
            f"{fpr.mean():.4f}",
            f"{fpr.max():.4f}",
            f"{auroc.min():.4f}",
            f"{int(own['n'].iloc[0]):,}",
            len(own),
        ]
        lines.append(cells)
    sentences = "\n".join(_summary(rows))
    return f"{sentences}\n\n{_margins(rows)}\n\n{table(SEEDS_COLUMNS, lines)}\n"


def _summary(rows: pd.DataFrame) -> Iterator[str]:
    """Say of each fusion by how much its mean F1 exceeds that of the best of each kind of rival."""
    means = rows.groupby(["scenario", "model"], sort=False)["f1"].mean()
    meetings = contests(list(rows["model"].unique()))
    for kind, fusion, rivals in sorted(meetings, key=lambda meeting: meeting.model):
        margins = {
            (scenario, rival): means[scenario, fusion] - means[scenario, rival]
            for scenario, own in rows.groupby("scenario", sort=False)
            for rival in [_best(own, rivals)]
            if rival and fusion in set(own["model"])
        }
        if margins:
            best, any_of_them = RIVALS[kind]
            scenario, rival = min(margins, key=margins.get)
            lost = sum(margin < 0 for margin in margins.values())
            yield (
                f"- {in_words(fusion)}: mean F1 less that of {best} of each scenario "
                f"and protocol {sum(margins.values()) / len(margins):+.4f} in the mean, "
                f"{margins[scenario, rival]:+.4f} at worst ({in_words(scenario)}, "
                f"{in_words(rival)}); {any_of_them} has the higher one in {lost} of {len(margins)}."
            )


def _margins(rows: pd.DataFrame) -> str:
    """Show each fusion's mean F1 less that of the best of each kind of rival, by scenario.

    The rival is the best by mean F1, on the very windows that judge it. Bold: the interval, a
    bootstrap over seeds, leaves 0 out.
    """
    kinds = [f"F1 less {best}" for best, _ in RIVALS.values()]
    lines = []
    rivals = {(one.name, one.model): one.rivals for one in contests(list(rows["model"].unique()))}
    for scenario, own in rows.groupby("scenario", sort=False):
        present = set(own["model"])
        for fusion in (name for name in FUSIONS if name in present):
            cells = [_margin(own, fusion, rivals.get((kind, fusion), [])) for kind in RIVALS]
            lines.append([in_words(scenario), in_words(fusion), *cells])
    return table(["scenario", "fusion", *kinds], lines)


def _margin(rows: pd.DataFrame, fusion: str, rivals: Collection[str]) -> str:
    rival = _best(rows, rivals)
    if rival is None:
        return UNDEFINED
    f1 = rows.pivot(index="seed", columns="model", values="f1")
    _, mean, low, high, *_ = compare_pairs(
        f1[fusion].to_numpy(), f1[rival].to_numpy(), BOOTSTRAP, CONFIDENCE, seed=0
    )
    margin = f"**{mean:+.4f}**" if low > 0 or high < 0 else f"{mean:+.4f}"
    interval = "" if math.isnan(low) else f" ({low:+.4f} to {high:+.4f})"
    return f"{margin}{interval}, {in_words(rival)}"


def _best(rows: pd.DataFrame, rivals: Collection[str]) -> str | None:
    """Name the rival with the highest mean F1 among rows of one scenario, None without one."""
    means = rows[rows["model"].isin(rivals)].groupby("model", sort=False)["f1"].mean()
    return None if means.empty else str(means.idxmax())


def _headline(rows: pd.DataFrame) -> str:
    if rows.empty:
        return UNDEFINED
    rate = rows["false_positive_rate"].mean()
    return f"{rows['f1'].mean():.4f} ({interval_ends(rows)}), {rate:.4f}"


def interval_ends(rows: pd.DataFrame) -> str:
    """Write the lowest and the highest bound of the seeds' intervals of F1."""
    low, high = rows["f1_low"].min(), rows["f1_high"].max()
    return UNDEFINED if math.isnan(low) else f"{low:.3f}–{high:.3f}"


def _over_seeds(scorecards: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    if not scorecards:
        raise DataError("There is no seed with detectors of its own: nothing to sum up.")
    parts = []
    for seed, scorecard in scorecards.items():
        require_columns(scorecard, COLUMNS, "Scorecards")
        named = scorecard["scenario"] + "_" + scorecard["protocol"]
        parts.append(scorecard.assign(scenario=named, seed=seed))
    rows = pd.concat(parts)
    return rows[rows.groupby(["scenario", "model"])["f1"].transform("count") == len(scorecards)]
