"""How the models learned, and what the students took from their teachers."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from kdgat.errors import DataError
from kdgat.figures.style import (
    ATTACK,
    BENIGN,
    GREY,
    house_style,
    in_words,
    require_columns,
    score_name,
)

NOT_METRICS = ("stage", "epoch", "seconds", "learning_rate")
TRAIN, VALIDATION = GREY, "#0072B2"
EXTRA_COLOURS = ("#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#000000")


@house_style
def learning_curves(history: pd.DataFrame) -> Figure:
    """Draw the losses of every stage on the left, its other metrics on the right.

    Args:
        history: columns stage, epoch (from 0), and one per metric, NaN where a stage has none;
            names that end in `loss` are losses, `train_` and `val_` name the split. `seconds`,
            `learning_rate` and `batch_...` are left out.

    Returns:
        One row per stage in order of first appearance; a dotted line marks the epoch with the
        lowest `val_loss`.

    Raises:
        DataError: a column is missing, or there is no metric.
    """
    require_columns(history, ("stage", "epoch"), "Learning curves")
    metrics = [
        name for name in history if name not in NOT_METRICS and not name.startswith("batch_")
    ]
    losses = [name for name in metrics if name.endswith("loss")]
    groups = {"loss": losses, "metric": [name for name in metrics if name not in losses]}
    groups = {what: names for what, names in groups.items() if names}
    if not groups:
        raise DataError("Learning curves hold no metric: there is nothing to draw.")
    stages = list(pd.unique(history["stage"]))
    figure = Figure(figsize=(0.3 + 4.1 * len(groups), 0.4 + 2.1 * len(stages)))
    panels = figure.subplots(len(stages), len(groups), squeeze=False)
    for row, stage in zip(panels, stages, strict=True):
        epochs = history[history["stage"] == stage].dropna(axis="columns", how="all")
        row[0].set_title(in_words(stage))
        for axes, (what, names) in zip(row, groups.items(), strict=True):
            draw_curves(axes, epochs, [name for name in names if name in epochs], what)
    return figure


def draw_curves(axes: Axes, rows: pd.DataFrame, metrics: list[str], what: str) -> None:
    """Draw some metrics of one stage over its epochs; losses above 0 on a logarithmic axis."""
    if not metrics:
        axes.set_axis_off()
        return
    extra = iter(EXTRA_COLOURS * len(metrics))
    for name in metrics:
        plain = {"train_loss": TRAIN, "val_loss": VALIDATION}
        axes.plot(
            rows["epoch"] + 1,
            rows[name],
            color=plain[name] if name in plain else next(extra),
            marker="o",
            markersize=2.5,
            label=_metric_name(name),
        )
    if "val_loss" in metrics:
        best = rows["epoch"][rows["val_loss"].idxmin()] + 1
        axes.axvline(best, color=VALIDATION, linestyle="dotted", linewidth=1)
    if what == "loss" and (rows[metrics] > 0).all(axis=None):
        axes.set_yscale("log")
        _plain_log_ticks(axes, rows[metrics].to_numpy())
    axes.set(xlabel="epoch", ylabel=_common_name(metrics) or what)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


def _common_name(metrics: list[str]) -> str:
    """Name what an axis of several metrics shows: their last word, if they share it."""
    last_words = {name.rsplit("_", maxsplit=1)[-1] for name in metrics}
    if len(metrics) == 1:
        return _metric_name(metrics[0])
    return last_words.pop() if len(last_words) == 1 else ""


def _metric_name(name: str) -> str:
    return in_words(name).replace("val ", "validation ").replace("train ", "training ")


def _plain_log_ticks(axes: Axes, values: np.ndarray) -> None:
    """Write `0.5`, not a power of ten; between powers only where the values span few of them."""
    between = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if values.max() < 8 * values.min() else (1.0, 3.0)
    axes.yaxis.set_major_locator(LogLocator(subs=between, numticks=99))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


@house_style
def teacher_against_student(window_scores: pd.DataFrame, teacher: str, student: str) -> Figure:
    """Draw what a student says of each test window against what its teacher says.

    Args:
        window_scores: columns split, capture, start, label, model and score, measured from the
            operating point that judges the window; only test is drawn.
        teacher: model on the horizontal axis.
        student: model on the vertical axis.

    Returns:
        One point per window; the title counts the windows with the same verdict.

    Raises:
        DataError: a column is missing, or the two models share no test window.
    """
    window = ["capture", "start"]
    require_columns(
        window_scores, ("split", *window, "label", "model", "score"), "Teacher and student scores"
    )
    test = window_scores[window_scores["split"] == "test"]
    both = test[test["model"] == teacher].merge(test[test["model"] == student], on=window)
    if both.empty:
        raise DataError(f"{teacher} and {student} share no test window: there is nothing to draw.")
    figure = Figure(figsize=(5.2, 5))
    axes = figure.subplots()
    for label, colour, name in ((0, BENIGN, "benign"), (1, ATTACK, "attack")):
        points = both[both["label_x"] == label]
        axes.scatter(
            points["score_x"],
            points["score_y"],
            s=6,
            marker="o" if label == 0 else "x",
            facecolor=colour,
            linewidth=0 if label == 0 else 0.7,
            rasterized=True,
            label=f"{name} windows ({len(points):,})",
        )
    axes.axvline(0.0, color=GREY, linestyle="dashed", linewidth=1)
    axes.axhline(0.0, color=GREY, linestyle="dashed", linewidth=1)
    axes.axline((0, 0), slope=1, color=GREY, linewidth=0.7, zorder=1)
    axes.set(
        xlabel=f"{score_name(teacher)} of the {in_words(teacher)} above its operating point",
        ylabel=f"{score_name(student)} of the {in_words(student)} above its operating point",
    )
    agreed = (both["score_x"] >= 0.0) == (both["score_y"] >= 0.0)
    axes.set_title(f"same verdict on {agreed.sum():,} of {len(both):,} test windows")
    figure.legend(loc="outside upper left", ncols=2, markerscale=1.6)
    return figure
