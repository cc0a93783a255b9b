"""What happens around a run: check, provide, pin, track, show."""

import json
import logging
from pathlib import Path
from typing import Any

from filelock import FileLock
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig

from kdgat import locations, versions
from kdgat.lineage import Origin, pin_versions, saved_versions
from kdgat.parameters import Parameters, check_parameters, flatten
from kdgat.provenance import give_provenance, run_record
from kdgat.show import show_results
from kdgat.slurm.job import mark_complete
from kdgat.tracking import records
from kdgat.tracking.description import (
    capture_metrics,
    describe_origin,
    leak_metrics,
    leak_tags,
    run_tags,
    scorecard_metrics,
)
from kdgat.tracking.run import TrackedRun

LOGGER = logging.getLogger(__name__)


class KdgatHooks:
    """The life of a run, with kdgat's checks, names, tags and lineage.

    Nothing is written, and no run is on record, before parameters and inputs are known to be
    good. What kedro-mlflow's hooks would send to MLflow while Kedro waits goes through
    `kdgat.tracking`; its configuration and `kedro mlflow ui` stay as they are.
    """

    run: TrackedRun | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the parameters and read `mlflow.yml`; no store is opened."""
        loader = context.config_loader
        self.parameters: Parameters = check_parameters(loader["parameters"])
        self._default_seed: int = loader["globals"]["seed"]
        self._project = context.project_path
        # where `kedro mlflow ui` looks for it
        context.mlflow = KedroMlflowConfig.model_validate(loader["mlflow"])

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Provide the built-in captures, pin the inputs, put the run on record."""
        version = run_params["run_id"]
        self._provide_captures(pipeline)
        chosen = run_params["load_versions"] or {}
        if records.exists(version):  # an earlier life of this run: go on with what it read
            recorded = records.read(version)["inputs"].items()
            chosen = {name: origin["version"] for name, origin in recorded}
        with versions.lock():
            origins = pin_versions(
                pipeline,
                catalog,
                seed=self.parameters.seed,
                default_seed=self._default_seed,
                producers=pipelines,
                chosen=chosen,
            )
            record = run_record(
                run_params, pipeline, catalog, origins, self.parameters, self._project
            )
            records.write(version, record)
        self.run = self._begin(version, pipeline, origins, record["experiment"])
        give_provenance(pipeline, catalog, record, self.run.run_id)
        self._saved = saved_versions(pipeline, catalog)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which node begins; its parameters were logged when the run began."""
        LOGGER.info("%s", node.name)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log what was read and the leak report, before a check can end the run."""
        if dataset_name == "capture_summary":
            self.run.log_metrics(capture_metrics(data))
        elif dataset_name == "leak_report":
            self.run.log_metrics(leak_metrics(data))
            self.run.log_tags(leak_tags(data))
            self.run.log_text("leak_report.json", json.dumps({"checks": data}, indent=1))
        elif dataset_name == "leak_page":
            self.run.log_text("leak_report.md", data)

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Show the results and where they lie; close the MLflow run."""
        if "scorecard" in pipeline.all_outputs():
            self.run.log_metrics(scorecard_metrics(catalog.load("scorecard")))
        show_results(pipeline, catalog, run_params["run_id"])

    def end_run(self, status: str, error: str | None = None) -> None:
        """Put the end of the run on record, whatever it was; called by the session, always.

        Args:
            status: FINISHED, FAILED or KILLED.
            error: what went wrong.
        """
        if self.run is None:  # it never began
            return
        self.run.end(status, error)
        self.run = None
        if status == "FINISHED":
            mark_complete(self._saved)

    def _provide_captures(self, pipeline: Pipeline) -> None:
        dataset = self.parameters.dataset
        if "raw_captures" not in pipeline.inputs() or dataset != locations.BUILT_IN_DATASET:
            return
        # Compiled kernels and torch: only when they are needed, or every command would wait.
        from kdgat.can.synthetic import simulate_dataset

        folder = Path(locations.raw_folder(dataset))
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if simulate_dataset(folder, self.parameters.simulator):
                LOGGER.info("simulated the built-in dataset: %s", folder)

    def _begin(
        self, version: str, pipeline: Pipeline, origins: dict[str, Origin], experiment: str
    ) -> TrackedRun:
        tags = run_tags(self.parameters, pipeline, version, self._project)
        for name, origin in origins.items():
            tags[f"input.{name}"] = describe_origin(origin)
            LOGGER.info("%s: %s", name, tags[f"input.{name}"])
        run = TrackedRun.begin(
            version,
            experiment=experiment,
            name=f"{experiment} {self.parameters.dataset} seed {self.parameters.seed}",
            tags=tags,
        )
        run.log_parameters(flatten(self.parameters))
        return run
