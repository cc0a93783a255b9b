"""What the detectors see: scores over the time of a capture, and ROC where alarms are few."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
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
def score_over_time(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, float],
    episodes: pd.DataFrame,
    begins: Mapping[str, float],
) -> Figure:
    """Draw one model's scores over some captures, episodes shaded, alarms marked.

    Args:
        window_scores: columns capture, model, start_time and end_time (s, of the window's first
            and last frame), label (NaN where an ID is silent and just after), score; one model.
        thresholds: capture -> its windows at or above it alarm; in the scores' unit.
        episodes: columns capture, start and end (s, on the windows' clock; NaN where unknown).
        begins: capture -> its first second, where the axis has its zero.

    Returns:
        A panel for each capture, in order of appearance.

    Raises:
        DataError: a column is missing, or there is more than one model.
    """
    columns = ("capture", "model", "start_time", "end_time", "label", "score")
    require_columns(window_scores, columns, "Scores over time")
    held = window_scores["model"].nunique()
    if held != 1:
        raise DataError(f"Scores over time hold {held} models: draw one at a time.")
    captures = window_scores["capture"].unique()
    model = window_scores["model"].iloc[0]
    figure = Figure(figsize=(9, 0.9 + 2.4 * len(captures)))
    panels = figure.subplots(len(captures), squeeze=False).ravel()
    for axes, capture in zip(panels, captures, strict=True):
        windows = window_scores[window_scores["capture"] == capture]
        windows = windows.sort_values("start_time", ignore_index=True)
        begin = begins[capture]
        shade_episodes(axes, episodes[episodes["capture"] == capture], begin)
        time = windows["start_time"] - begin
        axes.plot(time, windows["score"], color=GREY, linewidth=0.5, zorder=1)
        counts = mark_verdicts(axes, time, windows, thresholds[capture])
        dashed = {"color": INK, "linestyle": "dashed", "linewidth": 1}
        axes.axhline(thresholds[capture], label="threshold", **dashed)
        axes.set(
            title=f"{capture}\nalarms: {counts}",
            ylabel=score_name(model),
            xlim=(0, windows["end_time"].iloc[-1] - begin),
        )
    panels[-1].set_xlabel("time since the capture began [s]")
    figure.suptitle(in_words(model), x=0.01, ha="left", fontsize=9.5, fontweight="bold")
    episode = Patch(facecolor=ATTACK_LIGHT, label="episode")
    signs, _ = panels[0].get_legend_handles_labels()
    figure.legend(handles=[episode, *signs], loc="outside lower center", ncols=7, markerscale=1.5)
    return figure


def shade_episodes(axes: Axes, episodes: pd.DataFrame, begin: float) -> None:
    """Shade every episode whose bounds are known; `begin`, s, is where the axis has its zero."""
    for start, end in episodes[["start", "end"]].dropna().to_numpy():
        axes.axvspan(
            start - begin,
            end - begin,
            facecolor=ATTACK_LIGHT,
            edgecolor=ATTACK_LIGHT,
            zorder=0,
        )


VERDICT_LOOKS = {
    "quiet": {"marker": ".", "s": 8, "color": BENIGN, "linewidth": 0},
    "alarm": {"marker": "o", "s": 9, "color": ATTACK, "linewidth": 0},
    "missed attack": {
        "marker": "o",
        "s": 22,
        "facecolor": "white",
        "edgecolor": ATTACK,
        "linewidth": 1,
    },
    "false alarm": {"marker": "x", "s": 26, "color": "black"},
    "no label": {"marker": ".", "s": 8, "color": GREY, "linewidth": 0},
}


def mark_verdicts(axes: Axes, time: pd.Series, windows: pd.DataFrame, threshold: float) -> str:
    """Mark quiet windows, right and false alarms, missed attacks and windows without a label.

    Returns:
        How many of each label alarm, in words.
    """
    attack, benign = windows["label"] == 1, windows["label"] == 0
    alarm = windows["score"].astype(np.float64) >= threshold
    unknown = windows["label"].isna()
    chosen = (benign & ~alarm, attack & alarm, attack & ~alarm, benign & alarm, unknown)
    for (name, look), rows in zip(VERDICT_LOOKS.items(), chosen, strict=True):
        axes.scatter(time[rows], windows["score"][rows], zorder=2, label=name, **look)
    told = {"attack windows": attack, "benign windows": benign, "without a label": unknown}
    return ", ".join(
        f"{(rows & alarm).sum():,} of {rows.sum():,} {what}"
        for what, rows in told.items()
        if rows.any()
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
        DataError: a column is missing.
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
