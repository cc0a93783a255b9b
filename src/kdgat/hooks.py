"""What happens around a run: check, provide, pin, track, show."""

import json
import logging
from contextlib import AbstractContextManager, ExitStack
from functools import partial
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
from matplotlib.figure import Figure

from kdgat import locations, versions
from kdgat.agreement import check_agreement
from kdgat.lineage import Origin, pin_versions, save_as, saved_versions
from kdgat.lives import Life, command_of, given_key
from kdgat.log_files import changed_parameters, end_details, write_details
from kdgat.parameters import Parameters, check_parameters, flatten
from kdgat.provenance import give_provenance, run_record
from kdgat.show import show_results
from kdgat.signals import end_if_received
from kdgat.slurm.job import handed_on, mark_complete
from kdgat.tracking import records
from kdgat.tracking.budgets import last_budget
from kdgat.tracking.description import (
    capture_metrics,
    describe_origin,
    headline_metrics,
    leak_metrics,
    leak_tags,
    name_run,
    run_tags,
    scorecard_metrics,
)
from kdgat.tracking.run import TrackedRun

LOGGER = logging.getLogger(__name__)
PREVIEWED = (Figure,)
PREVIEWED_FILES = ("scorecard", "alarm_scorecard", "comparison_html")
"""What MLflow's UI shows beside the figures of a run: pictures, and files of this name."""


class KdgatHooks:
    """The life of a run, with kdgat's checks, names, tags and lineage.

    Nothing is written, and no run is on record, before parameters and inputs are known to be
    good. What kedro-mlflow's hooks would send to MLflow while Kedro waits goes through
    `kdgat.tracking`; its configuration and `kedro mlflow ui` stay as they are.
    """

    run: TrackedRun | None = None

    def __init__(self) -> None:
        self._memory = ExitStack()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the parameters and read `mlflow.yml`; no store is opened."""
        loader = context.config_loader
        self.parameters: Parameters = check_parameters(loader["parameters"])
        self._default_seed: int = loader["globals"]["seed"]
        self._project = context.project_path
        self._changed = changed_parameters(self.parameters, loader)
        # where `kedro mlflow ui` looks for it
        context.mlflow = KedroMlflowConfig.model_validate(loader["mlflow"])

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Provide the built-in captures, pin the inputs, put the run on record."""
        self._provide_captures(pipeline)
        with versions.lock():
            record, origins = self._settle(run_params, pipeline, catalog)
            records.write(self.life.version, record)
        write_details(self.parameters.logging.level, self.life.version)
        self._say_beginning(record, origins)
        self._saved = saved_versions(pipeline, catalog)
        self._catalog = catalog
        chosen = run_params["runtime_params"] or {}
        self.run = self._begin(self.life.version, pipeline, origins, record, chosen)
        if not self.life.is_first:
            done = self.life.clear_the_way(pipeline, catalog)
            LOGGER.info("going on with run %s; done already: %s", self.life.version, done or "-")
        give_provenance(pipeline, catalog, record, self.run.run_id)
        self._memory.enter_context(self._remembering())

    def _settle(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> tuple[dict[str, Any], dict[str, Origin]]:
        """Fix what is read, find out which run this is a life of, and claim it."""
        command = command_of(run_params, self.parameters.model_dump(mode="json"))
        key, version = given_key(), run_params["run_id"]
        chosen = handed_on(run_params["load_versions"] or {}, pipeline.all_outputs())
        if key is not None:
            self.life = Life.find(command, version, key=key)
            if not self.life.is_first:  # go on with what was read, whatever is newer by now
                inputs = records.read(self.life.version)["inputs"].items()
                chosen = {name: origin["version"] for name, origin in inputs}
        origins = pin_versions(
            pipeline,
            catalog,
            seed=self.parameters.seed,
            default_seed=self._default_seed,
            producers=pipelines,
            chosen=chosen,
        )
        check_agreement(origins, self.parameters)
        record = run_record(run_params, pipeline, catalog, origins, self.parameters, self._project)
        if key is None:
            read = {name: origin.version for name, origin in origins.items()}
            self.life = Life.find(command | {"read": [read, record["dataset"]]}, version)
        self.life.claim()
        if not self.life.is_first:
            before = records.read(self.life.version)
            kept = ("version", "began", "used", "seconds")
            record |= {key: before[key] for key in kept if key in before}
            save_as(self.life.version, pipeline, catalog)
        return record, origins

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which node begins; its parameters were logged when the run began."""
        end_if_received()
        LOGGER.info("%s", node.short_name)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log what was read and the leak report, before a check can end the run."""
        LOGGER.debug("saved %s", dataset_name)
        if isinstance(data, PREVIEWED) or dataset_name in PREVIEWED_FILES:
            self.run.log_artifact(Path(self._catalog.get(dataset_name)._get_load_path()))
        if dataset_name in self._saved:
            self.life.note_saved(dataset_name)
            self.run.keep_used()
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
            scorecard = catalog.load("scorecard")
            self.run.log_metrics(scorecard_metrics(scorecard) | headline_metrics(scorecard))
        show_results(pipeline, catalog, self.life.version)

    def end_run(self, status: str, error: str | None = None) -> None:
        """Put the end of the run on record, whatever it was; called by the session, always.

        Args:
            status: FINISHED, FAILED or KILLED.
            error: what went wrong.
        """
        if self.run is None:  # it never began
            return
        self._memory.close()
        if status != "FINISHED":
            self.life.remove_half_saved(self._saved, self._catalog)
        self.run.end(status, error)
        self.run = None
        if status == "FINISHED":
            self.life.end()
            mark_complete(self._saved)
        end_details()

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

    def _say_beginning(self, record: dict[str, Any], origins: dict[str, Origin]) -> None:
        """Head the log: what runs on what, what is not as usual, what is read, where it goes."""
        dataset = record["dataset"]
        content = f" (captures {dataset['sha256'][:12]})" if dataset["sha256"] else ""
        LOGGER.info(
            "%s on %s%s, seed %d, version %s, commit %s",
            *(record["experiment"], dataset["name"], content, self.parameters.seed),
            *(record["version"], record["environment"]["git_commit"][:12]),
        )
        LOGGER.info("parameters other than by default: %s", self._changed or "none")
        for name, origin in origins.items():
            LOGGER.info("%s: %s", name, describe_origin(origin))
        LOGGER.info("results go to %s", locations.data_root())

    def _remembering(self) -> AbstractContextManager:
        # torch: only once something is about to run
        from kdgat.training.checkpoints import RunMemory, remembering

        dataset = self.parameters.dataset
        return remembering(RunMemory(self.life.folder, dataset, partial(last_budget, dataset)))

    def _begin(
        self,
        version: str,
        pipeline: Pipeline,
        origins: dict[str, Origin],
        record: dict[str, Any],
        chosen: dict[str, Any],
    ) -> TrackedRun:
        tags = run_tags(self.parameters, pipeline, version, self._project)
        tags["changed"] = self._changed or "none"
        for name, origin in origins.items():
            tags[f"input.{name}"] = describe_origin(origin)
        experiment = record["experiment"]
        run = TrackedRun.begin(
            version,
            experiment=experiment,
            name=name_run(experiment, self.parameters, chosen),
            tags=tags,
            used=record.get("used"),
            spent=record["seconds"],
        )
        run.log_parameters(flatten(self.parameters))
        return run
