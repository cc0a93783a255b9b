"""The real pipelines as Slurm jobs, from a snapshot."""

import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient
from safetensors import safe_open

from kdgat.slurm.snapshot import take_snapshot

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = "autoencoder.fit.epochs=40,autoencoder.fit.patience=40"
pytestmark = pytest.mark.usefixtures("cluster")


def weights(path: Path) -> dict[str, bytes]:
    with safe_open(path, framework="np") as file:
        names = list(file.keys())
        return {name: file.get_tensor(name).tobytes() for name in names}


def test_a_requeued_training_goes_on_with_the_code_of_the_submission(
    desk, tmp_path, forks, wait_for, state_of
):
    """Its weights are those of a run outside Slurm that nobody interrupted."""
    desk.site = None
    desk.checkout = tmp_path / "kdgat"
    take_snapshot(ROOT, desk.checkout)
    values = ("--env", "smoke", "--params", EPOCHS)
    jobs = desk.submit("data_processing", "autoencoder", *values)
    (desk.checkout / "conf" / "smoke" / "parameters.yml").write_text("sead: 3\n")
    (desk.checkout / "src" / "kdgat" / "__init__.py").write_text("raise SystemExit(9)\n")
    whole = ("run", "--pipelines", "data_processing,autoencoder", *values)
    reference = forks.kedro(tmp_path / "whole", *whole)
    wait_for(lambda: "  epoch 2/" in desk.log("autoencoder"), 600)
    subprocess.run(["scontrol", "requeue", jobs[1]], check=True)
    wait_for(lambda: state_of(jobs[1]) in ("COMPLETED", "FAILED", "CANCELLED"), 600)
    assert [state_of(job) for job in jobs] == ["COMPLETED"] * 2, desk.log("")

    (graphs,) = desk.data.glob("05_model_input/synthetic/drawn_train_graphs.safetensors/*")
    (model,) = desk.data.glob("06_models/synthetic/seed_1/teacher_autoencoder.safetensors/*")
    assert graphs.name.endswith(f"-j{jobs[0]}")
    assert model.name.endswith(f"-j{jobs[1]}")
    client = MlflowClient(f"sqlite:///{desk.data}/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(experiments, f"tags.version = '{model.name}'")
    tags = run.data.tags
    assert run.info.status == "FINISHED"
    assert run.data.params["autoencoder.fit.epochs"] == "40"
    assert tags["slurm.job_id"] == jobs[1]
    assert tags["slurm.restart_count"] == "1"
    assert tags["slurm.partition"] == "cpu"
    assert tags["slurm.node"]
    assert tags["input.drawn_train_graphs"].startswith(f"version {graphs.name}, ")
    assert tags["git_commit"] != "none"
    log = desk.log("autoencoder")
    assert "\r" not in log
    assert "\x1b" not in log
    assert f"going on with run {model.name}" in log
    assert log.count("  epoch 1/40") == 1

    assert reference.wait(600) == 0, reference.printed
    name = "teacher_autoencoder.safetensors"
    (expected,) = (tmp_path / "whole").glob(f"06_models/synthetic/seed_1/{name}/*/{name}")
    assert weights(model / name) == weights(expected)
