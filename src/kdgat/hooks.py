"""What happens around a run: check, provide, pin, track, show."""

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
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook

from kdgat import locations, tracking
from kdgat.lineage import Origin, pin_versions, saved_versions
from kdgat.parameters import Parameters, check_parameters
from kdgat.show import show_results
from kdgat.slurm.job import mark_complete

LOGGER = logging.getLogger(__name__)
EPOCHS = logging.getLogger("kdgat.epochs")
WHOLE_CHAIN = "chain"


class KdgatHooks(MlflowHook):
    """kedro-mlflow's life cycle of a run, with kdgat's checks, names, tags and lineage.

    Nothing is written, and no MLflow run begins, before parameters and inputs are known
    to be good.
    """

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the parameters and read `mlflow.yml`; the store is opened when a run begins."""
        loader = context.config_loader
        self.parameters: Parameters = check_parameters(loader["parameters"])
        self._default_seed: int = loader["globals"]["seed"]
        self._already_active_mlflow = False
        self._context = context
        self.mlflow_config = KedroMlflowConfig.model_validate(loader["mlflow"])
        context.mlflow = self.mlflow_config  # where `kedro mlflow ui` looks for it

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Provide the built-in captures, pin the inputs, open the MLflow run."""
        self._provide_captures(pipeline)
        origins = pin_versions(
            pipeline,
            catalog,
            seed=self.parameters.seed,
            default_seed=self._default_seed,
            producers=pipelines,
        )
        self._open_store(run_params)
        super().before_pipeline_run(run_params=run_params, pipeline=pipeline, catalog=catalog)
        self._describe_run(run_params["run_id"], pipeline, origins)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which node begins; its parameters were logged when the run began."""
        LOGGER.info("%s", node.name)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Send the leak report to MLflow before a failed check can end the run."""
        if dataset_name == "leak_report":
            tracking.log_leaks(self._client, self.run_id, data)
        elif dataset_name == "leak_page":
            self._client.log_text(self.run_id, data, "leak_report.md")

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Show the results and where they lie; close the MLflow run."""
        if "scorecard" in pipeline.all_outputs():
            tracking.log_scorecard(self._client, self.run_id, catalog.load("scorecard"))
        show_results(pipeline, catalog, run_params["run_id"])
        EPOCHS.removeHandler(self._epoch_metrics)
        super().after_pipeline_run(run_params=run_params, pipeline=pipeline, catalog=catalog)
        mark_complete(saved_versions(pipeline, catalog))

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: CatalogProtocol,
    ) -> None:
        """Mark the MLflow run FAILED, with the error as a tag."""
        EPOCHS.removeHandler(self._epoch_metrics)
        tracking.log_tags(self._client, self.run_id, {"error": f"{error}"[:5000]})
        super().on_pipeline_error(
            error=error, run_params=run_params, pipeline=pipeline, catalog=catalog
        )

    @property
    def _client(self):
        return self.mlflow_config.server._mlflow_client

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

    def _open_store(self, run_params: dict[str, Any]) -> None:
        experiment = "+".join(run_params["pipeline_names"] or [WHOLE_CHAIN])
        self.mlflow_config.tracking.experiment.name = experiment
        self.mlflow_config.tracking.run.name = (
            f"{experiment} {self.parameters.dataset} seed {self.parameters.seed}"
        )
        folder = Path(locations.data_root())
        folder.mkdir(parents=True, exist_ok=True)
        # Two processes that create the store or an experiment at once break each other.
        with FileLock(folder / "mlflow.lock"):
            self.mlflow_config.setup(self._context)

    def _describe_run(self, version: str, pipeline: Pipeline, origins: dict[str, Origin]) -> None:
        tags = tracking.run_tags(self.parameters, pipeline, version, self._context.project_path)
        for name, origin in origins.items():
            tags[f"input.{name}"] = tracking.describe_origin(self._client, origin)
            LOGGER.info("%s: %s", name, tags[f"input.{name}"])
        tracking.log_tags(self._client, self.run_id, tags)
        tracking.log_parameters(self._client, self.run_id, self.parameters)
        self._epoch_metrics = tracking.EpochMetrics(self._client, self.run_id)
        EPOCHS.addHandler(self._epoch_metrics)
