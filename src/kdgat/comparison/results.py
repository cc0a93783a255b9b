"""The table that every comparison reads."""

import pandas as pd

from kdgat.errors import DataError

RESULT_COLUMNS = ("dataset", "scenario", "model", "variant", "seed", "value")
LOWER_IS_BETTER = ("false_positive_rate",)


def results_of(scorecards: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Take one metric out of the scorecards of many runs.

    Args:
        scorecards: metrics.SCORECARD_COLUMNS with dataset, variant and seed of the run.
        metric: one of the scorecard's columns.

    Returns:
        RESULT_COLUMNS; a row is left out where the metric is undefined (no attack to find).

    Raises:
        DataError: A column is missing, or a seed comes twice.
    """
    needed = [name for name in RESULT_COLUMNS if name != "value"]
    missing = [name for name in (*needed, metric) if name not in scorecards]
    if missing:
        raise DataError(f"the scorecards lack the columns {missing}")
    results = scorecards[[*needed, metric]].rename(columns={metric: "value"})
    twice = results.duplicated(needed)
    if twice.any():
        raise DataError(f"a seed comes twice: {results.loc[twice, needed].iloc[0].to_dict()}")
    return results.dropna(subset=["value"]).reset_index(drop=True)


def in_all_variants(results: pd.DataFrame) -> pd.DataFrame:
    """Keep, of each dataset and model, the scenarios that all of its variants have.

    Args:
        results: RESULT_COLUMNS.
    """
    model = results.groupby(["dataset", "model"])["variant"].transform("nunique")
    scenario = results.groupby(["dataset", "model", "scenario"])["variant"].transform("nunique")
    return results[scenario == model]


def smallest_p(pairs: int) -> float:
    """Return the smallest p that a two-sided sign-flip or Wilcoxon test can give: 2 ** (1 - n)."""
    return 2.0 ** (1 - pairs)
