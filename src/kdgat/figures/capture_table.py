"""The detectors on each test capture, as a Markdown table."""

from collections.abc import Container

import pandas as pd

from kdgat.figures.scorecard import UNDEFINED, figure_text
from kdgat.figures.style import in_words, require_columns
from kdgat.markdown import table
from kdgat.metrics import CAPTURE_COLUMNS
from kdgat.metrics.verdicts import is_baseline

SHOWN = ("student_autoencoder", "student_fusion", "teacher_autoencoder", "teacher_fusion")


def capture_table(capture_scorecard: pd.DataFrame, distrusted: Container[str]) -> str:
    """Write the detectors' figures on each capture beside the best baseline.

    Args:
        capture_scorecard: metrics.CAPTURE_COLUMNS, one row per model, protocol and capture.
        distrusted: captures whose prefix the guard distrusts: calibrated in name only.

    Returns:
        Markdown, one row per capture and protocol. The best baseline is the one with the highest
        F1 on that capture; of a capture without attacks there is none.

    Raises:
        DataError: a column is missing.
    """
    require_columns(capture_scorecard, CAPTURE_COLUMNS, "Scorecards by capture")
    models = [f"{in_words(model)}: F1, FPR, AUROC" for model in SHOWN]
    lines = []
    groups = capture_scorecard.groupby(["capture", "protocol"], sort=True)
    for (capture, protocol), rows in groups:
        own = rows.set_index("model")
        marked = ", prefix distrusted" if protocol != "zero_shot" and capture in distrusted else ""
        cells = [
            capture,
            f"{in_words(protocol)}{marked}",
            f"{rows['n'].iloc[0]:,}",
            f"{rows['n_attack'].iloc[0]:,}",
            *(_figures(own.loc[model]) if model in own.index else UNDEFINED for model in SHOWN),
            _best(rows),
        ]
        lines.append(cells)
    names = ["capture", "protocol", "n", "attacks", *models, "best baseline"]
    return table(names, lines) + "\n"


def _best(rows: pd.DataFrame) -> str:
    baselines = rows[rows["model"].map(is_baseline) & rows["f1"].notna()]
    if baselines.empty:
        return UNDEFINED
    best = baselines.loc[baselines["f1"].idxmax()]
    return f"{in_words(best['model'])}: {_figures(best)}"


def _figures(row: pd.Series) -> str:
    rate = figure_text(row["false_positive_rate"], decimals=4)
    return f"{figure_text(row['f1'])}, {rate}, {figure_text(row['auroc'])}"
