"""Many seeds in pictures: seeds as points behind every summary."""

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kdgat.comparison import Ranking, untouched_models
from kdgat.figures.style import (
    GREY,
    INK,
    KIND_COLOURS,
    OTHER_COLOURS,
    house_style,
    in_words,
    require_columns,
)

VARIANT_COLOURS = (KIND_COLOURS["classifier"], KIND_COLOURS["autoencoder"], *OTHER_COLOURS)
COLUMNS = 3  # panels side by side
PROFILES = 5  # profiles side by side
WIDTH = 9.6  # inches of a whole row of panels
ROW_HEIGHT = 0.19  # inches of one model's line


@house_style
def seeds_and_intervals(results: pd.DataFrame, summary: pd.DataFrame, metric: str) -> Figure:
    """Draw every seed, and above it the interquartile mean with its interval.

    Args:
        results: comparison.RESULT_COLUMNS.
        summary: comparison.summarise of the same results.
        metric: name of the values.

    Returns:
        A panel per dataset × scenario, a line per model and variant.

    Raises:
        DataError: There is no result.
    """
    require_columns(results, ("dataset", "scenario", "value"), "Results")
    models, variants = list(pd.unique(results["model"])), list(pd.unique(results["variant"]))
    blocks = list(results.groupby(["dataset", "scenario"]).groups)
    figure, panels = _panels(len(blocks), len(models) * len(variants))
    for axes, (dataset, scenario) in zip(panels, blocks, strict=False):
        where = f"dataset == {dataset!r} and scenario == {scenario!r}"
        for number, variant in enumerate(variants):
            shift = (number + 1) / (len(variants) + 1) - 0.5
            seeds = results.query(where).query("variant == @variant")
            centre = summary.query(where).query("variant == @variant")
            place = seeds["model"].map(models.index).astype(float)
            _draw_seeds(axes, place + shift, seeds["value"], number)
            _draw_intervals(
                axes,
                centre["model"].map(models.index).astype(float) + shift,
                centre[["iqm", "low", "high"]],
                number,
                variant,
            )
        axes.set_title(_block_name(dataset, scenario, results["dataset"].nunique()))
        axes.set_yticks(range(len(models)), [in_words(model) for model in models])
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_xlabel(in_words(metric))
    _legend(figure, panels, len(variants))
    return figure


@house_style
def paired_difference_chart(
    results: pd.DataFrame, paired: pd.DataFrame, metric: str, bootstrapped: float
) -> Figure:
    """Draw what each seed gains from one variant to the other, the mean and its interval.

    Args:
        results: comparison.RESULT_COLUMNS.
        paired: comparison.paired_differences of the same results.
        metric: name of the values.
        bootstrapped: confidence level of the intervals, 0 to 1.

    Returns:
        A panel per pair of variants and dataset × scenario, a line per model that differs
        anywhere; a sentence where there is none.
    """
    paired = paired[~paired["model"].isin(untouched_models(paired))]
    if paired.empty:
        return _sentence_figure("One variant, no seed in common or no difference: nothing to draw.")
    keys = ["variant_a", "variant_b", "dataset", "scenario"]
    models = list(pd.unique(paired["model"]))
    groups = list(paired.groupby(keys, sort=False))
    figure, panels = _panels(len(groups), len(models))
    for axes, ((a, b, dataset, scenario), rows) in zip(panels, groups, strict=False):
        block = results.query("dataset == @dataset and scenario == @scenario")
        values = block.pivot(index=["model", "seed"], columns="variant", values="value")
        gains = (values[a] - values[b]).dropna().reset_index(name="gain")
        gains = gains[gains["model"].isin(models)]
        axes.axvline(0.0, color=GREY, linewidth=1)
        _draw_seeds(axes, gains["model"].map(models.index), gains["gain"], 0)
        centre = rows[["mean_difference", "low", "high"]]
        _draw_intervals(axes, rows["model"].map(models.index), centre, 0, "mean")
        axes.set_title(_block_name(dataset, scenario, results["dataset"].nunique()))
        axes.set_yticks(range(len(models)), [in_words(model) for model in models])
        axes.set_ylim(len(models) - 0.5, -0.5)
        axes.set_xlabel(f"{in_words(metric)}, {a} -\n{b} ({bootstrapped:.0%} interval)")
    return figure


@house_style
def critical_difference(ranking: Ranking) -> Figure:
    """Draw the critical-difference diagram, or say why there is none.

    Args:
        ranking: comparison.rank_detectors.
    """
    if ranking.outcome is None:
        return _sentence_figure(ranking.sentence)
    from autorank import plot_stats  # two seconds, which every `kedro run` would wait

    named = ranking.outcome.rankdf.rename(index=in_words)
    outcome = ranking.outcome._replace(rankdf=named)
    figure = plot_stats(outcome, allow_insignificant=True).figure
    figure.set_layout_engine("none")  # autorank has laid it out; saving it `tight` keeps all names
    plt.close(figure)
    return figure


@house_style
def performance_profile_chart(profiles: pd.DataFrame, metric: str) -> Figure:
    """Draw how often each model reaches a value, one panel per model, one line per variant.

    Args:
        profiles: comparison.performance_profiles.
        metric: name of the values.
    """
    models, variants = list(pd.unique(profiles["model"])), list(pd.unique(profiles["variant"]))
    figure, panels = _panels(len(models), 5, columns=PROFILES)
    for axes, model in zip(panels, models, strict=False):
        for number, variant in enumerate(variants):
            line = profiles.query("model == @model and variant == @variant")
            axes.step(
                line["value"],
                line["share"],
                where="post",
                color=_colour(number),
                linestyle=("solid", "dashed", "dotted")[number % 3],
                label=variant,
            )
        axes.set_title(in_words(model))
        axes.set_xlabel(f"{in_words(metric)} above")
        axes.set_ylim(-0.02, 1.02)
    for axes in panels[::PROFILES]:
        axes.set_ylabel("share of runs")
    _legend(figure, panels, len(variants))
    return figure


def _panels(count: int, lines: int, *, columns: int = COLUMNS) -> tuple[Figure, list[Axes]]:
    """Lay out panels of one scale: lengths in them may be compared."""
    width = 1.0 + WIDTH * min(count / columns, 1)
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width, rows * (1.1 + ROW_HEIGHT * lines)))
    panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axes in panels:
        axes.tick_params(labelbottom=True)
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels[:count]


def _draw_seeds(axes: Axes, places: pd.Series, values: pd.Series, number: int) -> None:
    axes.scatter(values, places, s=14, color=_colour(number), alpha=0.4, linewidths=0, zorder=2)


def _draw_intervals(
    axes: Axes, places: pd.Series, centre: pd.DataFrame, number: int, name: str
) -> None:
    middle, low, high = (centre[column] for column in centre.columns)
    axes.hlines(places, low, high, color=_colour(number), linewidth=2, zorder=3)
    axes.plot(
        middle,
        places,
        marker="D",
        markersize=4,
        linestyle="none",
        color=_colour(number),
        markeredgecolor=INK,
        markeredgewidth=0.6,
        label=name,
        zorder=4,
    )


def _colour(number: int) -> str:
    return VARIANT_COLOURS[number % len(VARIANT_COLOURS)]


def _legend(figure: Figure, panels: Sequence[Axes], variants: int) -> None:
    if variants > 1:
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=variants)


def _block_name(dataset: str, scenario: str, datasets: int) -> str:
    words = in_words(scenario)
    name = f"{dataset}: {words}" if datasets > 1 else words
    return textwrap.fill(name, 26)


def _sentence_figure(sentence: str) -> Figure:
    figure = Figure(figsize=(6.0, 1.2))
    figure.text(0.02, 0.5, textwrap.fill(sentence, 90), va="center", fontsize=9, color=INK)
    return figure
