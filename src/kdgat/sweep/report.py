"""From runs to the two tables that the pipeline `reporting` reads."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from kedro.framework.project import settings
from mlflow.exceptions import MlflowException

from kdgat import locations
from kdgat.errors import KdgatError, MissingInputError, ParameterError
from kdgat.parameters import flatten
from kdgat.sweep.cells import Cell
from kdgat.sweep.plan import PLAIN_VARIANT
from kdgat.sweep.status import Record, State, Status, all_records, status_of
from kdgat.sweep.work import RUN_PARAMETERS, Work, versioned_files
from kdgat.tracking import records
from kdgat.tracking.batches import BAD_VALUE
from kdgat.tracking.courier import STORE_TROUBLE
from kdgat.tracking.delivery import open_store

SCORECARD = "scorecard"
SUPERSEDED = "superseded"
REPORTING = "reporting"
RUN_COLUMNS = ("cell", "pipeline", "dataset", "seed", "variant", "state", "run_id", "version")
PAGE = 1000


@dataclass(frozen=True)
class Collection:
    """What a report rests on.

    Args:
        runs: one row per cell, done or not: RUN_COLUMNS, seconds, reason.
        scorecards: the scorecards of all that are done, with dataset, seed and variant.
    """

    runs: pd.DataFrame
    scorecards: pd.DataFrame


def collect_plan(works: dict[Cell, Work], statuses: dict[Work, Status]) -> Collection:
    """Collect the runs of a plan.

    Args:
        works: cell -> work of the whole plan.
        statuses: where each work stands.

    Raises:
        MissingInputError: No cell of the plan has a scorecard yet.
    """
    rows, scorecards = [], []
    judged = [cell.pipeline for cell, work in works.items() if SCORECARD in dict(work.outputs)]
    for cell, work in works.items():
        status = statuses[work]
        rows.append(_row(cell, status))
        if status.state == State.DONE and judged and cell.pipeline == judged[-1]:
            path = dict(work.outputs)[SCORECARD]
            scorecards.append(_scorecard(path, cell, status.version))
    return _collection(rows, scorecards)


def collect_runs(names: list[str], search: str) -> Collection:
    """Collect any runs that made scorecards; what differs between them names their variants.

    Args:
        names: versions, their ends, or MLflow run ids; empty for all.
        search: MLflow filter, e.g. `tags.dataset = 'hcrl_sa'`; empty for none.

    Raises:
        ParameterError: The filter is not one.
        MissingInputError: A run is unknown, or none has a scorecard.
        KdgatError: The tracking store does not answer.
    """
    found = [records.find(name) for name in names] if names else all_records()
    if search:
        wanted = _matching_versions(search)
        found = [record for record in found if record["version"] in wanted]
    found = [record for record in found if SCORECARD in record["outputs"]]
    differing = _differing(found)
    rows, scorecards, taken = [], [], set()
    for record in sorted(found, key=lambda record: record["version"], reverse=True):
        cell = _cell_of(record, differing)
        path = versioned_files(cell.dataset, cell.seed)[SCORECARD]
        status = status_of(record, [path])
        key = (cell.dataset, cell.seed, cell.variant)
        if status.state == State.DONE and key in taken:
            reason = "a newer run has the same dataset, seed and parameters"
            status = replace(status, state=SUPERSEDED, reason=reason)
        elif status.state == State.DONE:
            taken.add(key)
            scorecards.append(_scorecard(path, cell, status.version))
        rows.append(_row(cell, status))
    return _collection(rows, scorecards)


def run_reporting(
    collection: Collection,
    name: str,
    environment: str | None,
    *,
    reference: str | None = None,
    metric: str | None = None,
) -> Path:
    """Save a collection under a report's name and run the pipeline `reporting` on it.

    Args:
        collection: the runs.
        name: of the report, a folder's name.
        environment: Kedro's `--env`.
        reference: the variant that all others are compared with; None compares every two.
        metric: by which they are compared; None for that of the configuration.

    Returns:
        The report as one HTML file.
    """
    chosen = {"name": name, "reference": reference, "metric": metric}
    group = {key: value for key, value in chosen.items() if value}
    runtime = {"dataset": collection.runs["dataset"].iloc[0], REPORTING: group}
    session = settings.SESSION_CLASS.create(env=environment, runtime_params=runtime)
    with session:
        # The tables bear the version of the report that reads them.
        catalog = session.load_context()._get_catalog(save_version=session.session_id)
        tables = {"reported_runs": collection.runs, "reported_scorecards": collection.scorecards}
        for dataset, table in tables.items():
            catalog.save(dataset, table)
        pinned = dict.fromkeys(tables, session.session_id)
        session.run(pipeline_names=[REPORTING], load_versions=pinned)
        page = Path(str(catalog.get("comparison_html")._filepath))
    return page / session.session_id / page.name


def _matching_versions(search: str) -> set[str]:
    try:
        return _search(search)
    except STORE_TROUBLE as error:
        reason = " ".join(str(error).split())
        if isinstance(error, MlflowException) and error.error_code == BAD_VALUE:
            raise ParameterError(f"'{search}' is no filter of MLflow: {reason}") from None
        raise KdgatError(
            f"the tracking store {locations.tracking_uri()} does not answer: {reason}"
        ) from None


def _search(search: str) -> set[str]:
    client = open_store()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    versions, token = set(), None
    while True:
        page = client.search_runs(experiments, search, max_results=PAGE, page_token=token)
        versions |= {run.data.tags["version"] for run in page if "version" in run.data.tags}
        token = page.token
        if not token:
            return versions


def _differing(found: list[Record]) -> list[str]:
    """List the parameters in which runs differ, dataset and seed aside."""
    table = pd.DataFrame([_texts(record) for record in found])
    return sorted(
        key for key in table if key not in RUN_PARAMETERS and table[key].nunique(dropna=False) > 1
    )


def _texts(record: Record) -> dict[str, str]:
    told = records.parameters_behind(record)
    return {key: str(value) for key, value in flatten(told).items()}


def _cell_of(record: Record, differing: list[str]) -> Cell:
    texts = _texts(record)
    values = [f"{key}={texts[key]}" for key in differing if key in texts]
    return Cell(
        pipeline=record["experiment"],
        dataset=record["parameters"]["dataset"],
        seed=record["parameters"]["seed"],
        variant=" ".join(values) or PLAIN_VARIANT,
    )


def _row(cell: Cell, status: Status) -> dict[str, object]:
    values = (
        cell.name,
        cell.pipeline,
        cell.dataset,
        cell.seed,
        cell.variant,
        str(status.state),
        status.run_id,
        status.version,
    )
    row = dict(zip(RUN_COLUMNS, values, strict=True))
    return {**row, "seconds": status.seconds, "reason": status.reason}


def _scorecard(path: Path, cell: Cell, version: str) -> pd.DataFrame:
    table = pd.read_csv(path / version / path.name)
    return table.assign(dataset=cell.dataset, seed=cell.seed, variant=cell.variant)


def _collection(rows: list[dict], scorecards: list[pd.DataFrame]) -> Collection:
    if not scorecards:
        raise MissingInputError(
            "no run here has a scorecard yet: run a plan that ends in `fusion` or `chain`"
        )
    return Collection(pd.DataFrame(rows), pd.concat(scorecards, ignore_index=True))
