"""The scorecard: every model on every test scenario, one row each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdgat.errors import DataError
from kdgat.metrics.detection import COUNT_METRICS, detection_metrics
from kdgat.metrics.intervals import Resampling, bootstrap_interval

WINDOW_SCORE_COLUMNS = (
    "split",
    "protocol",
    "operating_point",
    "scenario",
    "capture",
    "start",
    "stretch",
    "label",
    "model",
    "score",
)
"""`stretch` is what `aftermath.known_windows` adds."""
ZERO_SHOT = "zero_shot"
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
CAPTURE_COLUMNS = (
    "model",
    "protocol",
    "capture",
    *COUNT_METRICS,
    "auroc",
    "average_precision",
    "n",
    "n_attack",
)


def scorecard(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, Mapping[str, float]],
    resampling: Resampling,
) -> pd.DataFrame:
    """Judge every model on every test scenario under every protocol, its captures pooled.

    A window is judged at the operating point that its column `operating_point` names.

    Args:
        window_scores: WINDOW_SCORE_COLUMNS, one row per window and model; `split` is train,
            validation or test, and only test is judged.
        thresholds: model -> protocol -> operating point, never fitted on test.
        resampling: of the intervals.

    Returns:
        SCORECARD_COLUMNS, one row per model (in the order of `thresholds`), protocol and scenario.

    Raises:
        DataError: a column is missing, models and thresholds disagree, a window comes twice, or
            there is no test window.
    """
    check_window_scores(window_scores)
    test = window_scores[window_scores["split"] == "test"]
    if test.empty:
        raise DataError("No test window has a label: an ID is silent in all of them.")
    unmatched = set(test["model"]) ^ set(thresholds)
    if unmatched:
        raise DataError(
            f"Models {sorted(unmatched)} have a threshold or test scores, but not both:"
            f" thresholds are for {sorted(thresholds)}."
        )
    keys = ["protocol", "scenario"]
    rows = [
        scorecard_row(windows, points, model, protocol, scenario, resampling)
        for model, points in thresholds.items()
        for (protocol, scenario), windows in test[test["model"] == model].groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows, columns=list(SCORECARD_COLUMNS))


def capture_scorecard(
    window_scores: pd.DataFrame, thresholds: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """Judge every model on every test capture under every protocol, without intervals.

    Returns:
        CAPTURE_COLUMNS, one row per model, protocol and capture.
    """
    check_window_scores(window_scores)
    test = window_scores[window_scores["split"] == "test"]
    rows = []
    for (model, protocol, capture), windows in test.groupby(
        ["model", "protocol", "capture"], sort=False
    ):
        figures = detection_metrics(
            windows["label"].to_numpy(), margins(windows, thresholds[model]), 0.0
        )
        rows.append({"model": model, "protocol": protocol, "capture": capture, **figures})
    return pd.DataFrame(rows, columns=list(CAPTURE_COLUMNS))


def hardest_captures(
    windows: pd.DataFrame, by_capture: pd.DataFrame, *, protocol: str
) -> list[str]:
    """Name the capture of each scenario with the lowest F1, or the first where none has any.

    Args:
        windows: columns model, scenario and capture; one model.
        by_capture: CAPTURE_COLUMNS, of any models and protocols.
        protocol: whose F1 counts.
    """
    judged = by_capture["model"] == windows["model"].iloc[0]
    rows = by_capture[judged & (by_capture["protocol"] == protocol)]
    captures = windows[["scenario", "capture"]].drop_duplicates()
    ranked = captures.merge(rows[["capture", "f1"]], on="capture", how="left")
    return ranked.sort_values("f1", kind="stable").drop_duplicates("scenario")["capture"].tolist()


def by_condition(scorecard: pd.DataFrame) -> pd.DataFrame:
    """Let `scenario` name the protocol, too, for all who compare by scenario alone.

    A zero-shot row keeps its scenario's name; others read `<scenario>_<protocol>`.
    """
    scenario, protocol = scorecard["scenario"], scorecard["protocol"]
    named = scenario.where(protocol == ZERO_SHOT, scenario + "_" + protocol)
    return scorecard.assign(scenario=named)


def margins(windows: pd.DataFrame, points: Mapping[str, float]) -> NDArray[np.float64]:
    """Give how far each window's score lies above the operating point that judges it.

    The difference is at least 0 exactly where `score >= operating point`, in float64.

    Args:
        windows: columns operating_point and score, of one model.
        points: protocol -> operating point.
    """
    point = windows["operating_point"].map(points).to_numpy(dtype=np.float64)
    return windows["score"].to_numpy(dtype=np.float64) - point


def above_points(
    window_scores: pd.DataFrame, thresholds: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """Measure scores from the operating point that judges each window: from 0 on they alarm.

    Args:
        window_scores: columns model, operating_point and score, of any models.
        thresholds: model -> protocol -> operating point.

    Returns:
        The same rows, `score` as `margins` gives it.
    """
    keys = zip(window_scores["model"], window_scores["operating_point"], strict=True)
    points = np.array([thresholds[model][protocol] for model, protocol in keys], dtype=np.float64)
    return window_scores.assign(score=window_scores["score"].astype(np.float64) - points)


def check_window_scores(window_scores: pd.DataFrame) -> None:
    """Refuse a table without WINDOW_SCORE_COLUMNS, or with a test window twice for a model.

    Validation holds a window once a draw, each time against the profile that was drawn for it.
    """
    missing = [name for name in WINDOW_SCORE_COLUMNS if name not in window_scores]
    if missing:
        raise DataError(
            f"Window scores lack the columns {missing}: needed are {list(WINDOW_SCORE_COLUMNS)}."
        )
    test = window_scores[window_scores["split"] == "test"]
    twice = test.duplicated(["protocol", "capture", "start", "model"])
    if twice.any():
        row = test[twice].iloc[0]
        raise DataError(
            f"Window {row['start']} of {row['capture']} is scored twice by {row['model']}:"
            f" one score per window and model."
        )


def scorecard_row(
    windows: pd.DataFrame,
    points: Mapping[str, float],
    model: str,
    protocol: str,
    scenario: str,
    resampling: Resampling,
) -> dict[str, object]:
    """Judge one model on one scenario under one protocol: one row of SCORECARD_COLUMNS."""
    labels, scores = windows["label"].to_numpy(), margins(windows, points)
    intervals = bootstrap_interval(
        labels,
        scores,
        0.0,
        captures=windows["capture"].to_numpy(),
        stretches=windows["stretch"].to_numpy(),
        resampling=resampling,
    )
    row = {"model": model, "scenario": scenario, "protocol": protocol}
    row["threshold"] = points[protocol]
    for name in INTERVAL_METRICS:
        row[f"{name}_low"], row[f"{name}_high"] = intervals[name]
    return {
        **row,
        **detection_metrics(labels, scores, 0.0),
        "n_captures": int(windows["capture"].nunique()),
    }
