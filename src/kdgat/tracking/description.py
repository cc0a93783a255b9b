"""What a run is called, and the tags that say what it is."""

import os
import socket
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline

from kdgat import __version__
from kdgat.lineage import Origin
from kdgat.metrics import by_condition
from kdgat.parameters import Parameters, flatten
from kdgat.slurm.job import job_name, job_tags
from kdgat.tracking import records

TEST_METRICS = ("f1", "precision", "recall", "false_positive_rate", "auroc")
NAME_LENGTH = 120  # what a list of runs can show
CAPTURE_COUNTS = ("frames", "attack_frames", "bad_rows", "error_frames", "steps_back")
PROTOCOL = "zero-shot+calibrated"  # every test capture is judged under both


def scorecard_metrics(scorecard: pd.DataFrame) -> dict[str, float]:
    """Name what each model reached on each scenario, `<scenario>/<model>/<metric>` -> value.

    Figures of the calibrated protocol stand under `<scenario>_calibrated`.

    Args:
        scorecard: one row per model and scenario; a metric that is undefined there is left out.
    """
    return {
        f"{row['scenario']}/{row['model']}/{name}": float(row[name])
        for _, row in by_condition(scorecard).iterrows()
        for name in TEST_METRICS
        if pd.notna(row[name])
    }


def headline_metrics(scorecard: pd.DataFrame) -> dict[str, float]:
    """Sum up the student fusion, as means over test scenarios, `<metric>/<protocol>` -> value.

    Args:
        scorecard: one row per model, protocol and scenario; scenarios in which a metric is
            undefined do not count for it.
    """
    student = scorecard[scorecard["model"] == "student_fusion"]
    return {
        f"{short}/{protocol}": float(mean)
        for short, name in (("f1", "f1"), ("fpr", "false_positive_rate"))
        for protocol, mean in student.groupby("protocol")[name].mean().dropna().items()
    }


def name_run(experiment: str, parameters: Parameters, chosen: dict[str, Any]) -> str:
    """Name a run by pipeline, dataset, seed and what else the command chose.

    Args:
        experiment: the pipeline's name.
        parameters: all of them.
        chosen: what `--params` said, nested.

    Returns:
        `fusion hcrl_sa seed 2`, or `fusion hcrl_sa seed 2 distillation.soft.enabled=False`.
    """
    usual = f"{experiment} {parameters.dataset} seed {parameters.seed}"
    others = [f"{k}={v}" for k, v in flatten(chosen).items() if k not in ("dataset", "seed")]
    return " ".join([usual, *others])[:NAME_LENGTH]


def capture_metrics(summary: pd.DataFrame) -> dict[str, float]:
    """Count what was read and what was left out, `captures/<count>` -> value.

    Args:
        summary: one row per capture.
    """
    totals = {f"captures/{name}": float(summary[name].sum()) for name in CAPTURE_COUNTS}
    return {**totals, "captures/captures": float(len(summary))}


def leak_metrics(report: list[dict]) -> dict[str, float]:
    """Give the worst figure of each check of a leak report, `leaks/<check>` -> figure."""
    worst: dict[str, float] = {}
    for row in report:
        if row["check"] and row["figure"] is not None:
            name = f"leaks/{row['check']}"
            worst[name] = max(row["figure"], worst.get(name, row["figure"]))
    return worst


def leak_tags(report: list[dict]) -> dict[str, str]:
    """Name the checks of a leak report by verdict, `leaks.<verdict>` -> checks."""
    verdicts: dict[str, list[str]] = {}
    for row in report:
        if row["check"]:
            verdicts.setdefault(f"leaks.{row['verdict'].replace(' ', '_')}", []).append(
                row["check"]
            )
    return {verdict: ", ".join(dict.fromkeys(checks)) for verdict, checks in verdicts.items()}


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
    described = ("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    commit = records.git(project, *described) or "none"
    protocol = {"protocol": PROTOCOL} if "scorecard" in pipeline.all_outputs() else {}
    return {
        "dataset": parameters.dataset,
        "random_seed": str(parameters.seed),
        "model_size": "+".join(_sizes_trained(pipeline)) or "none",
        "training_mode": _training_mode(parameters, stages),
        **protocol,
        "version": version,
        "pipeline_version": __version__,
        "git_commit": commit,
        "host": socket.gethostname(),
        "job": job_name() or "none",
        "command": " ".join(["kedro", *sys.argv[1:]]),
        "mlflow.user": os.environ.get("USER", "unknown"),
        "mlflow.source.name": "kdgat",
        "mlflow.source.git.commit": commit,
        **job_tags(),
    }


def describe_origin(origin: Origin) -> str:
    """Say where an input came from: version, seed and the run that made it.

    Returns:
        `version ..., seed ..., run ...`; the seed only where one enters.
    """
    run_id = records.read(origin.version).get("run_id") if records.exists(origin.version) else None
    seed = "" if origin.seed is None else f"seed {origin.seed}, "
    pinned = ", pinned" if origin.is_pinned else ""
    return f"version {origin.version}, {seed}run {run_id or 'unknown to this data folder'}{pinned}"


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
