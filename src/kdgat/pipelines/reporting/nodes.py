"""Many seeds, one answer: a report on a set of runs."""

import pandas as pd
from matplotlib.figure import Figure

from kdgat import comparison
from kdgat.comparison import Ranking
from kdgat.errors import DataError
from kdgat.figures import comparison as charts
from kdgat.figures import comparison_page as page
from kdgat.figures.style import in_words
from kdgat.metrics import by_condition
from kdgat.parameters import Reporting

SUMMARISED = ("f1", "auroc", "false_positive_rate")


def collect_results(reported_scorecards: pd.DataFrame, parameters: Reporting) -> pd.DataFrame:
    """Take the compared metric of every dataset, scenario, model, variant and seed.

    Raises:
        DataError: no scenario has it.
    """
    results = comparison.results_of(by_condition(reported_scorecards), parameters.metric)
    if results.empty:
        raise DataError(
            f"no scenario of these runs has {parameters.metric}, since each is all benign or all "
            "attacks: compare by another, as in `kedro report --metric false_positive_rate`"
        )
    return results


def summarise_seeds(reported_scorecards: pd.DataFrame, parameters: Reporting) -> pd.DataFrame:
    """Summarise the seeds, for the compared metric and for those of SUMMARISED that are defined.

    Column `metric` comes first.
    """
    scorecards = by_condition(reported_scorecards)
    names = dict.fromkeys((parameters.metric, *SUMMARISED))
    results = {metric: comparison.results_of(scorecards, metric) for metric in names}
    tables = {
        metric: comparison.summarise(
            values,
            metric,
            bootstrap=parameters.bootstrap,
            confidence=parameters.confidence,
            seed=parameters.bootstrap_seed,
        )
        for metric, values in results.items()
        if not values.empty
    }
    return pd.concat(tables, names=["metric"]).reset_index(level="metric").reset_index(drop=True)


def compare_variants(
    seed_results: pd.DataFrame, parameters: Reporting
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare variants seed by seed, and say how often each reaches a value.

    Returns:
        Paired differences; performance profiles.
    """
    return _paired(seed_results, parameters), comparison.performance_profiles(seed_results)


def rank(seed_results: pd.DataFrame, parameters: Reporting) -> tuple[Ranking, pd.DataFrame]:
    """Rank all detectors over all blocks, where there are enough.

    Returns:
        The ranking; its table.
    """
    ranking = comparison.rank_detectors(
        seed_results, parameters.metric, confidence=parameters.confidence
    )
    return ranking, ranking.ranks


def draw(
    seed_results: pd.DataFrame,
    seed_summary: pd.DataFrame,
    paired_differences: pd.DataFrame,
    performance_profiles: pd.DataFrame,
    ranking: Ranking,
    parameters: Reporting,
) -> tuple[Figure, Figure, Figure, Figure]:
    """Draw seeds with their summaries, paired differences, ranks and profiles."""
    metric = parameters.metric
    summary = seed_summary[seed_summary["metric"] == metric]
    return (
        charts.seeds_and_intervals(seed_results, summary, metric),
        charts.paired_difference_chart(
            seed_results, paired_differences, metric, parameters.confidence
        ),
        charts.critical_difference(ranking),
        charts.performance_profile_chart(performance_profiles, metric),
    )


def write_pages(
    seed_results: pd.DataFrame,
    seed_summary: pd.DataFrame,
    paired_differences: pd.DataFrame,
    performance_profiles: pd.DataFrame,
    ranking: Ranking,
    reported_runs: pd.DataFrame,
    parameters: Reporting,
) -> tuple[str, str]:
    """Write the report.

    Returns:
        Markdown; the same as HTML with pictures.
    """
    runs = reported_runs.fillna({"reason": ""})
    overall = _paired(seed_results, parameters, over_scenarios=True)
    figures = draw(
        seed_results,
        seed_summary,
        paired_differences,
        performance_profiles,
        ranking,
        parameters,
    )
    sections = [
        page.Section(
            "Answer", _answer(seed_results, paired_differences, overall, ranking, parameters)
        ),
        page.Section("Seeds", _summary_text(seed_summary, parameters), figures[0]),
        page.Section(
            "Paired differences",
            f"{page.paired_table(overall)}\n\n{page.paired_table(paired_differences)}",
            figures[1],
        ),
        page.Section(
            "Ranks", f"{ranking.sentence}\n\n{page.rank_table(ranking.ranks)}", figures[2]
        ),
        page.Section("Performance profiles", page.profile_text(parameters.metric), figures[3]),
        page.Section("Missing and failed", page.gaps_text(runs)),
        page.Section("Cost", page.cost_table(runs)),
    ]
    title = f"Comparison: {parameters.name}"
    return page.markdown_page(title, sections), page.html_page(title, sections)


def _paired(
    results: pd.DataFrame, parameters: Reporting, *, over_scenarios: bool = False
) -> pd.DataFrame:
    return comparison.paired_differences(
        results,
        over_scenarios=over_scenarios,
        reference=parameters.reference,
        bootstrap=parameters.bootstrap,
        confidence=parameters.confidence,
        seed=parameters.bootstrap_seed,
    )


def _answer(
    seed_results: pd.DataFrame,
    paired_differences: pd.DataFrame,
    overall: pd.DataFrame,
    ranking: Ranking,
    parameters: Reporting,
) -> str:
    counts = {name: seed_results[name].nunique() for name in ("dataset", "variant", "seed")}
    scope = ", ".join(f"{count} {name}(s)" for name, count in counts.items())
    sentences = page.verdicts(paired_differences, overall, parameters.metric, parameters.confidence)
    one = "One variant only: there is nothing to compare pair by pair."
    if parameters.reference and parameters.reference not in set(seed_results["variant"]):
        one = f"No run of the reference, {parameters.reference}, has left a scorecard to compare."
    lines = [f"- {sentence}" for sentence in [*(sentences or [one]), ranking.sentence]]
    return f"{in_words(parameters.metric)}; {scope}.\n\n" + "\n".join(lines)


def _summary_text(seed_summary: pd.DataFrame, parameters: Reporting) -> str:
    rests_on = (
        f"n: seeds. IQM: interquartile mean. Intervals of the IQM: {parameters.confidence:.0%}, "
        f"{parameters.bootstrap:,} bootstrap samples stratified by dataset, each seed drawn with "
        "all its scenarios. `all`: pooled, scenarios that all variants have."
    )
    parts = [
        f"### {in_words(metric)}\n\n{page.summary_table(rows)}"
        for metric, rows in seed_summary.groupby("metric", sort=False)
    ]
    return "\n\n".join([rests_on, *parts])
