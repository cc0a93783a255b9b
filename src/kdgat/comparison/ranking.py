"""Ranks of many detectors over many blocks (Demšar 2006)."""

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from kdgat.comparison.results import LOWER_IS_BETTER

if TYPE_CHECKING:
    from autorank._util import RankResult

FEWEST_BLOCKS = 5
FEWEST_DETECTORS = 3
NAMED = 8
"""Detectors that the sentence names beside the best, at most."""

RANK_COLUMNS = ("detector", "mean_rank", "median", "blocks")


@dataclass(frozen=True)
class Ranking:
    """What can be said of the order of detectors.

    Args:
        ranks: RANK_COLUMNS, best first; empty where there is too little to rank.
        sentence: the outcome, or why there is none.
        outcome: autorank's result, for the critical-difference diagram; None without ranks.
    """

    ranks: pd.DataFrame
    sentence: str
    outcome: "RankResult | None"


def rank_detectors(results: pd.DataFrame, metric: str, *, confidence: float) -> Ranking:
    """Rank the detectors (model of a variant) by Friedman's test with Nemenyi's after it.

    A block is a dataset × scenario, its value the mean over seeds. Only blocks in which every
    detector has a value count.

    Args:
        results: RESULT_COLUMNS.
        metric: what the values are; decides which end is the best.
        confidence: 1 - the family-wise significance level.

    Returns:
        The ranking.
    """
    from autorank import autorank  # two seconds, which every `kedro run` would wait

    blocks = blocks_of(results)
    if len(blocks) < FEWEST_BLOCKS or blocks.shape[1] < FEWEST_DETECTORS:
        return Ranking(
            pd.DataFrame(columns=list(RANK_COLUMNS)),
            f"No ranking: {len(blocks)} blocks (dataset × scenario) and {blocks.shape[1]} "
            f"detectors; ranks need at least {FEWEST_BLOCKS} and {FEWEST_DETECTORS}.",
            None,
        )
    if blocks.nunique(axis="columns").eq(1).all():
        return Ranking(
            pd.DataFrame(columns=list(RANK_COLUMNS)),
            f"No ranking: all detectors are equal in each of {len(blocks)} blocks "
            "(dataset × scenario).",
            None,
        )
    order = "ascending" if metric in LOWER_IS_BETTER else "descending"
    with contextlib.redirect_stdout(io.StringIO()):  # it prints which test it was told to take
        outcome = autorank(blocks, alpha=1 - confidence, order=order, force_mode="nonparametric")
    ranked = outcome.rankdf.sort_values("meanrank")
    ranks = pd.DataFrame(
        {
            "detector": ranked.index,
            "mean_rank": ranked["meanrank"].to_numpy(),
            "median": ranked["median"].to_numpy(),
            "blocks": len(blocks),
        }
    )
    return Ranking(ranks, _sentence(outcome, ranks), outcome)


def blocks_of(results: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds: one row per dataset × scenario, one column per detector, no gaps.

    Of a model only the seeds count that all of its variants have in a block. A model that is the
    same in every variant is one detector and stands there without a variant.
    """
    block = ["dataset", "scenario"]
    seeds = results.pivot(index=[*block, "model", "seed"], columns="variant", values="value")
    there = seeds.notna()
    wanted = there.groupby([*block, "model"]).transform("any")
    seeds = seeds[(there | ~wanted).all(axis="columns")]
    equal = seeds.nunique(axis="columns").eq(1) & seeds.notna().all(axis="columns")
    equal = equal.groupby("model").all()
    common = seeds.melt(ignore_index=False).dropna().reset_index()
    varies = ~common["model"].map(equal)
    detector = common["model"].where(~varies, common["model"] + " (" + common["variant"] + ")")
    table = common.assign(detector=detector).pivot_table(
        index=block, columns="detector", values="value", aggfunc="mean"
    )
    return table.dropna()


def _sentence(outcome: "RankResult", ranks: pd.DataFrame) -> str:
    best = ranks.iloc[0]
    says = (
        f"Friedman's test over {best['blocks']} blocks gives p = {outcome.pvalue:.3g}: "
        f"the detectors {'differ' if outcome.pvalue < outcome.alpha else 'cannot be told apart'}."
    )
    if outcome.pvalue >= outcome.alpha:
        return says
    within = ranks["mean_rank"] <= best["mean_rank"] + outcome.cd
    first, *others = ranks.loc[within, "detector"].str.replace("_", " ")
    if len(others) > NAMED:
        others = [*others[:NAMED], f"and {len(others) - NAMED} more"]
    return (
        f"{says} Ranks closer than {outcome.cd:.2f} (Nemenyi's critical difference) are not told "
        f"apart; with the best, {first}, these are: {', '.join(others) or 'none'}."
    )
