"""`kedro sweep` and `kedro report` on real runs: two stages, two seeds."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

PLAN = """
pipelines: [autoencoder, evaluation]
datasets: [synthetic]
seeds: 1-2
overrides:
  few: {evaluation.trees: 2}
environment: smoke
"""


@pytest.fixture(scope="module")
def swept(copied_chain, tmp_path_factory):
    """A project with a chain's models in which a sweep has ended; its plan, what it printed."""
    folder = tmp_path_factory.mktemp("sweep")
    project = copied_chain(folder / "data")
    plan = folder / "trees.yml"
    plan.write_text(PLAN)
    return project, plan, project.kedro("sweep", str(plan), "--at-a-time", "2")


def records_of(project) -> list[Path]:
    return sorted((project.data / "09_tracking" / "runs").glob("*.json"))


def test_one_command_runs_the_plan_and_reports(swept):
    project, _, result = swept
    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 done, 0 running, 0 failed, 0 missing" in result.stdout
    done = [
        line.split()[2]
        for line in result.stdout.splitlines()
        if "  done    " in line and "/" in line
    ]
    assert sorted(done) == [
        "autoencoder/synthetic/seed_1/few",
        "autoencoder/synthetic/seed_2/few",
        "evaluation/synthetic/seed_1/few",
        "evaluation/synthetic/seed_2/few",
    ]
    (page,) = project.versions("comparison_page.html")
    assert f"report: {page}" in result.stdout


def test_every_stage_used_the_models_of_its_own_cell(swept):
    """Seed 1 has a second teacher_autoencoder, the chain's; the sweep's is the newer one."""
    project, _, _ = swept
    models = project.versions("teacher_autoencoder.safetensors")
    newest = {path.parents[2].name: path.parent.name for path in models}
    logs = (project.data / "09_tracking" / "sweeps").glob("evaluation-*.log")
    text = "".join(log.read_text() for log in logs)
    for seed in (1, 2):
        read = f"teacher_autoencoder: version {newest[f'seed_{seed}']}, seed {seed}, run "
        assert text.count(read) == 1


def test_the_report_holds_every_cell_and_seed(swept):
    project, _, _ = swept
    runs = pd.read_csv(project.versions("reported_runs.csv")[0])
    assert len(runs) == 4
    assert set(runs["state"]) == {"done"}
    assert runs["seconds"].gt(0).all()
    summary = pd.read_csv(project.versions("seed_summary.csv")[0])
    assert set(summary["n"]) == {2}
    html = project.versions("comparison_page.html")[0].read_text()
    for part in ("None: all 4 cells are done.", "data:image/png;base64", "One variant only"):
        assert part in html


def test_again_it_runs_nothing_and_a_lost_file_is_made_again(swept):
    project, plan, _ = swept
    before = records_of(project)
    again = project.kedro("sweep", str(plan), "--no-report")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "begin" not in again.stdout
    assert records_of(project) == before

    lost = project.versions("scorecard.csv")[-1]
    lost.unlink()
    shown = project.kedro("sweep", str(plan), "--status")
    assert shown.returncode == 0
    assert "3 done, 0 running, 0 failed, 1 missing" in shown.stdout
    assert "files of its run are gone" in shown.stdout


CELL = "data_processing/nowhere/seed_1/plain"


def test_a_failed_cell_is_listed_and_fails_the_command(tmp_path, new_project):
    project = new_project(tmp_path / "data")
    choices = [
        "--pipelines",
        "data_processing,autoencoder",
        "--datasets",
        "nowhere",
        "--seeds",
        "1",
    ]
    cell = project.kedro("sweep", *choices, "--cell", CELL, "--env", "smoke")
    assert cell.returncode == 1
    assert "the cell is not done" in cell.stderr
    result = project.kedro("sweep", *choices, "--env", "smoke")
    assert result.returncode == 1
    assert "0 done, 0 running, 1 failed, 1 missing" in result.stdout
    assert "failed data_processing/nowhere/seed_1/plain: " in result.stdout
    assert "no report: " in result.stdout
    assert result.stderr.splitlines()[-1].startswith("error: the plan is not done")


def test_a_sweep_that_is_told_to_end_ends_its_runs(tmp_path):
    choices = ["--pipelines", "data_processing", "--datasets", "synthetic", "--seeds", "1"]
    unmeasured = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    sweep = subprocess.Popen(
        [sys.executable, "-m", "kedro", "sweep", *choices, "--env", "smoke"],
        cwd=Path(__file__).resolve().parents[2],
        env={**unmeasured, "KDGAT_DATA_ROOT": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "begin" in sweep.stdout.readline()
    logs = tmp_path / "09_tracking" / "sweeps"
    while not list(logs.glob("*.log")):
        time.sleep(0.05)
    time.sleep(1.0)  # the run is starting
    sweep.send_signal(signal.SIGTERM)
    sweep.communicate(timeout=300)
    assert sweep.returncode == 143
    (log,) = logs.glob("*.log")
    assert log.read_text().splitlines()[-1].startswith("exit code ")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_report_on_any_runs_names_variants_by_what_differs(swept):
    """The chain's own run has 5 trees and seed 1: one seed in common with the sweep's."""
    project, _, _ = swept
    search = "tags.dataset = 'synthetic'"
    result = project.kedro("report", "--filter", search, "--env", "smoke", "--name", "any")
    assert result.returncode == 0, result.stdout + result.stderr
    folder = project.data / "08_reporting" / "reports" / "any"
    runs, paired = (
        pd.read_csv(next(folder.glob(f"{name}/*/{name}")))
        for name in ("reported_runs.csv", "paired_differences.csv")
    )
    assert set(runs["variant"]) == {"evaluation.trees=5", "evaluation.trees=2"}
    assert set(paired["n"]) == {1}
    page = next(folder.glob("comparison_page.md/*/comparison_page.md")).read_text()
    assert "1 seeds in common. Too few to rank" in page
