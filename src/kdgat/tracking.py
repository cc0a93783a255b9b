"""What goes to MLflow beside what kedro-mlflow sends: names, tags, parameters, epochs."""

import logging
import subprocess
import time
from pathlib import Path

import pandas as pd
from kedro.pipeline import Pipeline
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from kdgat.lineage import Origin
from kdgat.parameters import Parameters, flatten
from kdgat.slurm.job import job_tags

TEST_METRICS = ("f1", "precision", "recall", "false_positive_rate", "auroc")
PARAMETERS_PER_BATCH = 100  # MLflow refuses more in one call


class EpochMetrics(logging.Handler):
    """Carries the records of the logger `kdgat.epochs` to a run, one batch an epoch."""

    def __init__(self, client: MlflowClient, run_id: str):
        super().__init__(logging.DEBUG)
        self.client = client
        self.run_id = run_id

    def emit(self, record: logging.LogRecord) -> None:
        """Log one epoch as `<stage>/<metric>`."""
        now = int(time.time() * 1000)
        metrics = [
            Metric(f"{record.stage}/{name}", value, now, record.epoch)
            for name, value in record.metrics.items()
        ]
        self.client.log_batch(self.run_id, metrics=metrics)


def log_parameters(client: MlflowClient, run_id: str, parameters: Parameters) -> None:
    """Log every parameter under its dotted path.

    Args:
        client: of the tracking store.
        run_id: the run to log to.
        parameters: all of them.
    """
    values = [Param(key, str(value)) for key, value in flatten(parameters).items()]
    for start in range(0, len(values), PARAMETERS_PER_BATCH):
        client.log_batch(run_id, params=values[start : start + PARAMETERS_PER_BATCH])


def log_scorecard(client: MlflowClient, run_id: str, scorecard: pd.DataFrame) -> None:
    """Log what each model reached on each scenario, as `<scenario>/<model>/<metric>`.

    Args:
        client: of the tracking store.
        run_id: the run to log to.
        scorecard: one row per model and scenario; a metric that is undefined there is left out.
    """
    now = int(time.time() * 1000)
    metrics = [
        Metric(f"{row['scenario']}/{row['model']}/{name}", float(row[name]), now, 0)
        for _, row in scorecard.iterrows()
        for name in TEST_METRICS
        if pd.notna(row[name])
    ]
    client.log_batch(run_id, metrics=metrics)


def log_leaks(client: MlflowClient, run_id: str, report: list[dict]) -> None:
    """Log the leak report: an artifact, the worst figure of each check, a tag per verdict.

    Args:
        client: of the tracking store.
        run_id: the run to log to.
        report: rows with check, figure and verdict.
    """
    worst: dict[str, float] = {}
    verdicts: dict[str, list[str]] = {}
    for row in report:
        if not row["check"]:
            continue
        verdicts.setdefault(row["verdict"].replace(" ", "_"), []).append(row["check"])
        if row["figure"] is not None:
            worst[row["check"]] = max(row["figure"], worst.get(row["check"], row["figure"]))
    now = int(time.time() * 1000)
    metrics = [Metric(f"leaks/{check}", figure, now, 0) for check, figure in worst.items()]
    tags = [
        RunTag(f"leaks.{verdict}", ", ".join(dict.fromkeys(checks)))
        for verdict, checks in verdicts.items()
    ]
    client.log_batch(run_id, metrics=metrics, tags=tags)
    client.log_dict(run_id, {"checks": report}, "leak_report.json")


def log_tags(client: MlflowClient, run_id: str, tags: dict[str, str]) -> None:
    """Set tags in one call.

    Args:
        client: of the tracking store.
        run_id: the run to tag.
        tags: name -> value.
    """
    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])


def run_tags(parameters: Parameters, pipeline: Pipeline, version: str, project: Path) -> dict:
    """Say what a run is.

    Args:
        parameters: all of them.
        pipeline: the pipeline that runs.
        version: version of everything the run saves.
        project: the project's folder, for the git commit.

    Returns:
        Tag -> value.
    """
    stages = {tag for node in pipeline.nodes for tag in node.tags}
    return {
        "dataset": parameters.dataset,
        "random_seed": str(parameters.seed),
        "model_size": "+".join(_sizes_trained(pipeline)) or "none",
        "training_mode": _training_mode(parameters, stages),
        "version": version,
        "git_commit": _git_commit(project),
        **job_tags(),
    }


def _sizes_trained(pipeline: Pipeline) -> list[str]:
    models = {
        f"{size}_{model}": size
        for size in ("teacher", "student")
        for model in ("autoencoder", "classifier", "agent")
    }
    return sorted({size for name, size in models.items() if name in pipeline.all_outputs()})


def _training_mode(parameters: Parameters, stages: set[str]) -> str:
    soft = "distilled" if parameters.distillation.soft.enabled else "undistilled"
    modes = {
        "autoencoder": "normal",
        "teacher": parameters.teacher.mode,
        "distillation": f"{parameters.distillation.mode} {soft}",
        "fusion": "dqn",
    }
    used = {stage: mode for stage, mode in modes.items() if stage in stages}
    if len(used) == 1:
        return next(iter(used.values()))
    return ", ".join(f"{stage} {mode}" for stage, mode in used.items()) or "none"


def _git_commit(project: Path) -> str:
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or "none"


def describe_origin(client: MlflowClient, origin: Origin) -> str:
    """Say where an input came from: version, seed and the run that made it.

    Args:
        client: of the tracking store.
        origin: the input's origin.

    Returns:
        `version ..., seed ..., run ...`; the seed only where one enters.
    """
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(experiments, f"tags.version = '{origin.version}'", max_results=1)
    run = runs[0].info.run_id if runs else "unknown to this tracking store"
    seed = "" if origin.seed is None else f"seed {origin.seed}, "
    return f"version {origin.version}, {seed}run {run}"
