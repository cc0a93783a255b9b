"""Centre, spread and worst case of many seeds."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from kdgat.comparison.results import LOWER_IS_BETTER, in_all_variants

EVERYTHING = "all"
TRIM = 0.25  # of either end: what is left is the interquartile mean


def interquartile_mean(values: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """Average the middle half of the values (Agarwal et al. 2021)."""
    return stats.trim_mean(values, TRIM, axis=axis)


def summarise(
    results: pd.DataFrame, metric: str, *, bootstrap: int, confidence: float, seed: int
) -> pd.DataFrame:
    """Summarise the seeds of every dataset × scenario × model × variant, and of all scenarios.

    Args:
        results: RESULT_COLUMNS.
        metric: what the values are; decides which end is the worst.
        bootstrap: bootstrap samples behind an interval.
        confidence: level of the intervals, between 0 and 1.
        seed: of the bootstrap.

    Returns:
        One row per group, `scenario` and `dataset` being EVERYTHING where several are pooled (of
        each dataset and model those that all variants have):
        n (seeds; over several datasets their sum), median, iqm, mean, low and high (percentile
        bootstrap interval of the iqm), worst, worst_seed. An interval needs two seeds.
    """
    rows, shared = [], in_all_variants(results)
    for (model, variant), group in results.groupby(["model", "variant"], sort=False):
        parts = [((d, s), part) for (d, s), part in group.groupby(["dataset", "scenario"])]
        pooled = shared.query("model == @model and variant == @variant")
        parts += [((d, EVERYTHING), part) for d, part in pooled.groupby("dataset")]
        if pooled["dataset"].nunique() > 1:
            parts.append(((EVERYTHING, EVERYTHING), pooled))
        for (dataset, scenario), part in parts:
            names = {"dataset": dataset, "scenario": scenario, "model": model, "variant": variant}
            low, high = stratified_interval(part, bootstrap, confidence, seed)
            rows.append({**names, **_centre(part, metric), "low": low, "high": high})
    order = ["dataset", "scenario", "model", "variant"]
    table = pd.DataFrame(rows)
    for name in ("model", "variant"):  # in the order in which the results name them
        table[name] = pd.Categorical(table[name], pd.unique(results[name]))
    return table.sort_values(order, ignore_index=True).astype({"model": str, "variant": str})


def _centre(part: pd.DataFrame, metric: str) -> dict[str, float | int]:
    values = part["value"].to_numpy()
    worst = part["value"].idxmax() if metric in LOWER_IS_BETTER else part["value"].idxmin()
    return {
        "n": int(part.groupby("dataset")["seed"].nunique().sum()),
        "median": float(np.median(values)),
        "iqm": float(interquartile_mean(values)),
        "mean": float(values.mean()),
        "worst": float(part.loc[worst, "value"]),
        "worst_seed": int(part.loc[worst, "seed"]),
    }


def stratified_interval(
    part: pd.DataFrame, bootstrap: int, confidence: float, seed: int
) -> tuple[float, float]:
    """Give the bootstrap interval of the interquartile mean; datasets are the strata.

    A seed is drawn with all its scenarios: they share a model, and drawing them apart would make
    the interval too narrow.

    Args:
        part: rows of RESULT_COLUMNS with one model and variant.
        bootstrap: number of bootstrap samples.
        confidence: level, between 0 and 1.
        seed: of the draws.

    Returns:
        low and high; NaN where a dataset has fewer than two seeds or a seed lacks a scenario.
    """
    strata = [
        rows.pivot(index="seed", columns="scenario", values="value").to_numpy()
        for _, rows in part.groupby("dataset")
    ]
    if any(len(values) < 2 or np.isnan(values).any() for values in strata):
        return np.nan, np.nan

    def drawn_mean(*draws: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
        taken = [
            values[draw.astype(np.int64)].reshape(*draw.shape[:-1], -1)
            for values, draw in zip(strata, draws, strict=True)
        ]
        return interquartile_mean(np.concatenate(taken, axis=-1), axis=axis)

    seeds = tuple(np.arange(len(values)) for values in strata)
    interval = stats.bootstrap(
        seeds,
        drawn_mean,
        vectorized=True,
        method="percentile",
        n_resamples=bootstrap,
        confidence_level=confidence,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)
