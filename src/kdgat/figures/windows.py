"""A window as a graph, and where an autoencoder puts windows."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from kdgat.figures.style import (
    ATTACK,
    GREY,
    INK,
    NothingToDrawError,
    house_style,
    in_words,
    require_columns,
)

SCENARIO_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
SUSPICION_COLOURS = "cividis"


class DrawnGraph(NamedTuple):
    """One window, as it is drawn.

    Attributes:
        title: what it is.
        arbitration_id: int64 `[num_nodes]`.
        edge_index: int64 `[2, num_edges]`, from one ID to the next.
        attention: float `[num_edges]`, 0 to 1.
        suspicion: float `[num_nodes]`, higher = more suspicious.
        named: IDs that the detector blames, the most suspicious first.
    """

    title: str
    arbitration_id: NDArray[np.int64]
    edge_index: NDArray[np.int64]
    attention: NDArray[np.float64]
    suspicion: NDArray[np.float64]
    named: tuple[int, ...]


@house_style
def window_graphs(graphs: list[DrawnGraph], title: str) -> Figure:
    """Draw windows side by side: IDs on a circle, edges by attention, suspicion as colour.

    Args:
        graphs: windows.
        title: of the whole picture.

    Returns:
        A panel per window; a ring and a bold name mark the IDs that the detector blames.
    """
    if not graphs:
        raise NothingToDrawError("Window graphs hold no row: there is nothing to draw.")
    figure = Figure(figsize=(5.2 * len(graphs), 5.2))
    panels = figure.subplots(1, len(graphs), squeeze=False)[0]
    for axes, graph in zip(panels, graphs, strict=True):
        points = _draw_graph(axes, graph)
    figure.suptitle(title, x=0.01, ha="left", fontsize=9.5, fontweight="bold")
    figure.colorbar(points, ax=list(panels), label="suspicion, rank in the window", shrink=0.7)
    return figure


def _draw_graph(axes: Axes, graph: DrawnGraph) -> PathCollection:
    order = np.argsort(graph.arbitration_id, kind="stable")
    angle = np.empty(len(order))
    angle[order] = np.pi / 2 - 2 * np.pi * np.arange(len(order)) / len(order)
    x, y = np.cos(angle), np.sin(angle)
    _draw_edges(axes, graph, x, y)
    blamed = np.isin(graph.arbitration_id, graph.named)
    points = axes.scatter(
        x,
        y,
        s=110,
        c=_ranks(graph.suspicion),
        cmap=SUSPICION_COLOURS,
        vmin=0,
        vmax=1,
        edgecolors=np.where(blamed, ATTACK, "white"),
        linewidths=np.where(blamed, 2.2, 0.8),
        zorder=2,
    )
    for one in np.arange(len(order)):
        axes.text(
            1.16 * x[one],
            1.16 * y[one],
            f"0x{graph.arbitration_id[one]:x}",
            ha="center",
            va="center",
            fontsize=7,
            color=ATTACK if blamed[one] else INK,
            fontweight="bold" if blamed[one] else "normal",
        )
    axes.set(xlim=(-1.32, 1.32), ylim=(-1.32, 1.32), aspect="equal", title=graph.title)
    axes.set_axis_off()
    return points


def _draw_edges(
    axes: Axes, graph: DrawnGraph, x: NDArray[np.float64], y: NDArray[np.float64]
) -> None:
    for (source, target), weight in zip(graph.edge_index.T, graph.attention, strict=True):
        if source == target:
            continue
        arrow = {
            "arrowstyle": "-|>,head_width=.12,head_length=.25",
            "color": GREY,
            "alpha": float(0.15 + 0.85 * weight),
            "linewidth": float(0.3 + 2.2 * weight),
            "shrinkA": 4,
            "shrinkB": 6,
            "connectionstyle": "arc3,rad=0.12",
        }
        places = {"xy": (x[target], y[target]), "xytext": (x[source], y[source])}
        axes.annotate("", **places, arrowprops=arrow, zorder=1)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.argsort().argsort() / max(1, len(values) - 1)


@house_style
def latent_space(latent: NDArray[np.float32], windows: pd.DataFrame, model: str) -> Figure:
    """Draw where an autoencoder puts windows, by scenario, benign and attack.

    Args:
        latent: float32 `[num_windows, width]`, of each window the mean over its nodes.
        windows: columns scenario and label, in the same order.
        model: whose latent it is.

    Returns:
        Benign windows on the left, attacks on the right, on the same two principal components,
        with the share of the variance that each explains.

    Raises:
        DataError: a column is missing.
    """
    require_columns(windows, ("scenario", "label"), "Latent spaces")
    if len(windows) < 2:
        raise NothingToDrawError("A latent space of one window has no principal components.")
    components = PCA(n_components=2, svd_solver="full")
    place = components.fit_transform(np.asarray(latent, dtype=np.float64))
    share = components.explained_variance_ratio_
    scenarios = sorted(windows["scenario"].unique())
    figure = Figure(figsize=(9.6, 4.2))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, label, name in zip(panels, (0, 1), ("benign", "attack"), strict=True):
        for number, scenario in enumerate(scenarios):
            chosen = ((windows["label"] == label) & (windows["scenario"] == scenario)).to_numpy()
            axes.scatter(
                place[chosen, 0],
                place[chosen, 1],
                s=9,
                linewidth=0,
                alpha=0.55,
                color=SCENARIO_COLOURS[number % len(SCENARIO_COLOURS)],
                label=in_words(scenario),
                rasterized=True,
            )
        axes.set_title(f"{name} windows ({(windows['label'] == label).sum():,})")
        axes.set_xlabel(f"first component ({share[0]:.0%} of the variance)")
    panels[0].set_ylabel(f"second component ({share[1]:.0%})")
    handles, names = panels[0].get_legend_handles_labels()
    title = f"latent space of the {in_words(model)}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=9.5, fontweight="bold")
    legend = figure.legend(handles, names, loc="outside lower center", ncols=3, markerscale=2)
    for handle in legend.legend_handles:
        handle.set_alpha(1.0)
    return figure
