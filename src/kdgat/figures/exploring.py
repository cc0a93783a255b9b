"""Scores over time of every test capture, to zoom into in a browser."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from kdgat.figures.style import (
    ATTACK,
    BENIGN,
    GREY,
    GRID,
    INK,
    in_words,
    require_columns,
    score_name,
)

COLUMNS = ("scenario", "capture", "model", "start", "start_time", "end_time", "label", "score")
VERDICTS = ("quiet", "false alarm", "missed attack", "alarm", "no label")
"""By 2 · label + alarm; the last where a window has no label."""
FALSE_ALARM = "#CC79A7"
COLOURS = (BENIGN, FALSE_ALARM, ATTACK, ATTACK, GREY)
"""Seen on white and, as kedro viz shows it, on black."""
SYMBOLS = ("circle", "x", "circle-open", "circle", "circle")
SIZES = (4, 8, 9, 5, 4)
SIGNS = (
    "● alarm, ○ missed attack, ✕ false alarm, grey: no label; shaded: episodes; dashed: threshold"
)
HOVER = (
    "%{customdata[0]}, window from frame %{customdata[1]:,}<br>%{x:.3f} s, score %{y:.2f}"
    "<extra></extra>"
)


def scores_to_explore(
    window_scores: pd.DataFrame,
    thresholds: Mapping[str, float],
    episodes: pd.DataFrame,
    begins: Mapping[str, float],
) -> go.Figure:
    """Draw one model's scores over the time of each capture; a menu picks the capture.

    Args:
        window_scores: COLUMNS, times in s; label NaN where an ID is silent and just after; one
            model.
        thresholds: capture -> its windows at or above it alarm; in the scores' unit.
        episodes: columns capture, start and end (s, on the windows' clock; NaN where unknown).
        begins: capture -> its first second, where the axis has its zero.

    Returns:
        Shaded: episodes. Vermilion: alarms, hollow where an attack is missed; crosses: false
        alarms; sky blue: quiet; grey: without a label. The first capture that holds attacks is
        shown first.

    Raises:
        DataError: a column is missing, or there is no row.
    """
    require_columns(window_scores, COLUMNS, "Scores to explore")
    captures = [
        (name, windows.sort_values("start_time", ignore_index=True))
        for name, windows in window_scores.groupby("capture", observed=True, sort=True)
    ]
    first = next((i for i, (_, windows) in enumerate(captures) if (windows["label"] == 1).any()), 0)
    shades = [
        [_line(thresholds[name]), *_shades(episodes[episodes["capture"] == name], begins[name])]
        for name, _ in captures
    ]
    model = window_scores["model"].iloc[0]
    figure = go.Figure(
        [_trace(name, windows, thresholds[name], begins[name]) for name, windows in captures]
    )
    for number, trace in enumerate(figure.data):
        trace.visible = number == first
    buttons = [
        {
            "label": name,
            "method": "update",
            "args": [
                {"visible": [other == number for other in range(len(captures))]},
                {"shapes": shades[number], "xaxis.autorange": True, "yaxis.autorange": True},
            ],
        }
        for number, (name, _) in enumerate(captures)
    ]
    menu = {"buttons": buttons, "active": first, "x": 0, "xanchor": "left", "y": 1.02}
    figure.update_layout(
        template="simple_white",
        xaxis={"title": f"time since the capture began [s]<br>{SIGNS}"},
        yaxis={
            "title": f"{score_name(model)} of the {in_words(model)}",
            "showgrid": True,
            "gridcolor": GRID,
        },
        shapes=shades[first],
        updatemenus=[{**menu, "yanchor": "bottom"}],
        font={"color": INK, "size": 13},
        margin={"t": 60, "r": 20},
    )
    return figure


def _trace(name: str, windows: pd.DataFrame, threshold: float, begin: float) -> go.Scatter:
    verdict = _verdicts(windows, threshold)
    return go.Scatter(
        name=name,
        x=(windows["start_time"] - begin).round(3),
        y=windows["score"].astype(np.float64).round(3),
        mode="lines+markers",
        line={"color": GREY, "width": 0.6},
        marker={
            "color": np.take(COLOURS, verdict),
            "symbol": np.take(SYMBOLS, verdict),
            "size": np.take(SIZES, verdict),
        },
        customdata=list(zip(np.take(VERDICTS, verdict), windows["start"], strict=True)),
        hovertemplate=HOVER,
        showlegend=False,
    )


def _verdicts(windows: pd.DataFrame, threshold: float) -> np.ndarray:
    alarm = windows["score"].to_numpy(np.float64) >= threshold
    verdict = 2 * windows["label"].to_numpy(np.float64) + alarm
    return np.nan_to_num(verdict, nan=VERDICTS.index("no label")).astype(np.int64)


def _line(threshold: float) -> dict:
    dashed = {"color": GREY, "dash": "dash", "width": 1.5}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": threshold, "y1": threshold} | {
        "line": dashed
    }


def _shades(episodes: pd.DataFrame, begin: float) -> list[dict]:
    """Shade every episode of a capture whose bounds are known."""
    return [
        {
            "type": "rect",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": round(float(start - begin), 3),
            "x1": round(float(end - begin), 3),
            "fillcolor": ATTACK,
            "opacity": 0.18,
            "line": {"width": 0},
            "layer": "below",
        }
        for start, end in episodes[["start", "end"]].dropna().to_numpy()
    ]
