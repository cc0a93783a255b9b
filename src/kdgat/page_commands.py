"""`kedro results` and `kedro leaks`: pages of `docs/` from what runs have left."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kdgat import locations
from kdgat.tracking import records

if TYPE_CHECKING:
    import pandas as pd

RESULTS_INTRODUCTION = """# Results

F1, precision, recall and false-positive rate (FPR) count windows (n) at an operating point fitted
on benign validation windows, one rule for all (docs/decisions/0004-operating-point.md); no choice
that a pipeline makes looks at test. Zero-shot: the window alone; so is every scenario
below that does not say `calibrated`. Calibrated: the first 5 s of a capture, which are not scored,
make the car's profile; a guard that distrusts them leaves the capture zero-shot.
"""

DETECTOR_FILES = (
    "teacher_autoencoder",
    "teacher_classifier",
    "student_autoencoder",
    "student_classifier",
)

PICTURES = {
    "score_over_time": "Score over time of the capture of each test scenario with the lowest F1, "
    "episodes shaded, alarms marked",
    "roc_low_false_positives": "ROC at low false-positive rates",
    "false_alarms_and_recall": "Recall of attack windows over false alarms an hour, "
    "every benign window counted by itself",
}
"""Of the newest run that the section of a dataset shows, with what each is."""

RESULTS_BEGIN = "<!-- results, written by `kedro results`: begin -->"
RESULTS_END = "<!-- results: end -->"
LEAKS_BEGIN = "<!-- leak reports, written by `kedro leaks`: begin -->"
LEAKS_END = "<!-- leak reports: end -->"


@click.command()
@click.argument("datasets", nargs=-1, required=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=locations.PROJECT / "docs" / "results.md",
    help="the page to write; of one that exists, between its marks (default: docs/results.md)",
)
@click.option("--seed", type=int, default=1, show_default=True, help="whose scorecards to take")
@click.option(
    "--headline",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="also write the first dataset's table over seeds between the marks of this page",
)
def results(datasets: tuple[str, ...], output: Path, seed: int, headline: Path | None) -> None:
    """Write a page of results from the newest scorecard of each of DATASETS.

    What it says of several seeds is of runs with the same parameters.
    """
    from kdgat.figures.seeds import headline_table

    if not output.parent.is_dir():
        raise click.ClickException(f"there is no folder {output.parent}: name a page (--output)")
    if headline and headline.resolve() == output.resolve():
        raise click.ClickException(f"--output and --headline are both {output}: name two pages")
    folder = output.parent / "pictures"
    newest = {dataset: _newest_page(dataset, seed) for dataset in datasets}
    drawn = {
        folder / f"{dataset}_{name}.png": _picture(page, name)
        for dataset, page in newest.items()
        for name in PICTURES
    }
    sections = "\n".join(_section(dataset, page, seed) for dataset, page in newest.items())
    new = f"{RESULTS_INTRODUCTION}\n{RESULTS_BEGIN}\n{RESULTS_END}\n"
    words = output.read_text() if output.exists() else new
    filled = {output: _between(output, words, RESULTS_BEGIN, RESULTS_END, sections)}
    if headline:
        table = headline_table(_scorecards(newest[datasets[0]]))
        words = headline.read_text()
        filled[headline] = _between(headline, words, RESULTS_BEGIN, RESULTS_END, table)
    if folder.exists() and not folder.is_dir():
        raise click.ClickException(f"{folder} is a file: the pictures of the page need a folder")
    folder.mkdir(exist_ok=True)
    for page, text in filled.items():
        _write(page, text)
    for copy, picture in drawn.items():
        shutil.copyfile(picture, copy)


def _section(dataset: str, page: Path, seed: int) -> str:
    """Write all that the page says of a dataset."""
    pictures = "\n\n".join(
        f"![{title}: {dataset}, calibrated](pictures/{dataset}_{name}.png)\n\n"
        f"*{title}: {dataset}, calibrated, seed {seed}.*"
        for name, title in PICTURES.items()
    )
    return (
        f"{page.read_text()}\n{pictures}\n\n"
        f"{_wanted(dataset, page)}{_over_seeds(page)}"
        f"Configurations of {dataset} whose test scores the run records of this data root hold "
        "(parameters but the seed, at one state of the code): "
        f"{records.scored_configurations(dataset)}.\n"
    )


def _newest_page(dataset: str, seed: int) -> Path:
    """Find the newest page that an evaluation has left."""
    folder = Path(locations.data_root()) / "08_reporting" / dataset / f"seed_{seed}"
    found = sorted(folder.glob("scorecard_page.md/*/scorecard_page.md"))
    if not found:
        raise click.ClickException(
            f"no scorecard of {dataset} with seed {seed}: "
            f"run `kedro run --params dataset={dataset},seed={seed}` first"
        )
    if _made_with(found[-1].parent.name) is None:
        raise click.ClickException(f"the run that left {found[-1]} did not end well; run it again")
    return found[-1]


def _picture(page: Path, name: str) -> Path:
    """Find a picture of the run that left a page."""
    file, version = f"{name}.png", page.parent.name
    picture = page.parents[2] / file / version / file
    if not picture.is_file():
        raise click.ClickException(
            f"there is no {picture}: the run that left {page} did not end; run it again"
        )
    return picture


def _wanted(dataset: str, page: Path) -> str:
    """Say what was to be reached and is; empty where nothing was said of the dataset."""
    from kdgat.figures.targets import capture_targets, scenario_targets

    parameters = records.read(page.parent.name)["parameters"]
    further = bool(parameters["data_processing"]["further_vehicles"])
    tables = (
        scenario_targets(dataset, _scorecards(page), further=further),
        capture_targets(dataset, _scorecards(page, "capture_scorecard.csv")),
    )
    return "".join(f"### What was to be reached\n\n{table}\n" for table in tables if table)


def _over_seeds(page: Path) -> str:
    """Sum up all seeds with detectors made as those of a page were; empty where that is one."""
    from kdgat.figures.seeds import seeds_table

    scorecards = _scorecards(page)
    if len(scorecards) < 2:
        return ""
    seeds = ", ".join(map(str, scorecards))
    others = [str(seed) for seed in _seeds_with_detectors(page) if seed not in scorecards]
    left_out = f"Left out, made with other parameters: {', '.join(others)}.\n\n" if others else ""
    return f"### Over seeds {seeds}\n\n{left_out}{seeds_table(scorecards)}\n"


def _scorecards(page: Path, name: str = "scorecard.csv") -> "dict[int, pd.DataFrame]":
    """Read, of every seed that has detectors of its own, the newest scorecard like that of a page.

    It is of a run that ended well, with the same parameters but the seed.
    """
    import pandas as pd

    wanted, newest = _made_with(page.parent.name), {}
    for seed in _seeds_with_detectors(page):
        cards = sorted((page.parents[3] / f"seed_{seed}" / name).glob(f"*/{name}"))
        like = [path for path in cards if _made_with(path.parent.name) == wanted]
        newest |= {seed: pd.read_csv(like[-1])} if like else {}
    return newest


def _seeds_with_detectors(page: Path) -> list[int]:
    """List the seeds of a page's dataset that have detectors of their own and scorecards."""
    reports = page.parents[3]
    models = Path(locations.data_root()) / "06_models" / reports.name
    return sorted(
        int(path.parent.name.removeprefix("seed_"))
        for path in reports.glob("seed_*/scorecard.csv")
        if all(
            (models / path.parent.name / f"{each}.safetensors").exists() for each in DETECTOR_FILES
        )
    )


def _made_with(version: str) -> dict[str, Any] | None:
    """Give what made the figures of a run that ended well: its parameters, and its models'."""
    record = records.read(version) if records.exists(version) else {"status": None}
    if record["status"] != "FINISHED":
        return None
    told = records.parameters_behind(record).items()
    return {name: value for name, value in told if name not in ("seed", "logging", "compute")}


def _between(page: Path, words: str, begin: str, end: str, text: str) -> str:
    """Put a text between the marks of a page."""
    for mark in (begin, end):
        if words.count(mark) != 1:
            raise click.ClickException(
                f"{page} has {words.count(mark)} lines `{mark}`, and needs one to write there"
            )
    before, rest = words.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def _write(page: Path, text: str) -> None:
    page.write_text(text)
    click.echo(f"wrote {page}")


@click.command()
@click.argument("datasets", nargs=-1, required=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    default=locations.PROJECT / "docs" / "data.md",
    help="the page with the two marks between which the table goes (default: docs/data.md)",
)
def leaks(datasets: tuple[str, ...], output: Path) -> None:
    """Write the newest leak report of each of DATASETS into the page on data."""
    from kdgat.leaks import compare_page

    folder = Path(locations.data_root()) / "05_model_input"
    reports = {}
    for dataset in datasets:
        found = sorted(folder.glob(f"{dataset}/leak_report.json/*/leak_report.json"))
        if not found:
            raise click.ClickException(
                f"no leak report of {dataset}: "
                f"run `kedro run --pipeline data_processing --params dataset={dataset}` first"
            )
        reports[dataset] = json.loads(found[-1].read_text())
    words = output.read_text()
    _write(output, _between(output, words, LEAKS_BEGIN, LEAKS_END, compare_page(reports)))
