"""The detectors over several seeds, as a Markdown table."""

from collections.abc import Mapping

import pandas as pd

from kdgat.figures.style import in_words, require_columns
from kdgat.metrics import by_condition

DETECTORS = tuple(
    f"{size}_{kind}"
    for size in ("teacher", "student")
    for kind in ("autoencoder", "classifier", "fusion")
)
HEAD = (
    "| scenario | model | F1, mean | worst seed | FPR, mean | worst seed | AUROC, worst | seeds |"
)


def seeds_table(scorecards: Mapping[int, pd.DataFrame]) -> str:
    """Sum up the detectors' figures over seeds, each with the worst seed's beside the mean.

    Args:
        scorecards: seed -> metrics.SCORECARD_COLUMNS.

    Returns:
        Markdown: one row per scenario, protocol and detector.

    Raises:
        DataError: a column is missing.
    """
    parts = []
    for seed, scorecard in scorecards.items():
        require_columns(scorecard, ("model", "scenario", "protocol", "f1"), "Scorecards")
        parts.append(by_condition(scorecard).assign(seed=seed))
    rows = pd.concat(parts)
    lines = [HEAD, "|---|---|---|---|---|---|---|---|"]
    for (scenario, model), own in rows.groupby(["scenario", "model"], sort=False):
        if model in DETECTORS and own["f1"].notna().all():
            f1, fpr, auroc = own["f1"], own["false_positive_rate"], own["auroc"]
            lines.append(
                f"| {in_words(scenario)} | {in_words(model)} | {f1.mean():.4f} | {f1.min():.4f} "
                f"| {fpr.mean():.4f} | {fpr.max():.4f} | {auroc.min():.4f} | {len(own)} |"
            )
    return "\n".join(lines) + "\n"
