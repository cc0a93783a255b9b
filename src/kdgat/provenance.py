"""What a run is made of: its record, and what each of its models says of its own making."""

from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from kdgat.lineage import Origin, parents_of, saved_versions
from kdgat.parameters import Parameters
from kdgat.tracking import records
from kdgat.tracking.fingerprint import fingerprint
from kdgat.tracking.journal import milliseconds
from kdgat.tracking.owners import Owner

WHOLE_CHAIN = "chain"
SELECTION = (
    "tags",
    "from_nodes",
    "to_nodes",
    "node_names",
    "from_inputs",
    "to_outputs",
    "namespaces",
)


def run_record(
    run_params: dict[str, Any],
    pipeline: Pipeline,
    catalog: CatalogProtocol,
    origins: dict[str, Origin],
    parameters: Parameters,
    project: Path,
) -> dict[str, Any]:
    """Describe a run that begins, in full: enough to find, explain and repeat it.

    Args:
        run_params: of Kedro.
        pipeline: that runs.
        catalog: its catalog, after `pin_versions`.
        origins: of its inputs.
        parameters: all of them, resolved.
        project: the project's folder.

    Returns:
        What `records.write` keeps.
    """
    pipeline_names = run_params["pipeline_names"] or []
    return {
        "version": run_params["run_id"],
        "status": "RUNNING",
        "began": milliseconds(),
        "seconds": 0.0,
        "experiment": "+".join(pipeline_names or [WHOLE_CHAIN]),
        "pipelines": pipeline_names,
        "selection": {key: list(run_params[key]) for key in SELECTION if run_params.get(key)},
        "environment_name": run_params["env"],
        "parameters": parameters.model_dump(mode="json"),
        "inputs": {
            name: {
                "version": origin.version,
                "seed": origin.seed,
                "run_id": _run_id(origin.version),
            }
            for name, origin in origins.items()
        },
        "outputs": sorted(saved_versions(pipeline, catalog)),
        "dataset": _dataset_identity(pipeline, parameters, origins),
        "environment": records.environment(project),
        "owner": Owner.this_process().to_dict(),
    }


def give_provenance(
    pipeline: Pipeline, catalog: CatalogProtocol, record: dict[str, Any], run_id: str | None
) -> None:
    """Let every model of a run carry where it came from.

    Args:
        pipeline: that runs.
        catalog: its catalog, after `pin_versions`; its datasets are changed in place.
        record: of the run.
        run_id: of its MLflow run, if the store has answered yet.
    """
    from kdgat.datasets.tensors import ModelDataset  # torch, only for those who run

    common = {
        "version": record["version"],
        "run_id": run_id,
        "pipeline": record["experiment"],
        "dataset": record["dataset"],
        "git_commit": record["environment"]["git_commit"],
        "parameters": record["parameters"],
    }
    for name in pipeline.all_outputs():
        dataset = catalog.get(name)
        if isinstance(dataset, ModelDataset):
            parents = parents_of(name, pipeline, catalog)
            dataset.provenance = common | {
                "parents": {
                    parent: {
                        "version": version,
                        "run_id": run_id if version == record["version"] else _run_id(version),
                    }
                    for parent, version in parents.items()
                }
            }


def _dataset_identity(
    pipeline: Pipeline, parameters: Parameters, origins: dict[str, Origin]
) -> dict[str, Any]:
    """Identify the captures behind a run: read them, or ask the runs whose results it reads."""
    name, processing = parameters.dataset, parameters.data_processing
    if "raw_captures" in pipeline.inputs():
        further = sorted({*processing.further_vehicles, *processing.also_trained_on})
        return fingerprint(name) | {"further": [fingerprint(each) for each in further]}
    for origin in origins.values():
        if records.exists(origin.version):
            return records.read(origin.version)["dataset"]
    return {"name": name, "sha256": None}


def _run_id(version: str) -> str | None:
    return records.read(version).get("run_id") if records.exists(version) else None
