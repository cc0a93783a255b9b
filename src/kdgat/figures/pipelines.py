"""Which pipeline hands what to which, as one picture: stages on the diagonal."""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kdgat.figures.style import GREY, GRID, INK, KIND_COLOURS, house_style

WIDTH, LINE, MARGIN = 1.6, 0.135, 0.3  # inches: of a column, of a line of text, around a row's text
READ_BY_NONE = "left for people"


class Stage(NamedTuple):
    """A pipeline seen from outside.

    Attributes:
        name: of the pipeline.
        reads: datasets it takes from elsewhere, without parameters.
        makes: datasets that it leaves, or that another reads.
    """

    name: str
    reads: frozenset[str]
    makes: frozenset[str]


def hand_overs(stages: list[Stage]) -> dict[tuple[int, int], list[str]]:
    """Find which stage hands what to which.

    Args:
        stages: in the order in which they run.

    Returns:
        (maker, reader) -> datasets, by position; reader `len(stages)` holds what no stage reads.
    """
    given = {
        (i, j): sorted(maker.makes & reader.reads)
        for i, maker in enumerate(stages)
        for j, reader in enumerate(stages)
    }
    read = frozenset().union(*(stage.reads for stage in stages))
    given |= {(i, len(stages)): sorted(stage.makes - read) for i, stage in enumerate(stages)}
    return {pair: names for pair, names in given.items() if names}


@house_style
def pipeline_map(stages: list[Stage]) -> Figure:
    """Draw stages on the diagonal; right of a stage what it makes, above a stage what it reads.

    Args:
        stages: in the order in which they run.

    Returns:
        In the last column stands what no stage reads: tables and pictures.
    """
    given = hand_overs(stages)
    heights = [
        MARGIN + LINE * max([2, *(len(names) for (i, _), names in given.items() if i == row)])
        for row in range(len(stages))
    ]
    tops = [sum(heights[:row]) for row in range(len(stages) + 1)]
    middles = [top + height / 2 for top, height in zip(tops, heights, strict=False)]
    size = (WIDTH * (len(stages) + 1), tops[-1] + MARGIN)
    figure = Figure(figsize=size, layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, size[0]), ylim=(tops[-1], -MARGIN))
    axes.set_axis_off()
    for (i, j), names in given.items():
        _draw_hand_over(axes, middles, i, j, names)
    for row, stage in enumerate(stages):
        _draw_text(axes, row, middles[row], stage.name.replace("_", " "), is_stage=True)
    axes.text(WIDTH * (len(stages) + 0.5), -MARGIN / 2, READ_BY_NONE, ha="center", color=INK)
    return figure


def _draw_hand_over(axes: Axes, middles: list[float], i: int, j: int, names: list[str]) -> None:
    y, x = middles[i], WIDTH * (j + 0.5)
    axes.plot([WIDTH * (i + 0.5), x], [y, y], color=GRID, linewidth=1.5, zorder=1)
    if j < len(middles):
        arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 0.8, "shrinkB": 13}
        axes.annotate("", xy=(x, middles[j]), xytext=(x, y), arrowprops=arrow, zorder=1)
    _draw_text(axes, j, y, "\n".join(names))


def _draw_text(axes: Axes, column: int, y: float, text: str, is_stage: bool = False) -> None:
    box = {
        "boxstyle": "round,pad=0.35" if is_stage else "square,pad=0.25",
        "facecolor": KIND_COLOURS["classifier"] if is_stage else "white",
        "edgecolor": "none" if is_stage else GRID,
        "linewidth": 0.6,
    }
    axes.text(
        WIDTH * (column + 0.5),
        y,
        text,
        ha="center",
        va="center",
        fontsize=9 if is_stage else 6.8,
        fontweight="bold" if is_stage else "normal",
        color="white" if is_stage else INK,
        linespacing=1.25,
        bbox=box,
        zorder=3 if is_stage else 2,
    )
