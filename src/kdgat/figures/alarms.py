"""What alarms cost: precision, false alarms an hour, and what each kind of attack meets."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from kdgat.figures.style import (
    NothingToDrawError,
    house_style,
    in_words,
    model_styles,
    require_columns,
)
from kdgat.metrics.aftermath import seconds_watched

PANELS_IN_A_ROW = 3
SCORED = ("scenario", "label", "model", "score")
Curve = Callable[[Axes, pd.DataFrame, str, float], None]
"""Draws one model of one scenario into its panel: axes, windows, model, threshold."""


@house_style
def precision_recall(window_scores: pd.DataFrame, thresholds: Mapping[str, float]) -> Figure:
    """Draw precision over recall of each scenario, one curve per model.

    Args:
        window_scores: columns scenario, label, model, score; one protocol.
        thresholds: operating point of each model, marked by a circle.

    Returns:
        A panel per scenario that holds both classes. The dotted line is the precision of calling
        everything an attack.

    Raises:
        DataError: a column is missing.
    """
    require_columns(window_scores, SCORED, "Precision-recall curves")

    def draw(axes: Axes, windows: pd.DataFrame, model: str, threshold: float) -> None:
        style = model_styles([model])[model]
        labels, scores = windows["label"].to_numpy(), windows["score"].to_numpy(np.float64)
        precision, recall, _ = precision_recall_curve(labels, scores)
        axes.plot(
            recall, precision, color=style.colour, linestyle=style.line, label=in_words(model)
        )
        alarms = scores >= threshold
        if alarms.any():
            _mark(axes, alarms[labels == 1].mean(), labels[alarms].mean(), style.colour)
        axes.axhline(labels.mean(), color="black", linestyle="dotted", linewidth=0.7)
        axes.set(xlabel="recall [share of attack windows]", ylim=(-0.02, 1.02), xlim=(0, 1.01))

    return _panels(window_scores, thresholds, draw, "precision [share of alarms]")


@house_style
def false_alarms_and_recall(window_scores: pd.DataFrame, thresholds: Mapping[str, float]) -> Figure:
    """Draw recall over false alarms an hour, on a logarithmic axis, one curve per model.

    Args:
        window_scores: columns scenario, label, model, score, start_time and end_time (s); one
            protocol.
        thresholds: operating point of each model, marked by a circle.

    Returns:
        A panel per scenario that holds both classes, and benign time. The axis starts at half of
        one false alarm in the benign time there is, where a rate of zero is drawn.

    Raises:
        DataError: a column is missing.
    """
    require_columns(window_scores, (*SCORED, "start_time", "end_time"), "False alarms")
    timed = [
        name
        for name, windows in window_scores.groupby("scenario", observed=True)
        if benign_hours(windows) > 0.0
    ]
    window_scores = window_scores[window_scores["scenario"].isin(timed)]

    def draw(axes: Axes, windows: pd.DataFrame, model: str, threshold: float) -> None:
        style = model_styles([model])[model]
        per_hour, recall = alarm_curve(windows)
        floor = 0.5 / benign_hours(windows)
        at = np.maximum(per_hour, floor)
        axes.plot(
            at,
            recall,
            color=style.colour,
            linestyle=style.line,
            label=in_words(model),
            drawstyle="steps-post",
        )
        alarms = windows["score"].to_numpy(np.float64) >= threshold
        attack = windows["label"].to_numpy() == 1
        false = max(alarms[~attack].sum() / benign_hours(windows), floor)
        _mark(axes, false, alarms[attack].mean(), style.colour)
        axes.set(xscale="log", xlabel="false alarms an hour [benign windows]", ylim=(-0.02, 1.02))
        axes.set_xlim(left=floor)

    return _panels(window_scores, thresholds, draw, "recall [share of attack windows]")


def benign_hours(windows: pd.DataFrame) -> float:
    """Add up the time of the benign windows of one model and protocol, in hours."""
    seconds = 0.0
    for _, own in windows.sort_values("start_time").groupby("capture"):
        watched = seconds_watched(own["start_time"].to_numpy(), own["end_time"].to_numpy())
        seconds += watched[own["label"] == 0].sum()
    return float(seconds / 3600)


def alarm_curve(windows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Sweep the threshold from the highest score down.

    Args:
        windows: columns label, score, start_time, end_time of one model.

    Returns:
        False alarms an hour of benign time, and recall; tied scores alarm together.
    """
    ordered = windows.sort_values("score", ascending=False)
    scores, attack = ordered["score"].to_numpy(), ordered["label"].to_numpy() == 1
    last_of_a_tie = np.append(scores[1:] != scores[:-1], True)
    false, found = (~attack).cumsum()[last_of_a_tie], attack.cumsum()[last_of_a_tie]
    return (
        np.concatenate([[0.0], false / benign_hours(windows)]),
        np.concatenate([[0.0], found / attack.sum()]),
    )


@house_style
def confusion_by_attack(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, float],
    attack_types: Mapping[str, str],
) -> Figure:
    """Draw which share of the windows of each kind of attack alarms, for every model.

    Args:
        window_scores: columns capture, label, model, score; one protocol.
        thresholds: operating point of each model.
        attack_types: capture -> attack type.

    Returns:
        A row per attack type and one for benign windows, a column per model; numbers are shares,
        windows (n) stand beside the row.

    Raises:
        DataError: a column is missing.
    """
    require_columns(window_scores, ("capture", "label", "model", "score"), "Confusions")
    shares, counts = alarm_shares(window_scores, thresholds, attack_types)
    figure = Figure(figsize=(2.6 + 0.95 * len(shares.columns), 1.6 + 0.36 * len(shares)))
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares.to_numpy()):
        ink = "black" if share > 0.55 else "white"
        axes.text(
            column, row, f"{share:.3f}".removeprefix("0"), ha="center", va="center", color=ink
        )
    axes.set_xticks(range(len(shares.columns)), [in_words(m) for m in shares.columns])
    axes.tick_params(axis="x", rotation=30)
    names = [f"{in_words(kind)} ({counts[kind]:,})" for kind in shares.index]
    axes.set_yticks(range(len(shares)), names)
    axes.grid(visible=False)
    axes.set_title("share of windows that alarm, by what is in them (n)")
    figure.colorbar(image, ax=axes, label="share that alarms")
    return figure


def alarm_shares(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, float],
    attack_types: Mapping[str, str],
) -> tuple[pd.DataFrame, pd.Series]:
    """Count alarms by attack type.

    Args: as `confusion_by_attack`.

    Returns:
        Share of alarms, a row per attack type in order of their names and `benign` last, a column
        per model; windows per row.
    """
    kind = window_scores["capture"].map(dict(attack_types)).where(window_scores["label"] == 1)
    alarm = window_scores["score"] >= window_scores["model"].map(dict(thresholds))
    told = window_scores.assign(kind=kind.fillna("benign"), alarm=alarm)
    shares = told.pivot_table(index="kind", columns="model", values="alarm", aggfunc="mean")
    rows = [*sorted(set(shares.index) - {"benign"}), *({"benign"} & set(shares.index))]
    models = [model for model in thresholds if model in shares]
    counts = told[told["model"] == models[0]]["kind"].value_counts()
    return shares.loc[rows, models].astype(float), counts


def _mark(axes: Axes, x: float, y: float, colour: str) -> None:
    look = {"marker": "o", "markersize": 5, "markerfacecolor": "white", "markeredgecolor": colour}
    axes.plot(x, y, clip_on=False, zorder=3, **look)


def _panels(
    window_scores: pd.DataFrame, thresholds: Mapping[str, float], draw: Curve, vertical: str
) -> Figure:
    classes = window_scores.groupby("scenario", observed=True)["label"].nunique()
    scenarios = sorted(classes.index[classes == 2])
    if not scenarios:
        raise NothingToDrawError("No scenario holds benign time and attack windows to draw.")
    across = min(PANELS_IN_A_ROW, len(scenarios))
    down = -(-len(scenarios) // across)
    figure = Figure(figsize=(max(3.6 * across, 5.4), 0.9 + 2.9 * down))
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for axes, scenario in zip(panels, scenarios, strict=False):
        axes.set_title(in_words(scenario), wrap=True)
        of_scenario = window_scores[window_scores["scenario"] == scenario]
        for model, windows in of_scenario.groupby("model", observed=True, sort=False):
            draw(axes, windows, model, thresholds[model])
    for axes in panels[::across]:
        axes.set_ylabel(vertical)
    for axes in panels[len(scenarios) :]:
        axes.set_axis_off()
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure
