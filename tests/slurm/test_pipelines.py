"""The real pipelines as Slurm jobs, from a snapshot."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from kdgat.slurm.snapshot import take_snapshot

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("cluster")


def test_chain_runs_the_code_of_the_submission_and_says_which_job_it_was(
    desk, tmp_path, wait_for, state_of
):
    desk.site = None
    desk.checkout = tmp_path / "kdgat"
    take_snapshot(ROOT, desk.checkout)
    short = ("--env", "smoke", "--params", "simulator.duration=3.0")
    jobs = desk.submit("data_processing", "autoencoder", *short)
    (desk.checkout / "conf" / "smoke" / "parameters.yml").write_text("sead: 3\n")
    (desk.checkout / "src" / "kdgat" / "__init__.py").write_text("raise SystemExit(9)\n")
    wait_for(lambda: state_of(jobs[1]) in ("COMPLETED", "FAILED", "CANCELLED"), 240)
    assert [state_of(job) for job in jobs] == ["COMPLETED"] * 2, desk.log("")

    (graphs,) = desk.data.glob("05_model_input/synthetic/drawn_train_graphs.safetensors/*")
    (model,) = desk.data.glob("06_models/synthetic/seed_1/teacher_autoencoder.safetensors/*")
    assert graphs.name.endswith(f"-j{jobs[0]}")
    assert model.name.endswith(f"-j{jobs[1]}")
    client = MlflowClient(f"sqlite:///{desk.data}/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    run = client.search_runs(experiments, f"tags.version = '{model.name}'")[0]
    tags = run.data.tags
    assert run.data.params["simulator.duration"] == "3.0"
    assert tags["slurm.job_id"] == jobs[1]
    assert tags["slurm.restart_count"] == "0"
    assert tags["slurm.partition"] == "cpu"
    assert tags["slurm.node"]
    assert tags["input.drawn_train_graphs"].startswith(f"version {graphs.name}, ")
    assert tags["git_commit"] != "none"
    log = desk.log("autoencoder")
    assert "\r" not in log
    assert "\x1b" not in log
