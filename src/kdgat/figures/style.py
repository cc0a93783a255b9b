"""The house style: colours that colour-blind readers can tell apart, sizes, names in words.

The palette is Okabe and Ito's (2008). Vermilion is kept for attacks, sky blue for benign windows;
a model's colour says what it is, its line or hatch whether it is teacher or student.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import NamedTuple, ParamSpec

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from kdgat.errors import DataError

Arguments = ParamSpec("Arguments")

ATTACK = "#D55E00"
ATTACK_LIGHT = "#F9DCC9"
BENIGN = "#56B4E9"
INK = "#333333"
GREY = "#8C8C8C"
GRID = "#E6E6E6"
ACRONYMS = {"auroc": "AUROC", "f1": "F1", "gat": "GAT", "ids": "IDs", "kl": "KL", "vgae": "VGAE"}
SCORE_NAMES = {
    "autoencoder": "anomaly score",
    "classifier": "attack logit",
    "fusion": "fused logit",
}
KIND_COLOURS = {"autoencoder": "#E69F00", "classifier": "#0072B2", "fusion": "#009E73"}
OTHER_COLOURS = ("#666666", "#B0A8A0", "#CC79A7", "#56B4E9", "#000000", "#8B6F47")
LINES = {"teacher": "solid", "student": "dashed", "": "dotted"}
HATCHES = {"teacher": "", "student": "/", "": "."}

STYLE = {
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.5,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


class ModelStyle(NamedTuple):
    """How one model looks in every picture."""

    colour: str
    line: str
    hatch: str


class NothingToDrawError(DataError):
    """There is nothing to draw: the picture is a sentence that says so."""


def house_style(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Let a function draw in the house style, without touching matplotlib's global state.

    Where there is nothing to draw, as of test windows that all lie in silences, the picture says
    so: results that are done wait for none of it.
    """

    @wraps(draw)
    def styled(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        with matplotlib.rc_context(STYLE):
            try:
                return draw(*args, **kwargs)
            except NothingToDrawError as nothing:
                return _sentence(str(nothing))

    return styled


def _sentence(text: str) -> Figure:
    figure = Figure(figsize=(5.4, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    return figure


def in_words(name: str) -> str:
    """Write a name of the code as people read it: `student_fusion` -> `student fusion`."""
    return " ".join(ACRONYMS.get(word, word) for word in name.split("_"))


def model_styles(models: Sequence[str]) -> dict[str, ModelStyle]:
    """Give every model its style: colour by kind, line and hatch by teacher or student.

    Args:
        models: names such as `teacher_classifier`, `student_fusion`, `bag-of-IDs forest`.

    Returns:
        ModelStyle per model; kinds other than KIND_COLOURS share OTHER_COLOURS in turn.
    """
    sizes_and_kinds = {model: size_and_kind(model) for model in models}
    kinds = dict.fromkeys(kind for _, kind in sizes_and_kinds.values())
    others = [kind for kind in kinds if kind not in KIND_COLOURS]
    colours = KIND_COLOURS | {
        kind: OTHER_COLOURS[position % len(OTHER_COLOURS)] for position, kind in enumerate(others)
    }
    return {
        model: ModelStyle(colours[kind], LINES[size], HATCHES[size])
        for model, (size, kind) in sizes_and_kinds.items()
    }


def size_and_kind(model: str) -> tuple[str, str]:
    """Split `student_classifier` into size and kind; a baseline's size is an empty string."""
    first, _, rest = model.partition("_")
    return (first, rest) if first in ("teacher", "student") else ("", model)


def score_name(model: str) -> str:
    """Say what a model's score is: `anomaly score`, `attack logit`, or just `score`."""
    return SCORE_NAMES.get(size_and_kind(model)[1], "score")


def require_columns(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Refuse a table that lacks a column or has no rows.

    Args:
        table: what is to be drawn.
        columns: what drawing it needs.
        what: name of the table in the error.

    Raises:
        DataError: a column is missing.
        NothingToDrawError: there is no row.
    """
    missing = [name for name in columns if name not in table]
    if missing:
        raise DataError(f"{what} lack the columns {missing}: needed are {list(columns)}.")
    if table.empty:
        raise NothingToDrawError(f"{what} hold no row: there is nothing to draw.")
