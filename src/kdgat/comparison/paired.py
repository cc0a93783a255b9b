"""Two variants, seed by seed."""

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from kdgat.comparison.results import smallest_p

FLIPS = 100_000  # more sign patterns than these are sampled: up to 16 pairs the test is exact
ALL_SCENARIOS = "all_scenarios"
PAIRED_COLUMNS = (
    "dataset",
    "scenario",
    "model",
    "variant_a",
    "variant_b",
    "n",
    "mean_difference",
    "low",
    "high",
    "p_sign_flip",
    "p_adjusted",
    "p_smallest",
    "p_a_greater",
    "seeds_a_greater",
    "seeds_b_greater",
)


def paired_differences(
    results: pd.DataFrame,
    *,
    over_scenarios: bool = False,
    reference: str = "",
    bootstrap: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Compare variants over the seeds that both have.

    Args:
        results: RESULT_COLUMNS.
        over_scenarios: compare the mean of each seed over the scenarios in which both have it,
            under the name ALL_SCENARIOS.
        reference: variant that each other one is compared with; empty compares every two.
        bootstrap: bootstrap samples behind an interval.
        confidence: level of the intervals, between 0 and 1.
        seed: of bootstrap and sampled sign flips.

    Returns:
        PAIRED_COLUMNS, one row per dataset, scenario, model and two variants: the mean of a - b
        with its interval; p of the sign-flip test, plain and adjusted for the number of rows of
        the same two variants in which any of several seeds differs (Benjamini and Hochberg); the
        smallest p that n pairs can give; P(A > B) over all pairs of seeds, ties half (Mann and
        Whitney's U over n²); the number of seeds in which a is greater, and in which b is. n is 1
        for what `seedless_models` names.
    """
    variants = [str(name) for name in pd.unique(results["variant"])]
    pairs = list(combinations(variants, 2))
    if reference:
        pairs = [(reference, name) for name in variants if name != reference]
    rows = []
    cells = results.assign(cell=results["scenario"])
    if over_scenarios:
        cells["scenario"] = ALL_SCENARIOS
    measured_once = seedless_models(results)
    for names, group in cells.groupby(["dataset", "scenario", "model"], sort=False):
        values = group.pivot(index=["seed", "cell"], columns="variant", values="value")
        for a, b in pairs:
            if a not in values or b not in values:
                continue
            both = values[[a, b]].dropna().groupby("seed").mean()
            if (names[0], names[2]) in measured_once:
                both = both.iloc[:1]
            if len(both):
                pair = compare_pairs(
                    both[a].to_numpy(), both[b].to_numpy(), bootstrap, confidence, seed
                )
                rows.append((*names, a, b, *pair))
    columns = [name for name in PAIRED_COLUMNS if name != "p_adjusted"]
    table = pd.DataFrame(rows, columns=columns)
    differs = table["seeds_a_greater"] + table["seeds_b_greater"] > 0
    differing = table[differs & (table["n"] > 1)]
    adjusted = differing.groupby(["variant_a", "variant_b"])["p_sign_flip"].transform(
        lambda p: stats.false_discovery_control(p.to_numpy())
    )
    table["p_adjusted"] = adjusted.reindex(table.index, fill_value=1.0)
    return table[list(PAIRED_COLUMNS)]


def seedless_models(results: pd.DataFrame) -> set[tuple[str, str]]:
    """Name the (dataset, model) that score the same with every seed, in every variant and scenario.

    They draw nothing, or one run serves all seeds: so many seeds are one measurement.
    """
    cell = ["dataset", "model", "variant", "scenario"]
    values = results.groupby(cell)["value"].nunique(dropna=False)
    most = values.groupby(["dataset", "model"]).max()
    return set(most.index[most == 1])


def untouched_models(paired: pd.DataFrame) -> list[str]:
    """List the models that are equal in all variants, every seed and scenario."""
    seeds = (paired["seeds_a_greater"] + paired["seeds_b_greater"]).groupby(
        paired["model"], sort=False
    )
    return [model for model, differing in seeds.sum().items() if differing == 0]


def compare_pairs(
    a: NDArray[np.float64], b: NDArray[np.float64], bootstrap: int, confidence: float, seed: int
) -> tuple[int, float, float, float, float, float, float, int, int]:
    """Compare the values of the same seeds in two variants.

    Args:
        a: values of one variant `[n]`.
        b: values of the other, same seeds `[n]`.
        bootstrap: number of bootstrap samples.
        confidence: level, between 0 and 1.
        seed: of the draws.

    Returns:
        n, mean difference, its interval's low and high (NaN with one pair), p of the sign-flip
        test, the smallest p possible, P(A > B), seeds in which a is greater, in which b is.
    """
    differences = a - b
    p, low, high = smallest_p(1), np.nan, np.nan  # what one pair can say
    if len(a) > 1:
        generator = np.random.default_rng(seed)
        p = stats.permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            vectorized=True,
            n_resamples=FLIPS,
            rng=generator,
        ).pvalue
        low, high = stats.bootstrap(
            (differences,),
            np.mean,
            vectorized=True,
            method="percentile",
            n_resamples=bootstrap,
            confidence_level=confidence,
            rng=generator,
        ).confidence_interval
    a_greater = stats.mannwhitneyu(a, b).statistic / len(a) ** 2
    wins = int((differences > 0).sum()), int((differences < 0).sum())
    mean = float(differences.mean())
    return (
        len(a),
        mean,
        float(low),
        float(high),
        float(p),
        smallest_p(len(a)),
        float(a_greater),
        *wins,
    )
