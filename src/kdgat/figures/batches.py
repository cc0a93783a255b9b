"""How large batches were, and how they followed the memory."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kdgat.figures.style import GREY, INK, house_style, in_words

RUN_COLOURS = ("#56B4E9", "#0072B2", INK)
NO_RUN = "no run on record says how large its batches were"


@house_style
def batch_sizes(history: pd.DataFrame, batch_history: pd.DataFrame) -> Figure:
    """Draw budget, memory and factor over the epochs of successive runs, one row per stage.

    Args:
        history: of the stages to draw; column stage.
        batch_history: columns stage, version, batch_nodes (mean nodes in a batch), and where
            batches adapted batch_budget (nodes), batch_memory, batch_target (bytes) and
            batch_factor, else NaN; one row per epoch, at most three runs a stage, oldest first.

    Returns:
        Three panels per stage, the epochs of its runs one after another; one panel where batches
        were fixed. A sentence where no stage has a row.
    """
    wanted = batch_history[batch_history["stage"].isin(history["stage"])]
    stages = list(pd.unique(wanted["stage"]))
    if not stages:
        figure = Figure(figsize=(5, 0.6))
        figure.text(0.5, 0.5, NO_RUN, ha="center", va="center")
        return figure
    across = 1 if wanted["batch_budget"].isna().all() else 3
    figure = Figure(figsize=(max(5.4, 3.5 * across), 0.3 + 2.1 * len(stages)))
    for row, stage in zip(figure.subplots(len(stages), across, squeeze=False), stages, strict=True):
        runs = wanted[wanted["stage"] == stage].reset_index(drop=True)
        row[0].set_title(in_words(stage))
        if runs["batch_budget"].isna().all():
            draw_runs(row[0], runs["batch_nodes"], runs["version"], "mean nodes, fixed batches")
            row[0].set_ylim(0, 1.1 * runs["batch_nodes"].max())
            for axes in row[1:]:
                axes.set_axis_off()
        else:
            draw_adaptation(row, runs)
    return figure


def draw_adaptation(panels: Sequence[Axes], runs: pd.DataFrame) -> None:
    """Draw how the budget of one stage followed the memory."""
    budget, memory, factor = panels
    draw_runs(budget, runs["batch_budget"], runs["version"], "budget [nodes]")
    draw_runs(memory, runs["batch_memory"] / 1e6, runs["version"], "peak memory [MB]")
    draw_runs(factor, runs["batch_factor"], runs["version"], "factor")
    target = {"color": GREY, "linestyle": "dotted", "linewidth": 1}
    memory.plot(runs.index + 1, runs["batch_target"] / 1e6, label="target", **target)
    memory.legend(*([part[-1]] for part in memory.get_legend_handles_labels()))
    factor.axhline(1, **target)
    budget.legend(fontsize=6)


def draw_runs(axes: Axes, values: pd.Series, versions: pd.Series, what: str) -> None:
    """Draw one quantity over the epochs of successive runs, each run in a colour of its own."""
    runs = values.groupby(versions, sort=False)
    for colour, (version, run) in zip(RUN_COLOURS, runs, strict=False):
        axes.plot(run.index + 1, run, color=colour, marker="o", markersize=2.5, label=version)
    axes.set(xlabel="epoch, over all runs", ylabel=what)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
