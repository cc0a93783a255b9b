"""The pipeline `reporting` on two variants and five seeds that are written by hand."""

import math

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from matplotlib.figure import Figure

from kdgat.comparison import paired_differences
from kdgat.errors import DataError
from kdgat.figures.comparison_page import gaps_text, verdicts
from kdgat.parameters import Reporting
from kdgat.pipelines.reporting import create_pipeline
from kdgat.pipelines.reporting.nodes import collect_results, compare_variants

SCENARIOS = [f"test_0{number}" for number in range(1, 7)]
GAIN = {"student": 0.02, "teacher": 0.0}
PARAMETERS = Reporting(
    name="two", metric="f1", reference="", bootstrap=50, bootstrap_seed=0, confidence=0.95
)


def scorecards(seeds: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "dataset": "car",
                "scenario": scenario,
                "protocol": "zero_shot",
                "model": model,
                "variant": variant,
                "seed": seed,
                "f1": 0.5 + place / 20 + seed / 100 + (gain if variant == "distilled" else 0.0),
                "auroc": 0.9,
                "false_positive_rate": 0.01,
            }
            for variant in ("distilled", "undistilled")
            for place, scenario in enumerate(SCENARIOS)
            for model, gain in GAIN.items()
            for seed in range(1, seeds + 1)
        ]
    )


RUNS = pd.DataFrame(
    [
        ("fusion/car/seed_1/distilled", "fusion", "car", 1, "distilled", "done", "v1", 60.0, None),
        ("fusion/car/seed_2/distilled", "fusion", "car", 2, "distilled", "done", "v2", 30.0, None),
        ("fusion/car/seed_2/other", "fusion", "car", 2, "other", "done", "v2", 30.0, None),
        (
            "fusion/car/seed_3/distilled",
            "fusion",
            "car",
            3,
            "distilled",
            "failed",
            "v3",
            None,
            "no",
        ),
    ],
    columns=[
        "cell",
        "pipeline",
        "dataset",
        "seed",
        "variant",
        "state",
        "version",
        "seconds",
        "reason",
    ],
)


class Kept(MemoryDataset):
    """A table that outlives the last node that reads it, as one on disk does."""

    def _release(self) -> None:
        pass


def report_on(cards: pd.DataFrame, parameters: Reporting = PARAMETERS) -> dict:
    kept = {name: Kept() for name in ("seed_summary", "paired_differences")}
    catalog = DataCatalog(
        {
            "reported_scorecards": MemoryDataset(cards),
            "reported_runs": MemoryDataset(RUNS),
            "params:reporting": MemoryDataset(parameters),
            **kept,
        }
    )
    outputs = SequentialRunner().run(create_pipeline(), catalog)
    return {name: dataset.load() for name, dataset in {**outputs, **kept}.items()}


@pytest.fixture(scope="module")
def report() -> dict:
    return report_on(scorecards(5))


def test_tables(report):
    row = report["seed_summary"].query(
        "metric == 'f1' and scenario == 'test_01' and model == 'student' and variant == 'distilled'"
    )
    assert row["median"].item() == pytest.approx(0.55)
    assert row["worst_seed"].item() == 1
    assert set(report["seed_summary"]["metric"]) == {"f1", "auroc", "false_positive_rate"}
    gains = report["paired_differences"].set_index("model")["mean_difference"]
    assert gains["student"].tolist() == pytest.approx([0.02] * 6)
    assert gains["teacher"].tolist() == [0.0] * 6


def test_ranks_over_six_blocks(report):
    """Student distilled, then two that are always equal: ranks 1, 2.5, 2.5 in every block."""
    ranks = report["mean_ranks"].set_index("detector")["mean_rank"].to_dict()
    assert ranks == {"student (distilled)": 1.0, "student (undistilled)": 2.5, "teacher": 2.5}


def test_a_scenario_that_one_variant_lacks_is_reported():
    cards = scorecards(2)
    lacking = (cards["variant"] == "distilled") & (cards["scenario"] == cards["scenario"].iloc[0])
    assert report_on(cards[~lacking])["comparison_page"]


def test_every_picture_is_there(report):
    pictures = [value for value in report.values() if isinstance(value, Figure)]
    assert len(pictures) == 4
    for picture in pictures:
        picture.canvas.draw()


def test_page_says_what_five_seeds_allow(report):
    page = report["comparison_page"]
    assert "5 seeds in common. Too few to rank: a two-sided test of 5 pairs" in page
    assert "cannot go below p = .0625" in page
    assert "Equal in all seeds and scenarios: teacher." in page
    assert "in favour of distilled" in page


def test_page_lists_failures_and_counts_shared_runs_once(report):
    page = report["comparison_page"]
    assert "1 of 4 cells" in page
    assert "| `fusion/car/seed_3/distilled` | failed | no |" in page
    assert "| fusion | car | 2 | 45 | 0.025 |" in page


def test_html_needs_no_other_file(report):
    html = report["comparison_html"]
    assert html.count("data:image/png;base64,") == 4
    assert "<table>" in html
    assert "http" not in html


def test_attack_free_captures_make_a_report_on_false_alarms():
    cards = scorecards(2).assign(f1=math.nan, auroc=math.nan)
    with pytest.raises(DataError, match=r"has f1, .*kedro report --metric"):
        collect_results(cards, PARAMETERS)
    of_alarms = PARAMETERS.model_copy(update={"metric": "false_positive_rate"})
    report = report_on(cards, of_alarms)
    assert set(report["seed_summary"]["metric"]) == {"false_positive_rate"}
    assert "false positive rate" in report["comparison_page"]


def sentences_on(cards: pd.DataFrame) -> list[str]:
    results = collect_results(cards, PARAMETERS)
    paired, _ = compare_variants(results, PARAMETERS)
    overall = paired_differences(
        results, over_scenarios=True, bootstrap=50, confidence=0.95, seed=0
    )
    return verdicts(paired, overall, "f1", 0.95)


def test_six_seeds_may_be_ranked():
    (sentence,) = sentences_on(scorecards(6))
    assert "6 of 12 comparisons differ at p < .05" in sentence


def test_verdicts_are_about_our_models_and_give_their_means():
    cards = scorecards(6).replace(
        {"model": {"student": "student_fusion", "teacher": "teacher_fusion"}}
    )
    rule = cards[cards["model"] == "student_fusion"].assign(model="rule")
    rule["f1"] += (rule["variant"] == "distilled") * 0.5
    table = pd.concat([cards, rule])
    (sentence,) = sentences_on(table)
    assert "Largest mean difference in F1: student fusion on test 01, 0.020" in sentence
    assert "(interval of a - b +0.020 to +0.020, sign-flip p" in sentence
    assert sentence.endswith(
        "Mean over scenarios, a - b: student fusion +0.020 (+0.020 to +0.020)."
    )


def test_a_reference_without_a_run_is_named():
    page = report_on(scorecards(2), PARAMETERS.model_copy(update={"reference": "distiled"}))
    assert "No run of the reference, distiled, has left a scorecard" in page["comparison_page"]


def test_one_variant_makes_a_report_too():
    cards = scorecards(2).query("variant == 'distilled'")
    page = report_on(cards)["comparison_page"]
    assert "One variant only" in page
    assert "No ranking: 6 blocks" in page


def test_no_verdict_without_a_difference():
    (sentence,) = sentences_on(scorecards(6).assign(f1=0.5))
    assert sentence.endswith("No seed differs anywhere.")


def test_seeds_that_differ_without_a_mean_are_not_called_equal():
    cards = scorecards(2).assign(f1=0.5)
    shifted = cards["variant"].eq("distilled") & cards["model"].eq(cards["model"].iloc[0])
    cards.loc[shifted, "f1"] += cards["seed"].map({1: 0.25, 2: -0.25})
    (sentence,) = sentences_on(cards)
    assert "Seeds differ, their means nowhere." in sentence
    assert "No seed differs" not in sentence


def test_no_gap():
    assert gaps_text(RUNS.iloc[:3]) == "None: all 3 cells are done."
