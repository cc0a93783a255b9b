"""The comparison as a page: Markdown, and the same with its pictures as one HTML file."""

import base64
import io
from dataclasses import dataclass

import pandas as pd
from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from kdgat.comparison import untouched_models
from kdgat.comparison.results import LOWER_IS_BETTER, smallest_p
from kdgat.figures.scorecard import UNDEFINED, figure_text, interval_text
from kdgat.figures.style import in_words
from kdgat.markdown import table

OURS = ("teacher_", "student_")
"""How the names of kdgat's models begin: a verdict is about them, not about the baselines."""

STYLE = """
body {font: 15px/1.45 system-ui, sans-serif; color: #333; max-width: 1150px; margin: 2em auto;
      padding: 0 1em}
table {border-collapse: collapse; margin: 1em 0; font-size: 13px}
th, td {border-bottom: 1px solid #ddd; padding: 3px 9px; text-align: left}
th {border-bottom: 2px solid #888}
img {max-width: 100%}
"""


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Args:
        heading: without `#`.
        text: Markdown.
        figure: stands before the text in HTML; None for none.
    """

    heading: str
    text: str
    figure: Figure | None = None


def markdown_page(title: str, sections: list[Section]) -> str:
    """Write the sections as Markdown."""
    parts = [f"# {title}", *(f"## {part.heading}\n\n{part.text}" for part in sections)]
    return "\n\n".join(parts) + "\n"


def html_page(title: str, sections: list[Section]) -> str:
    """Write the sections as one HTML file that needs no other, pictures included."""
    render = MarkdownIt("commonmark").enable("table").render
    body = [render(f"# {title}")]
    for part in sections:
        body.append(render(f"## {part.heading}"))
        if part.figure is not None:
            body.append(f'<img alt="{part.heading}" src="{_as_uri(part.figure)}">')
        body.append(render(part.text))
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body>{''.join(body)}</body></html>"


def verdicts(
    paired: pd.DataFrame, overall: pd.DataFrame, metric: str, confidence: float
) -> list[str]:
    """Say in plain words what the paired differences allow to say.

    Args:
        paired: comparison.paired_differences.
        overall: the same over scenarios.
        metric: what was compared.
        confidence: a test tells where its p is below 1 less this.

    Returns:
        A sentence or two for every dataset and two variants.
    """
    significant = round(1.0 - confidence, 9)
    sentences = []
    for (dataset, a, b), rows in paired.groupby(["dataset", "variant_a", "variant_b"], sort=False):
        pairs = int(rows["n"].max())
        sentence = f"**{dataset}, {a} against {b}**: {pairs} seeds in common. "
        if smallest_p(pairs) > significant:
            sentence += (
                f"Too few to rank: a two-sided test of {pairs} pairs cannot go below "
                f"p = {figure_text(smallest_p(pairs), 4)}. "
            )
        else:
            told = rows[rows["p_adjusted"] < significant]
            sentence += (
                f"{len(told)} of {len(rows)} comparisons differ at "
                f"p < {f'{significant:g}'.removeprefix('0')}, adjusted. "
            )
        means = overall.query("dataset == @dataset and variant_a == @a and variant_b == @b")
        sentences.append(sentence + _largest(_own(rows), metric) + _means(_own(means)))
    return sentences


def _own(rows: pd.DataFrame) -> pd.DataFrame:
    ours = rows[rows["model"].str.startswith(OURS)]
    return rows if ours.empty else ours


def _means(rows: pd.DataFrame) -> str:
    """Give the difference over all scenarios, with its interval, of every model that differs."""
    told = [
        f"{in_words(row.model)} {row.mean_difference:+.3f}"
        + ("" if pd.isna(row.low) else f" ({row.low:+.3f} to {row.high:+.3f})")
        for row in rows.itertuples()
        if row.seeds_a_greater + row.seeds_b_greater
    ]
    return f" Mean over scenarios, a - b: {', '.join(told)}." if told else ""


def _largest(rows: pd.DataFrame, metric: str) -> str:
    row = rows.loc[rows["mean_difference"].abs().idxmax()]
    if not (rows["seeds_a_greater"] + rows["seeds_b_greater"]).any():
        return "No seed differs anywhere."
    if row["mean_difference"] == 0:
        return "Seeds differ, their means nowhere."
    gains = (row["mean_difference"] > 0) != (metric in LOWER_IS_BETTER)
    better = row["variant_a"] if gains else row["variant_b"]
    return (
        f"Largest mean difference in {in_words(metric)}: {in_words(row['model'])} on "
        f"{in_words(row['scenario'])}, {abs(row['mean_difference']):.3f} in favour of {better} "
        f"({_interval(row)}sign-flip p = {figure_text(row['p_sign_flip'], 4)}, "
        f"P({row['variant_a']} > {row['variant_b']}) = {figure_text(row['p_a_greater'], 2)})."
    )


def _interval(row: pd.Series) -> str:
    if pd.isna(row["low"]):
        return ""
    return f"interval of a - b {row['low']:+.3f} to {row['high']:+.3f}, "


def summary_table(summary: pd.DataFrame) -> str:
    """Lay out comparison.summarise as Markdown."""
    header = ["dataset", "scenario", "model", "variant", "n", "median", "IQM", "interval"]
    rows = [
        [
            row.dataset,
            in_words(row.scenario),
            in_words(row.model),
            row.variant,
            row.n,
            figure_text(row.median, 4),
            figure_text(row.iqm, 4),
            interval_text(row.low, row.high),
            figure_text(row.mean, 4),
            f"{figure_text(row.worst, 4)} (seed {row.worst_seed})",
        ]
        for row in summary.itertuples()
    ]
    return table([*header, "mean", "worst"], rows)


def paired_table(paired: pd.DataFrame) -> str:
    """Lay out comparison.paired_differences as Markdown, models without any difference by name."""
    if paired.empty:
        return "One variant, or no seed in common."
    untouched = untouched_models(paired)
    header = ["dataset", "scenario", "model", "a - b", "n", "mean difference", "interval"]
    rows = [
        [
            row.dataset,
            in_words(row.scenario),
            in_words(row.model),
            f"{row.variant_a} - {row.variant_b}",
            row.n,
            f"{row.mean_difference:+.4f}",
            UNDEFINED if pd.isna(row.low) else f"{row.low:+.4f} to {row.high:+.4f}",
            figure_text(row.p_sign_flip, 4),
            figure_text(row.p_adjusted, 4),
            figure_text(row.p_a_greater, 2),
            f"{row.seeds_a_greater} of {row.n}",
        ]
        for row in paired[~paired["model"].isin(untouched)].itertuples()
    ]
    equal = ", ".join(map(in_words, untouched)) or "none"
    return f"Equal in all seeds and scenarios: {equal}. p: sign-flip test over seeds.\n\n" + table(
        [*header, "p", "p adjusted", "P(a > b)", "seeds a > b"], rows
    )


def rank_table(ranks: pd.DataFrame) -> str:
    """Lay out comparison.Ranking.ranks as Markdown."""
    rows = [
        [in_words(row.detector), f"{row.mean_rank:.2f}", figure_text(row.median, 4)]
        for row in ranks.itertuples()
    ]
    return table(["detector", "mean rank", "median"], rows) if rows else ""


def profile_text(metric: str) -> str:
    """Say how to read performance profiles."""
    better = "lower" if metric in LOWER_IS_BETTER else "higher"
    return (
        "Share of all runs and scenarios in which a detector exceeds a value: a line that lies "
        f"{better} is better throughout, lines that cross show where it depends."
    )


def gaps_text(runs: pd.DataFrame) -> str:
    """List every cell that is not done, with the reason."""
    gaps = runs[runs["state"] != "done"]
    if gaps.empty:
        return f"None: all {len(runs)} cells are done."
    rows = [[f"`{row.cell}`", row.state, row.reason or UNDEFINED] for row in gaps.itertuples()]
    return f"{len(gaps)} of {len(runs)} cells:\n\n" + table(["cell", "state", "reason"], rows)


def cost_table(runs: pd.DataFrame) -> str:
    """Lay out what the runs took; cells that share a run count once."""
    done = runs[runs["state"] == "done"].drop_duplicates("version")
    rows = [
        [pipeline, dataset, len(part), f"{part['seconds'].median():.0f}", _hours(part["seconds"])]
        for (pipeline, dataset), part in done.groupby(["pipeline", "dataset"], sort=False)
    ]
    rows.append(["all", "", len(done), "", _hours(done["seconds"])])
    return table(["pipeline", "dataset", "runs", "median, s", "total, h"], rows)


def _hours(seconds: pd.Series) -> str:
    return f"{seconds.sum() / 3600:.3f}"


def _as_uri(figure: Figure) -> str:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110, bbox_inches="tight")
    return f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
