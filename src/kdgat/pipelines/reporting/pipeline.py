"""Many seeds, one answer: a report on a set of runs."""

from kedro.pipeline import Node, Pipeline

from kdgat.pipelines.reporting import nodes

PARAMETERS = {"parameters": "params:reporting"}
TABLES = {
    name: name
    for name in ("seed_results", "seed_summary", "paired_differences", "performance_profiles")
}


def create_pipeline() -> Pipeline:
    """Compare the runs that `kedro report` or `kedro sweep` collected."""
    return Pipeline(
        [
            Node(
                nodes.collect_results,
                inputs={"reported_scorecards": "reported_scorecards", **PARAMETERS},
                outputs="seed_results",
                name="collect_results",
            ),
            Node(
                nodes.summarise_seeds,
                inputs={"reported_scorecards": "reported_scorecards", **PARAMETERS},
                outputs="seed_summary",
                name="summarise_seeds",
            ),
            Node(
                nodes.compare_variants,
                inputs={"seed_results": "seed_results", **PARAMETERS},
                outputs=["paired_differences", "performance_profiles"],
                name="compare_variants",
            ),
            Node(
                nodes.rank,
                inputs={"seed_results": "seed_results", **PARAMETERS},
                outputs=["ranking", "mean_ranks"],
                name="rank_detectors",
            ),
            Node(
                nodes.draw,
                inputs={**TABLES, "ranking": "ranking", **PARAMETERS},
                outputs=[
                    "seeds_and_intervals",
                    "paired_difference_chart",
                    "critical_difference",
                    "performance_profile_chart",
                ],
                name="draw_comparison",
            ),
            Node(
                nodes.write_pages,
                inputs={
                    **TABLES,
                    "reported_runs": "reported_runs",
                    "ranking": "ranking",
                    **PARAMETERS,
                },
                outputs=["comparison_page", "comparison_html"],
                name="write_comparison",
            ),
        ],
        tags=["reporting"],
        namespace="reporting",
        prefix_datasets_with_namespace=False,
    )
