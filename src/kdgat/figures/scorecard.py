"""The scorecard as bars to explore and as a table for the terminal."""

import math

import pandas as pd
import plotly.graph_objects as go
from rich.box import SIMPLE_HEAD
from rich.table import Table

from kdgat.figures.style import GRID, INK, in_words, model_styles, require_columns
from kdgat.markdown import table
from kdgat.metrics import by_condition

HOVER = (
    "<b>%{customdata[0]}</b><br>%{x}<br>F1 %{y:.4f} (%{customdata[1]:.4f} to %{customdata[2]:.4f})"
    "<br>precision %{customdata[3]:.4f}, recall %{customdata[4]:.4f}"
    "<br>false-positive rate %{customdata[5]:.4f}, AUROC %{customdata[6]:.4f}"
    "<br>%{customdata[7]} windows, %{customdata[8]} attack, %{customdata[9]} captures"
    "<extra></extra>"
)
HOVER_COLUMNS = (
    "f1_low",
    "f1_high",
    "precision",
    "recall",
    "false_positive_rate",
    "auroc",
    "n",
    "n_attack",
    "n_captures",
)
TERMINAL_COLUMNS = {
    "F1": 5,
    "interval": 10,
    "precision": 9,
    "recall": 6,
    "FPR": 6,
    "AUROC": 5,
    "n": 5,
}
UNDEFINED = "–"


def scorecard_bars(scorecard: pd.DataFrame) -> go.Figure:
    """Draw F1 of every model in every scenario with its interval, to be explored in a browser.

    Args:
        scorecard: metrics.SCORECARD_COLUMNS, one row per model and scenario.

    Returns:
        One group of bars per scenario, one bar per model; no bar where F1 is undefined.

    Raises:
        DataError: a column is missing, or there is no row.
    """
    require_columns(
        scorecard, ("model", "scenario", "protocol", "f1", *HOVER_COLUMNS), "Scorecards"
    )
    scorecard = by_condition(scorecard)
    figure = go.Figure()
    for model, style in model_styles(list(pd.unique(scorecard["model"]))).items():
        rows = scorecard[scorecard["model"] == model]
        hover = rows[list(HOVER_COLUMNS)].astype(float)
        figure.add_bar(
            name=in_words(model),
            x=[two_lines(scenario) for scenario in rows["scenario"]],
            y=rows["f1"],
            error_y={
                "array": rows["f1_high"] - rows["f1"],
                "arrayminus": rows["f1"] - rows["f1_low"],
                "thickness": 1.2,
                "width": 3,
                "color": INK,
            },
            marker={"color": style.colour, "pattern": {"shape": style.hatch, "size": 5}},
            customdata=[(in_words(model), *values) for values in hover.itertuples(index=False)],
            hovertemplate=HOVER,
        )
    figure.update_layout(
        template="simple_white",
        barmode="group",
        title="F1 at the stored threshold, with its interval over captures and episodes",
        xaxis_title="test scenario",
        yaxis={"title": "F1 of windows", "range": [0, 1.03], "showgrid": True, "gridcolor": GRID},
        legend={"orientation": "h", "y": -0.3},
        font={"color": INK, "size": 13},
        margin={"t": 60, "r": 20},
    )
    return figure


def two_lines(scenario: str) -> str:
    """Break a scenario's name after its number: `test 01<br>known vehicle known attack`."""
    words = in_words(scenario).split(" ")
    return "<br>".join(filter(None, (" ".join(words[:2]), " ".join(words[2:]))))


def scorecard_table(scorecard: pd.DataFrame) -> Table:
    """Lay the scorecard out for a terminal of 80 columns: a part per scenario, a row per model.

    Args:
        scorecard: metrics.SCORECARD_COLUMNS, one row per model and scenario.

    Returns:
        A Rich table; the best F1 of a scenario is bold, a dash stands where a figure is undefined.

    Raises:
        DataError: a column is missing, or there is no row.
    """
    require_columns(
        scorecard, ("model", "scenario", "protocol", "f1", *HOVER_COLUMNS), "Scorecards"
    )
    scorecard = by_condition(scorecard)
    longest = max(len(model) for model in scorecard["model"])
    table = Table.grid()
    for scenario, rows in scorecard.groupby("scenario", observed=True, sort=True):
        table.add_row(scenario_table(scenario, rows, longest))
        table.add_row()
    return table


def scenario_table(scenario: str, rows: pd.DataFrame, longest: int) -> Table:
    """Lay out the rows of one scenario, the model's column as wide as the longest name."""
    table = Table(
        title=in_words(scenario),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("model", min_width=longest, no_wrap=True)
    for name, width in TERMINAL_COLUMNS.items():
        table.add_column(name, justify="right", min_width=width, no_wrap=True)
    for row in rows.itertuples():
        f1 = figure_text(row.f1)
        table.add_row(
            in_words(row.model),
            f"[bold]{f1}[/]" if row.f1 == rows["f1"].max() else f1,
            interval_text(row.f1_low, row.f1_high),
            figure_text(row.precision),
            figure_text(row.recall),
            figure_text(row.false_positive_rate, decimals=4),
            figure_text(row.auroc),
            f"{row.n:,}",
        )
    return table


def scorecard_page(scorecard: pd.DataFrame, heading: str, remarks: str) -> str:
    """Write the scorecard as a section of a Markdown page.

    Args:
        scorecard: metrics.SCORECARD_COLUMNS, one row per model and scenario.
        heading: of the section.
        remarks: what the figures rest on: data, seed, protocol, thresholds.

    Returns:
        Markdown; the best F1 of a scenario is bold, a dash stands where a figure is undefined.

    Raises:
        DataError: a column is missing, or there is no row.
    """
    require_columns(
        scorecard, ("model", "scenario", "protocol", "f1", *HOVER_COLUMNS), "Scorecards"
    )
    names = ["scenario", "model", *TERMINAL_COLUMNS, "attacks", "captures"]
    lines = []
    for scenario, rows in by_condition(scorecard).groupby("scenario", observed=True, sort=True):
        for row in rows.itertuples():
            f1 = figure_text(row.f1)
            cells = [
                in_words(scenario),
                in_words(row.model),
                f"**{f1}**" if row.f1 == rows["f1"].max() else f1,
                interval_text(row.f1_low, row.f1_high),
                figure_text(row.precision),
                figure_text(row.recall),
                figure_text(row.false_positive_rate, decimals=4),
                figure_text(row.auroc),
                f"{row.n:,}",
                f"{row.n_attack:,}",
                row.n_captures,
            ]
            lines.append(cells)
    return f"## {heading}\n\n{remarks}\n\n{table(names, lines)}\n"


def alarm_table(alarm_scorecard: pd.DataFrame) -> str:
    """Write episodes and false alarms as a Markdown table.

    Args:
        alarm_scorecard: metrics.ALARM_COLUMNS, one row per model, protocol and scenario.
    """
    names = [
        "scenario",
        "model",
        "episodes found",
        "interval",
        "s to first alarm",
        "of it computation, ms",
        "false alarms an hour",
        "interval",
        "benign hours",
        "recall of episodes at 1 and 10 an hour",
    ]
    lines = []
    for row in by_condition(alarm_scorecard).sort_values("scenario", kind="stable").itertuples():
        low, high = row.false_alarms_per_hour_low, row.false_alarms_per_hour_high
        at_one, at_ten = row.episode_recall_at_1_per_hour, row.episode_recall_at_10_per_hour
        cells = [
            in_words(row.scenario),
            in_words(row.model),
            f"{row.episodes_found} of {row.episodes}",
            interval_text(row.episode_recall_low, row.episode_recall_high),
            figure_text(row.seconds_to_alarm),
            f"{1000 * row.computation_seconds:.1f}",
            UNDEFINED if math.isnan(low) else f"{row.false_alarms_per_hour:,.0f}",
            UNDEFINED if math.isnan(low) else f"{low:,.0f}–{high:,.0f}",
            figure_text(row.benign_hours),
            f"{figure_text(at_one)}, {figure_text(at_ten)}",
        ]
        lines.append(cells)
    return table(names, lines) + "\n"


def offender_table(offender_scorecard: pd.DataFrame) -> str:
    """Write how often the IDs named are those under attack as a Markdown table.

    Args:
        offender_scorecard: metrics.OFFENDER_COLUMNS, one row per model, protocol and scenario.
    """
    names = ["scenario", "model", "alarmed attack windows", "hit@1", "chance", "hit@3", "chance"]
    lines = []
    for row in by_condition(offender_scorecard).sort_values("scenario", kind="stable").itertuples():
        cells = [
            in_words(row.scenario),
            in_words(row.model),
            f"{row.n_alarmed:,}",
            *map(figure_text, (row.hit_at_1, row.chance_at_1, row.hit_at_3, row.chance_at_3)),
        ]
        lines.append(cells)
    return table(names, lines) + "\n"


def figure_text(value: float, decimals: int = 3) -> str:
    """Write a rate without a leading zero (`.998`, `1.000`), a dash for NaN.

    False-positive rates need the fourth decimal: .0004 is some 30 false alarms an hour.
    """
    return UNDEFINED if math.isnan(value) else f"{value:.{decimals}f}".removeprefix("0")


def interval_text(low: float, high: float) -> str:
    """Write an interval (`.991–1.000`), a dash where it is undefined."""
    return UNDEFINED if math.isnan(low) else f"{figure_text(low)}–{figure_text(high)}"
