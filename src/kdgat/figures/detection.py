"""What the detectors see: scores over the time of a capture, and ROC where alarms are few."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from kdgat.errors import DataError
from kdgat.figures.style import (
    ATTACK,
    ATTACK_LIGHT,
    BENIGN,
    GREY,
    INK,
    ModelStyle,
    house_style,
    in_words,
    model_styles,
    require_columns,
    score_name,
)

PANELS_IN_A_ROW = 3


@house_style
def score_over_time(window_scores: pd.DataFrame, threshold: float) -> Figure:
    """Draw one model's scores over one capture, attack windows shaded, alarms marked.

    Args:
        window_scores: columns capture, model, start_time and end_time (s, of the window's first
            and last frame), label, score; one capture, one model.
        threshold: windows at or above it alarm; in the scores' unit.

    Returns:
        Time runs from the capture's first window, in s.

    Raises:
        DataError: a column is missing, or there is not exactly one capture and one model.
    """
    columns = ("capture", "model", "start_time", "end_time", "label", "score")
    require_columns(window_scores, columns, "Scores over time")
    for name in ("capture", "model"):
        held = window_scores[name].nunique()
        if held != 1:
            raise DataError(f"Scores over time hold {held} {name}s: draw one at a time.")
    windows = window_scores.sort_values("start_time", ignore_index=True)
    time = windows["start_time"] - windows["start_time"].iloc[0]
    figure = Figure(figsize=(9, 3.2))
    axes = figure.subplots()
    shade_attacks(axes, windows)
    axes.plot(time, windows["score"], color=GREY, linewidth=0.5, zorder=1)
    mark_verdicts(axes, time, windows, threshold)
    axes.axhline(threshold, color=INK, linestyle="dashed", linewidth=1, label="threshold")
    axes.set(
        xlabel="time since the capture's first window [s]",
        ylabel=score_name(windows["model"].iloc[0]),
        xlim=(0, windows["end_time"].iloc[-1] - windows["start_time"].iloc[0]),
    )
    figure.suptitle(
        f"{in_words(windows['model'].iloc[0])} on {windows['capture'].iloc[0]}",
        x=0.01,
        ha="left",
        fontsize=9.5,
        fontweight="bold",
    )
    figure.legend(loc="outside lower center", ncols=6, markerscale=1.5)
    return figure


def shade_attacks(axes: Axes, windows: pd.DataFrame) -> None:
    """Shade every run of attack windows from its first window's start to its last one's end."""
    attack = np.concatenate([[0], windows["label"].to_numpy(), [0]]).astype(np.int8)
    begins, ends = np.flatnonzero(np.diff(attack) == 1), np.flatnonzero(np.diff(attack) == -1) - 1
    zero = windows["start_time"].iloc[0]
    for number, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        axes.axvspan(
            windows["start_time"].iloc[begin] - zero,
            windows["end_time"].iloc[end] - zero,
            facecolor=ATTACK_LIGHT,
            edgecolor=ATTACK_LIGHT,
            label=None if number else "attack windows",
            zorder=0,
        )


def mark_verdicts(axes: Axes, time: pd.Series, windows: pd.DataFrame, threshold: float) -> None:
    """Mark quiet windows, right and false alarms, and missed attacks, each with its count."""
    attack, alarm = windows["label"] == 1, windows["score"].astype(np.float64) >= threshold
    verdicts = (
        ("quiet", ~attack & ~alarm, {"marker": ".", "s": 8, "color": BENIGN, "linewidth": 0}),
        ("alarm", attack & alarm, {"marker": "o", "s": 9, "color": ATTACK, "linewidth": 0}),
        (
            "missed attack",
            attack & ~alarm,
            {"marker": "o", "s": 22, "facecolor": "white", "edgecolor": ATTACK, "linewidth": 1},
        ),
        ("false alarm", ~attack & alarm, {"marker": "x", "s": 26, "color": "black"}),
    )
    for name, chosen, look in verdicts:
        axes.scatter(
            time[chosen],
            windows["score"][chosen],
            label=f"{name} ({chosen.sum():,})",
            zorder=2,
            **look,
        )


@house_style
def roc_low_false_positives(window_scores: pd.DataFrame, thresholds: Mapping[str, float]) -> Figure:
    """Draw each test scenario's ROC over a logarithmic false-positive rate.

    Args:
        window_scores: columns split, scenario, label, model, score; only test is drawn.
        thresholds: operating point of each model, in the scores' unit; marked by a circle.

    Returns:
        One panel per scenario, one curve per model that scored it. The axis starts at half of
        one false alarm, where a rate of zero is drawn: below one, nothing can be told from zero.

    Raises:
        DataError: a column is missing, or there is no test window.
    """
    columns = ("split", "scenario", "label", "model", "score")
    require_columns(window_scores, columns, "ROC curves")
    test = window_scores[window_scores["split"] == "test"]
    require_columns(test, columns, "ROC curves of test")
    scenarios = sorted(test["scenario"].unique())
    styles = model_styles(list(thresholds))
    across = min(PANELS_IN_A_ROW, len(scenarios))
    down = -(-len(scenarios) // across)
    figure = Figure(figsize=(max(3.6 * across, 5.4), 0.9 + 2.9 * down))
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes, scenario in zip(panels, scenarios, strict=False):
        windows = test[test["scenario"] == scenario]
        axes.set_title(in_words(scenario), wrap=True)
        if windows["label"].nunique() < 2:
            axes.text(0.5, 0.5, "one class only: no ROC", transform=axes.transAxes, ha="center")
            axes.set(xscale="log", xlim=(1 / len(windows), 1))
            continue
        for model, rows in windows.groupby("model", observed=True, sort=False):
            draw_roc(axes, rows, model, styles[model], thresholds[model])
    for axes in panels[len(scenarios) :]:
        axes.set_axis_off()
    label_roc(figure, panels[: len(scenarios)])
    return figure


def draw_roc(
    axes: Axes, windows: pd.DataFrame, model: str, style: ModelStyle, threshold: float
) -> None:
    """Draw one model's curve and its operating point into a scenario's panel."""
    labels, scores = windows["label"].to_numpy(), windows["score"].to_numpy(np.float64)
    floor = 0.5 / (labels == 0).sum()
    false_positive_rate, true_positive_rate, _ = roc_curve(labels, scores)
    axes.plot(
        np.maximum(false_positive_rate, floor),
        true_positive_rate,
        color=style.colour,
        linestyle=style.line,
        label=in_words(model),
        drawstyle="steps-post",
    )
    alarms = scores >= threshold
    axes.plot(
        max(alarms[labels == 0].mean(), floor),
        alarms[labels == 1].mean(),
        marker="o",
        markersize=5,
        markerfacecolor="white",
        markeredgecolor=style.colour,
        clip_on=False,
        zorder=3,
    )
    axes.set_xscale("log")
    axes.set_xlim(floor, 1)


def label_roc(figure: Figure, panels: np.ndarray) -> None:
    """Name the axes of all panels, and the models once for the whole figure."""
    for axes in panels[::PANELS_IN_A_ROW]:
        axes.set_ylabel("recall [share of attack windows]")
    for axes in panels:
        axes.set(xlabel="false-positive rate [share of benign windows]", ylim=(-0.02, 1.02))
    named = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=3)
