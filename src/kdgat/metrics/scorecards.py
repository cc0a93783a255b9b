"""The scorecard: every model on every test scenario, one row each."""

from collections.abc import Mapping

import pandas as pd

from kdgat.errors import DataError
from kdgat.metrics.detection import detection_metrics
from kdgat.metrics.intervals import bootstrap_interval

WINDOW_SCORE_COLUMNS = ("split", "scenario", "capture", "start", "label", "model", "score")
INTERVAL_METRICS = ("f1", "false_positive_rate")
SCORECARD_COLUMNS = (
    "model",
    "scenario",
    "protocol",
    "f1",
    "f1_low",
    "f1_high",
    "precision",
    "recall",
    "false_positive_rate",
    "false_positive_rate_low",
    "false_positive_rate_high",
    "auroc",
    "average_precision",
    "mcc",
    "n",
    "n_attack",
    "n_captures",
    "threshold",
)


def scorecard(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, float],
    *,
    bootstrap: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Judge every model on every test scenario, its captures pooled.

    Args:
        window_scores: WINDOW_SCORE_COLUMNS, one row per window and model; `split` is train,
            validation or test, and only test is judged.
        thresholds: operating point of each model, never fitted on test.
        bootstrap: bootstrap samples behind an interval.
        confidence: level of the intervals, between 0 and 1.
        seed: of the bootstrap.

    Returns:
        SCORECARD_COLUMNS, one row per model (in the order of `thresholds`) and scenario.

    Raises:
        DataError: a column is missing, models and thresholds disagree, or a window comes twice.
    """
    check_window_scores(window_scores)
    test = window_scores[window_scores["split"] == "test"]
    unmatched = set(test["model"]) ^ set(thresholds)
    if unmatched:
        raise DataError(
            f"Models {sorted(unmatched)} have a threshold or test scores, but not both:"
            f" thresholds are for {sorted(thresholds)}."
        )
    rows = [
        scorecard_row(windows, model, scenario, threshold, bootstrap, confidence, seed)
        for model, threshold in thresholds.items()
        for scenario, windows in test[test["model"] == model].groupby("scenario", observed=True)
    ]
    return pd.DataFrame(rows, columns=list(SCORECARD_COLUMNS))


def check_window_scores(window_scores: pd.DataFrame) -> None:
    """Refuse a table without WINDOW_SCORE_COLUMNS, or with a window twice for one model."""
    missing = [name for name in WINDOW_SCORE_COLUMNS if name not in window_scores]
    if missing:
        raise DataError(
            f"Window scores lack the columns {missing}: needed are {list(WINDOW_SCORE_COLUMNS)}."
        )
    twice = window_scores.duplicated(["split", "capture", "start", "model"])
    if twice.any():
        row = window_scores[twice].iloc[0]
        raise DataError(
            f"Window {row['start']} of {row['capture']} is scored twice by {row['model']}:"
            f" one score per window and model."
        )


def scorecard_row(
    windows: pd.DataFrame,
    model: str,
    scenario: str,
    threshold: float,
    bootstrap: int,
    confidence: float,
    seed: int,
) -> dict[str, object]:
    """Judge one model on the windows of one scenario: one row of SCORECARD_COLUMNS."""
    labels, scores = windows["label"].to_numpy(), windows["score"].to_numpy()
    intervals = bootstrap_interval(
        labels,
        scores,
        threshold,
        captures=windows["capture"].to_numpy(),
        starts=windows["start"].to_numpy(),
        bootstrap=bootstrap,
        confidence=confidence,
        seed=seed,
    )
    row = {"model": model, "scenario": scenario, "protocol": "zero_shot", "threshold": threshold}
    for name in INTERVAL_METRICS:
        row[f"{name}_low"], row[f"{name}_high"] = intervals[name]
    return {
        **row,
        **detection_metrics(labels, scores, threshold),
        "n_captures": int(windows["capture"].nunique()),
    }
