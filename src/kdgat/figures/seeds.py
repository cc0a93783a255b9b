"""The detectors over several seeds, as a Markdown table."""

from collections.abc import Mapping

import pandas as pd

from kdgat.figures.style import in_words, require_columns

DETECTORS = tuple(
    f"{size}_{kind}"
    for size in ("teacher", "student")
    for kind in ("autoencoder", "classifier", "fusion")
)
HEAD = (
    "| scenario | model | F1, mean | worst seed | FPR, mean | worst seed | AUROC, worst | seeds |"
)
HEADLINE = ("student_fusion", "teacher_fusion", "two-line rule 4 frames")


def headline_table(scorecards: Mapping[int, pd.DataFrame]) -> str:
    """Show the fused detectors beside the two-line rule, for a reader in a hurry.

    Args:
        scorecards: seed -> metrics.SCORECARD_COLUMNS.

    Returns:
        Markdown: one row per scenario and protocol; F1 as the mean over seeds, with the lowest and
        the highest end of the seeds' intervals, and the mean false-positive rate.
    """
    rows = _over_seeds(scorecards)
    rows = rows[rows["model"].isin(HEADLINE) & rows["f1"].notna()]
    names = [f"{in_words(model)}: F1 (interval), FPR" for model in HEADLINE]
    lines = [
        f"| scenario and protocol | {' | '.join(names)} | n | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for scenario, own in rows.groupby("scenario", sort=False):
        cells = [_headline(own[own["model"] == model]) for model in HEADLINE]
        lines.append(
            f"| {in_words(scenario)} | {' | '.join(cells)} "
            f"| {int(own['n'].iloc[0]):,} | {own['seed'].nunique()} |"
        )
    return "\n".join(lines) + "\n"


def _headline(rows: pd.DataFrame) -> str:
    low, high = rows["f1_low"].min(), rows["f1_high"].max()
    rate = rows["false_positive_rate"].mean()
    return f"{rows['f1'].mean():.4f} ({low:.3f}–{high:.3f}), {rate:.4f}"


def _over_seeds(scorecards: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    parts = []
    for seed, scorecard in scorecards.items():
        require_columns(scorecard, ("model", "scenario", "protocol", "f1"), "Scorecards")
        named = scorecard["scenario"] + "_" + scorecard["protocol"]
        parts.append(scorecard.assign(scenario=named, seed=seed))
    return pd.concat(parts)


def seeds_table(scorecards: Mapping[int, pd.DataFrame]) -> str:
    """Sum up the detectors' figures over seeds, each with the worst seed's beside the mean.

    Args:
        scorecards: seed -> metrics.SCORECARD_COLUMNS.

    Returns:
        Markdown: one row per scenario, protocol and detector.

    Raises:
        DataError: a column is missing.
    """
    rows = _over_seeds(scorecards)
    lines = [HEAD, "|---|---|---|---|---|---|---|---|"]
    for (scenario, model), own in rows.groupby(["scenario", "model"], sort=False):
        if model in DETECTORS and own["f1"].notna().all():
            f1, fpr, auroc = own["f1"], own["false_positive_rate"], own["auroc"]
            lines.append(
                f"| {in_words(scenario)} | {in_words(model)} | {f1.mean():.4f} | {f1.min():.4f} "
                f"| {fpr.mean():.4f} | {fpr.max():.4f} | {auroc.min():.4f} | {len(own)} |"
            )
    return "\n".join(lines) + "\n"
