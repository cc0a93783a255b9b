"""`kedro run`, and again with another seed."""

import hashlib
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient

MODELS = [
    f"{size}_{kind}.safetensors"
    for size in ("teacher", "student")
    for kind in ("autoencoder", "classifier", "agent")
]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tracked_runs(project) -> list:
    client = MlflowClient(f"sqlite:///{project.data}/mlflow.db")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return client.search_runs(experiments)


def test_chain_leaves_every_model_and_a_scorecard(chain):
    project, result = chain
    assert [len(project.versions(name)) for name in MODELS] == [1] * 6
    table = pd.read_csv(project.versions("scorecard.csv")[0])
    assert {"f1", "precision", "recall", "false_positive_rate", "auroc", "n"} <= set(table)
    assert len(set(table["scenario"])) == 6
    assert "models: " in result.stdout
    assert "MLflow UI" in result.stdout


def test_the_students_name_the_ids_under_attack_better_than_chance(chain):
    project, _ = chain
    table = pd.read_csv(project.versions("offender_scorecard.csv")[0])
    alarmed = table[table["model"].str.startswith("student_") & (table["n_alarmed"] > 0)]
    hits = (alarmed["n_alarmed"] * alarmed["hit_at_1"]).sum()
    assert hits > 1.2 * (alarmed["n_alarmed"] * alarmed["chance_at_1"]).sum() > 0


def test_log_is_quiet(chain):
    _, result = chain
    printed = result.stdout + result.stderr
    assert "\r" not in printed
    assert "\x1b" not in printed
    assert len(printed) < 60_000
    assert "Warning" not in printed


def test_run_is_tracked_with_tags_parameters_and_metrics_of_every_stage(chain):
    project, _ = chain
    run = next(run for run in tracked_runs(project) if run.data.tags["random_seed"] == "1")
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "chain synthetic seed 1"
    assert run.data.tags["dataset"] == "synthetic"
    assert run.data.tags["model_size"] == "student+teacher"
    assert run.data.params["autoencoder.fit.epochs"]
    assert "test_01_known_vehicle_known_attack/student_fusion/auroc" in run.data.metrics
    stages = {key.split("/")[0] for key in run.data.metrics}
    assert {"autoencoder", "teacher", "student_autoencoder", "student_classifier"} <= stages


def test_results_page_holds_the_scorecard_of_each_dataset(chain, tmp_path):
    project, _ = chain
    page = tmp_path / "results.md"
    result = project.kedro("results", "synthetic", "--output", str(page))
    assert result.returncode == 0, result.stderr
    assert "## synthetic, seed 1" in page.read_text()
    assert "| test 01 known vehicle known attack | student fusion |" in page.read_text()
    assert "of this data root hold (parameters but the seed, at one state of the code): 1." in (
        page.read_text()
    )
    assert "(pictures/synthetic_score_over_time.png)" in page.read_text()
    (drawn,) = project.versions("score_over_time.png")
    assert digest(tmp_path / "pictures" / "synthetic_score_over_time.png") == digest(drawn)
    first = page.read_text()
    page.write_text(first.replace("# Results\n", "# Our results\n", 1))
    assert project.kedro("results", "synthetic", "--output", str(page)).returncode == 0
    assert page.read_text() == first.replace("# Results\n", "# Our results\n", 1)

    missing = project.kedro("results", "nowhere", "--output", str(page))
    assert missing.returncode == 1
    assert "no scorecard of nowhere with seed 1: run `kedro run --params " in missing.stderr
    new = tmp_path / "new.md"
    page.write_text("# Mine\n")
    headline = ("--output", str(new), "--headline", str(page))
    assert project.kedro("results", "synthetic", *headline).returncode == 1
    assert not new.exists()
    unmarked = project.kedro("results", "synthetic", "--output", str(page))
    assert unmarked.returncode == 1
    assert "has 0 lines `<!-- results, written by `kedro results`: begin -->`" in unmarked.stderr
    assert page.read_text() == "# Mine\n"


def test_fusion_with_another_seed_takes_the_default_models_and_says_so(copied_chain, tmp_path):
    project = copied_chain(tmp_path / "data")
    before = {path: digest(path) for path in project.versions("*.safetensors")}
    version = project.versions("teacher_classifier.safetensors")[0].parent.name

    result = project.run("--pipeline", "fusion", "--params", "seed=2")

    assert result.returncode == 0, result.stderr
    assert f"teacher_classifier: version {version}, seed 1, run " in result.stderr
    run = next(run for run in tracked_runs(project) if run.data.tags["random_seed"] == "2")
    assert run.data.tags["input.teacher_classifier"].startswith(f"version {version}, seed 1, run ")
    assert "unknown" not in run.data.tags["input.teacher_classifier"]
    agents = project.versions("teacher_agent.safetensors")
    assert [path.parents[2].name for path in agents] == ["seed_1", "seed_2"]
    assert digest(agents[0]) != digest(agents[1])
    assert {path: digest(path) for path in before} == before
