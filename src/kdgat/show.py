"""The end of a run on the terminal: the scorecard, and where everything lies."""

from kedro.io import AbstractVersionedDataset, CatalogProtocol
from kedro.pipeline import Pipeline
from rich.console import Console

from kdgat import locations
from kdgat.metrics.verdicts import BASELINES, LOSES
from kdgat.tracking import records

TABLE_WIDTH = 90
OWN_MODELS = "teacher_|student_"


def show_results(pipeline: Pipeline, catalog: CatalogProtocol, version: str) -> None:
    """Print the scorecard, if the pipeline made one, and the folders it wrote to.

    Args:
        pipeline: the pipeline that ran.
        catalog: its catalog.
        version: version of everything the run saved.
    """
    # Narrower, Rich would cut the last column off; a narrow terminal wraps instead.
    console = Console(width=max(TABLE_WIDTH, Console().width))
    if "scorecard" in pipeline.all_outputs():
        _show_scorecard(catalog, console)
    for kind, layer in {"models": "06_models", "pictures and tables": "08_reporting"}.items():
        for folder in _folders(pipeline, catalog, layer):
            console.print(f"{kind}: {folder}", highlight=False)
    console.print(f"version: {version}", highlight=False)
    console.print(f"tracking store: {locations.tracking_uri()}", highlight=False)
    served = locations.tracking_uri().startswith("http")
    page = locations.tracking_uri() if served else "make mlflow, then http://127.0.0.1:5000"
    console.print(f"MLflow UI: {page}", highlight=False)


def _show_scorecard(catalog: CatalogProtocol, console: Console) -> None:
    from kdgat.figures import scorecard_table, summary_sentences, verdict_sentences

    verdicts, dataset = catalog.load("verdicts"), catalog.load("params:dataset")
    scorecard = catalog.load("scorecard")
    if not console.is_terminal:  # a log stays short
        scorecard = scorecard[scorecard["model"].str.match(OWN_MODELS)]
        console.print("kdgat's own models; all others stand in scorecard_page.md")
    console.print(scorecard_table(scorecard))
    console.print("F1 at operating points from benign validation:")
    lost = verdicts[(verdicts["contest"] == BASELINES) & (verdicts["verdict"] == LOSES)]
    for sentence in [*verdict_sentences(lost), *summary_sentences(verdicts)]:
        console.print(f"  {sentence}", highlight=False)
    # This run's own record says that it is running still.
    console.print(
        f"configurations of {dataset} scored on test before, by the run records here: "
        f"{records.scored_configurations(dataset)}",
        highlight=False,
    )


def _folders(pipeline: Pipeline, catalog: CatalogProtocol, layer: str) -> list[str]:
    datasets = (catalog.get(name) for name in pipeline.all_outputs())
    paths = [item._filepath for item in datasets if isinstance(item, AbstractVersionedDataset)]
    return sorted({str(path.parent) for path in paths if layer in path.parts})
