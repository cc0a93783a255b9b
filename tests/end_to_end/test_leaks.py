"""A leak ends the run in one sentence, after the report has been stored and tracked."""

import json
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

TRAIN = "train_02_with_attacks/drive"
TEST = "test_01_known_vehicle_known_attack/drive"


def drive(seed: int, num_frames: int = 5000) -> list[str]:
    generator = np.random.default_rng(seed)
    time = np.cumsum(generator.integers(200, 900, num_frames)) / 1e6
    ids = generator.integers(0x100, 0x10A, num_frames)
    payloads = generator.bytes(2 * num_frames).hex().upper()
    attack = (np.arange(num_frames) // 1000) % 2
    return [
        f"{time[n]:.6f},{ids[n]:03X},{payloads[4 * n : 4 * n + 4]},{attack[n]}\n"
        for n in range(num_frames)
    ]


def write(root: Path, captures: dict[str, list[str]]) -> Path:
    for name, rows in captures.items():
        path = root / f"{name}.csv"
        path.parent.mkdir(parents=True)
        path.write_text("timestamp,arbitration_id,data_field,attack\n" + "".join(rows))
    return root


def process(project, dataset: str, *parameters: str):
    given = ",".join([f"dataset={dataset}", *parameters])
    return project.run("--pipeline", "data_processing", "--params", given)


def test_a_training_capture_hidden_in_test(tmp_path, new_project):
    seen = drive(1)
    write(tmp_path / "raw" / "mine", {TRAIN: seen, TEST: drive(2, 2500) + seen[:2507]})
    project = new_project(tmp_path / "data", tmp_path / "raw")

    refused = process(project, "mine")

    assert refused.returncode == 1, refused.stdout + refused.stderr
    sentence = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert len(sentence) == 1
    assert "Traceback" not in refused.stderr
    assert "known_frames is 0." in sentence[0]
    assert "at most 0.01 passes" in sentence[0]
    assert TEST in sentence[0]
    assert not project.versions("*.safetensors")
    report = json.loads(project.versions("leak_report.json")[0].read_text())
    assert "known_frames" in {row["check"] for row in report if row["verdict"] == "failed"}
    assert "**failed**" in project.versions("leak_report.md")[0].read_text()

    client = MlflowClient(f"sqlite:///{project.data}/mlflow.db")
    [run] = client.search_runs([x.experiment_id for x in client.search_experiments()])
    assert run.info.status == "FAILED"
    assert "known_frames" in run.data.tags["leaks.failed"]
    assert run.data.metrics["leaks/known_frames"] > 0.3
    artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {"leak_report.json", "leak_report.md"} <= artifacts

    names = sentence[0].rsplit("data_processing.allowed_leaks=", maxsplit=1)[1].rstrip("`")
    allowed = process(project, "mine", f"data_processing.allowed_leaks={names}")

    assert allowed.returncode == 0, allowed.stderr
    assert "leak report: known_frames is 0." in allowed.stderr
    assert len(project.versions("train_graphs.safetensors")) == 1


def test_a_test_capture_that_repeats_training_is_allowed_by_name(tmp_path, new_project):
    seen = drive(7)
    write(tmp_path / "raw" / "mine", {TRAIN: seen, TEST: seen})
    project = new_project(tmp_path / "data", tmp_path / "raw")
    refused = process(project, "mine")
    assert refused.returncode == 1
    assert (
        f"Test capture {TEST} holds the same frames as training capture {TRAIN}" in refused.stderr
    )
    allowed = process(project, "mine", f"data_processing.allowed_repeats={TEST}")
    assert allowed.returncode == 0, allowed.stderr
    assert f"{TEST} may repeat training" in allowed.stderr


def test_a_test_capture_that_another_dataset_trains_on(tmp_path, new_project):
    own, test = drive(3), drive(4, 2500)
    write(tmp_path / "raw" / "mine", {TRAIN: own, TEST: test})
    write(tmp_path / "raw" / "theirs", {TRAIN: test + drive(5, 2500), TEST: drive(6, 2500)})
    project = new_project(tmp_path / "data", tmp_path / "raw")
    assert process(project, "mine").returncode == 0
    refused = process(project, "mine", "data_processing.also_trained_on=theirs")
    assert refused.returncode == 1
    assert "known_frames is 1.000" in refused.stderr
    missing = process(project, "mine", "data_processing.also_trained_on=nobody")
    assert missing.returncode == 1
    assert "nobody" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_a_test_capture_that_a_further_car_has_driven(tmp_path, new_project):
    test = drive(4, 2500)
    benign = [f"{row[:-2]}0\n" for row in test + drive(5, 2500)]
    write(tmp_path / "raw" / "mine", {TRAIN: drive(3), TEST: test})
    write(tmp_path / "raw" / "theirs", {"train_01_attack_free/drive": benign, TEST: drive(6, 2500)})
    project = new_project(tmp_path / "data", tmp_path / "raw")
    refused = process(project, "mine", "data_processing.further_vehicles=theirs")
    assert refused.returncode == 1
    assert "known_frames is 1.000" in refused.stderr
    assert not project.versions("*.safetensors")


@pytest.mark.parametrize(
    ("parameter", "parts"),
    [
        ("allowed_leaks=positon", ["data_processing.allowed_leaks.0", "positon", "'position'"]),
        ("leak_limits.position=1.5", ["data_processing.leak_limits.position", "1.5"]),
    ],
)
def test_a_check_that_does_not_exist(parameter, parts, tmp_path, new_project):
    result = process(new_project(tmp_path / "data"), "synthetic", f"data_processing.{parameter}")
    assert result.returncode == 1
    [sentence] = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    for part in parts:
        assert part in sentence


def test_reports_go_into_the_page_on_data(chain, tmp_path):
    project, _ = chain
    page = tmp_path / "page.md"
    begin = "<!-- leak reports, written by `kedro leaks`: begin -->"
    page.write_text(f"before\n{begin}\nold\n<!-- leak reports: end -->\nafter\n")
    result = project.kedro("leaks", "synthetic", "--output", str(page))
    assert result.returncode == 0, result.stderr
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| check | measured | limit | synthetic |" in text
    assert project.kedro("leaks", "nobody", "--output", str(page)).returncode == 1
