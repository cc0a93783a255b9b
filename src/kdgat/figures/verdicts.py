"""Verdicts in so many words."""

import pandas as pd

from kdgat.figures.scorecard import figure_text
from kdgat.figures.style import in_words
from kdgat.metrics import by_condition
from kdgat.metrics.verdicts import BASELINES, DETECTORS, LEVEL, LOSES, UNCLEAR, WAYS_TO_JOIN, WINS

SIDES = {
    BASELINES: ("kdgat", "a baseline"),
    DETECTORS: ("the agent's fusion", "a detector alone"),
    WAYS_TO_JOIN: ("the agent's fusion", "another way"),
}
HEADINGS = {
    BASELINES: "Against the best baseline of each scenario, chosen on test",
    DETECTORS: "The agent against the better of its detectors alone",
    WAYS_TO_JOIN: "The agent against other ways to join its detectors",
}
DOUBTS = {
    LEVEL: ", by no more than the interval",
    UNCLEAR: ", on too few attacks for an interval",
}


def verdict_sentences(verdicts: pd.DataFrame) -> list[str]:
    """Say of every contest who wins, in the order of the table.

    Args:
        verdicts: metrics.VERDICT_COLUMNS.
    """
    sentences = []
    for row in by_condition(verdicts).itertuples():
        rival = f"{in_words(row.rival)} has F1 {figure_text(row.rival_f1)}"
        ours = f"{in_words(row.model)} {figure_text(row.f1)}, margin {margin_text(row)}"
        sentences.append(f"{in_words(row.scenario)}: {who_wins(row)}: {rival}, {ours}")
    return sentences


def who_wins(row: tuple) -> str:
    """Say whose F1 is higher, and whether the interval of the margin bears it out."""
    if row.margin == 0:
        return "a tie"
    us, them = SIDES[row.contest]
    return f"{us if row.margin > 0 else them} wins{DOUBTS.get(row.verdict, '')}"


def summary_sentences(verdicts: pd.DataFrame) -> list[str]:
    """Sum up the margin over the best baseline of each scenario, a line per model and protocol.

    Args:
        verdicts: metrics.VERDICT_COLUMNS.
    """
    lines = []
    contest = verdicts[verdicts["contest"] == BASELINES]
    for (model, protocol), rows in contest.groupby(["model", "protocol"], sort=False):
        worst = rows.loc[rows["margin"].idxmin()]
        won, lost = ((rows["margin"] * sign > 0).sum() for sign in (1, -1))
        surely = {name: (rows["verdict"] == name).sum() for name in (WINS, LOSES)}
        where = f"{in_words(worst.scenario)}, {in_words(worst.rival)}"
        lines.append(
            f"{in_words(model)}, {in_words(protocol)}: margin in F1 over the best baseline of each "
            f"scenario {rows['margin'].mean():+.3f} in the mean, {worst.margin:+.3f} at worst "
            f"({where}); of {len(rows)} scenarios kdgat wins {won}, {surely[WINS]} by more than "
            f"the interval, a baseline wins {lost}, {surely[LOSES]} by more than the interval"
        )
    return lines


def verdict_section(verdicts: pd.DataFrame) -> str:
    """Write summary and verdicts as Markdown lists.

    Args:
        verdicts: metrics.VERDICT_COLUMNS.
    """
    sentences = pd.Series(verdict_sentences(verdicts), index=verdicts.index, dtype=str)
    parts = []
    for contest, heading in HEADINGS.items():
        summary = summary_sentences(verdicts) if contest == BASELINES else []
        lines = [*summary, *sentences[verdicts["contest"] == contest]]
        if lines:
            parts.append(f"{heading}:\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts) + "\n"


def margin_text(row: tuple) -> str:
    """Write a margin with its interval: `-.003 (-.006 to +.001)`, without it if undefined."""
    texts = [f"{value:+.3f}" for value in (row.margin, row.margin_low, row.margin_high)]
    return f"{texts[0]} ({texts[1]} to {texts[2]})" if not pd.isna(row.margin_low) else texts[0]
