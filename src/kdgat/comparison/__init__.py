"""Many seeds, one answer: summaries, paired differences, ranks, profiles.

All of them work on one table of results, RESULT_COLUMNS: one row per dataset, scenario, model,
variant and seed. The statistics are scipy's and autorank's.
"""

from kdgat.comparison.paired import compare_pairs, paired_differences, untouched_models
from kdgat.comparison.profiles import performance_profiles
from kdgat.comparison.ranking import Ranking, rank_detectors
from kdgat.comparison.results import LOWER_IS_BETTER, RESULT_COLUMNS, results_of
from kdgat.comparison.summaries import summarise

__all__ = [
    "LOWER_IS_BETTER",
    "RESULT_COLUMNS",
    "Ranking",
    "compare_pairs",
    "paired_differences",
    "performance_profiles",
    "rank_detectors",
    "results_of",
    "summarise",
    "untouched_models",
]
