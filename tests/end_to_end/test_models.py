"""Find, explain, repeat, compare, pin, prune and use what a chain has left."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kdgat
from kdgat.can.captures import find_captures
from kdgat.datasets.tensors import read_model
from kdgat.errors import DataError, ParameterError

SECONDS = 1.5
"""`data_processing.profile.seconds` of the smoke configuration."""

MODELS = [
    f"{size}_{kind}"
    for size in ("student", "teacher")
    for kind in ("agent", "autoencoder", "classifier")
]


SMOKE = ("run", "--env", "smoke")


@pytest.fixture(scope="module")
def data(tmp_path_factory, copied_chain):
    """A data root in which one chain has ended."""
    return copied_chain(tmp_path_factory.mktemp("models") / "data").data


def versions_of(data, name: str = "student_agent") -> list[str]:
    return sorted(path.parent.name for path in data.rglob(f"{name}.safetensors") if path.is_file())


def file_of(data, name: str, version: str) -> Path:
    (path,) = data.rglob(f"{name}.safetensors/{version}/{name}.safetensors")
    return path


@pytest.fixture
def command(forks, data):
    """Runs `kedro <arguments>` on the data root and returns what it printed."""

    def command(*arguments: str, code: int = 0) -> str:
        process = forks.kedro(data, *arguments)
        assert process.wait() == code, process.printed
        assert "Traceback" not in process.printed
        return process.printed

    return command


def test_a_model_says_where_it_comes_from(data):
    (version,) = versions_of(data)
    metadata = read_model(file_of(data, "student_classifier", version)).metadata
    provenance = metadata["provenance"]
    assert provenance["version"] == version
    assert len(provenance["run_id"]) == 32
    assert provenance["dataset"]["name"] == "synthetic"
    assert len(provenance["dataset"]["sha256"]) == 64
    assert provenance["parameters"]["simulator"]["duration"] == 4.0
    assert set(provenance["parents"]) == {
        "drawn_train_graphs",
        "drawn_validation_graphs",
        "feature_scaling",
        "student_autoencoder",
        "teacher_classifier",
    }
    assert {"window", "stride", "node_feature_names", "feature_sample"} <= metadata.keys()


def test_every_model_carries_the_operating_point_of_the_evaluation(data):
    (version,) = versions_of(data)
    (path,) = data.rglob(f"thresholds.json/{version}/thresholds.json")
    thresholds = json.loads(path.read_text())
    for name in MODELS:
        metadata = read_model(file_of(data, name, version)).metadata
        points = thresholds[name.replace("agent", "fusion")]
        assert metadata["operating_point"] == points["zero_shot"]
        assert metadata["calibrated_operating_point"] == points["calibrated"]


def test_a_run_leaves_its_frozen_configuration(data):
    (version,) = versions_of(data)
    record = json.loads((data / "09_tracking" / "runs" / f"{version}.json").read_text())
    assert record["status"] == "FINISHED"
    assert record["parameters"]["autoencoder"]["fit"]["batch_size"]
    assert record["environment"]["packages"]["torch"]
    assert record["environment"]["git_commit"]
    (copy,) = (data / "mlflow_artifacts").rglob(f"{version}.json")
    assert json.loads(copy.read_text())["parameters"] == record["parameters"]


def test_list_shows_every_model(command, data):
    (version,) = versions_of(data)
    printed = command("models", "list")
    assert [line.split()[0] for line in printed.splitlines()[1:]] == MODELS
    assert printed.count(version) == 6
    assert "val_f1" in printed
    only = command("models", "list", "--name", "teacher_agent", "--seed", "1")
    assert len(only.splitlines()) == 2
    assert len(command("models", "list", "--mode", "nothing").splitlines()) == 1


def test_show_draws_the_tree_with_links(command, data):
    (version,) = versions_of(data)
    printed = command("models", "show", f"student_agent@{version[-8:]}")
    assert f"    teacher_autoencoder@{version}" in printed
    assert f"      drawn_train_graphs@{version}" in printed
    run_id = json.loads((data / "09_tracking" / "runs" / f"{version}.json").read_text())["run_id"]
    assert f"/#/runs/{run_id}" in printed


def test_an_exported_file_alone_scores_frames_as_the_evaluation_did(command, data, tmp_path):
    (version,) = versions_of(data)
    alone = tmp_path / "detector.safetensors"
    command("models", "export", "student_agent", str(alone))
    folder = data / "01_raw" / "synthetic"
    name, capture = next(
        (name, path) for name, path in find_captures(folder).items() if name.startswith("test_")
    )
    frames = frames_of(capture)
    (path,) = data.rglob(f"window_scores.parquet/{version}/window_scores.parquet")
    scores = pd.read_parquet(path)
    for file, model in (
        (alone, "student_fusion"),
        (file_of(data, "student_agent", version), "student_fusion"),
        (file_of(data, "teacher_classifier", version), "teacher_classifier"),
        (file_of(data, "student_autoencoder", version), "student_autoencoder"),
    ):
        detector = kdgat.load_detector(file)
        judged = detector.score(frames.drop(columns="attack"))
        of_capture = (scores["capture"] == name) & (scores["protocol"] == "zero_shot")
        known = scores[(scores["model"] == model) & of_capture]
        assert judged["start"].tolist() == known["start"].tolist()
        # A window's batch differs, so the last digits of float32 may.
        np.testing.assert_allclose(judged["score"], known["score"], rtol=1e-3, atol=1e-3)
        above = judged["score"] >= detector.operating_point.value
        assert judged["alarm"].tolist() == above.tolist()
        assert (judged["offending_ids"] != "").tolist() == above.tolist()


def test_a_detector_learns_the_car_from_the_first_seconds_as_the_evaluation_did(data, caplog):
    (version,) = versions_of(data)
    (path,) = data.rglob(f"window_scores.parquet/{version}/window_scores.parquet")
    scores = pd.read_parquet(path, filters=[("protocol", "==", "calibrated")])
    scores = scores[(scores["model"] == "student_fusion") & (scores["split"] == "test")]
    detector = kdgat.load_detector(file_of(data, "student_agent", version))
    captures = find_captures(data / "01_raw" / "synthetic")
    distrusted = set()
    for name in scores["capture"].unique():
        known = scores[scores["capture"] == name]
        caplog.clear()
        judged = detector.score(frames_of(captures[name]), calibration_seconds=SECONDS)
        assert set(judged["protocol"]) == set(known["operating_point"])
        is_zero_shot = "zero_shot" in set(judged["protocol"])
        assert (judged["start"].iloc[0] == 0) == is_zero_shot, (
            "only a beginning learned is unjudged"
        )
        judged = judged[judged["start"] >= known["start"].min()]
        np.testing.assert_allclose(judged["score"], known["score"], rtol=1e-3, atol=1e-3)
        if is_zero_shot:
            assert "are not taken for benign" in caplog.text
            distrusted.add(name)
    assert 0 < len(distrusted) < scores["capture"].nunique()
    trusted = next(name for name in scores["capture"].unique() if name not in distrusted)
    frames = frames_of(captures[trusted])
    last = int((frames["timestamp"] < frames["timestamp"].iloc[0] + SECONDS).sum()) + 50
    assert set(detector.score(frames[:last], calibration_seconds=SECONDS)["protocol"]) == {
        "zero_shot"
    }
    assert "no whole window comes after them" in caplog.text


def test_a_model_whose_guard_lacks_a_limit_is_not_calibrated(data):
    detector = kdgat.load_detector(file_of(data, "teacher_classifier", versions_of(data)[0]))
    guard = detector.judge.metadata["provenance"]["parameters"]["data_processing"]["guard"]
    del guard["steady_early_share"]
    frames = frames_of(data / "01_raw/synthetic/test_01_known_vehicle_known_attack/dos-birch.csv")
    with pytest.raises(DataError, match="whose guard had no limit steady_early_share; train it"):
        detector.score(frames, calibration_seconds=SECONDS)
    assert set(detector.score(frames)["protocol"]) == {"zero_shot"}


def test_a_detector_refuses_frames_and_seconds_that_make_no_sense(data):
    detector = kdgat.load_detector(file_of(data, "teacher_classifier", versions_of(data)[0]))
    frames = frames_of(data / "01_raw/synthetic/test_01_known_vehicle_known_attack/dos-birch.csv")
    for few in (0, 99):
        with pytest.raises(DataError, match=f"given has {few} frames: a window needs 100"):
            detector.score(frames[:few], calibration_seconds=SECONDS)
    for seconds in (-1.0, float("nan")):
        with pytest.raises(ParameterError, match=r"calibration_seconds is .*: at least 0"):
            detector.score(frames, calibration_seconds=seconds)


def test_an_alarm_persists_where_k_of_the_last_n_windows_alarm(data):
    capture = data / "01_raw/synthetic/test_01_known_vehicle_known_attack/dos-birch.csv"
    detector = kdgat.load_detector(file_of(data, "student_agent", versions_of(data)[0]))
    judged = detector.score(frames_of(capture), persistence=(2, 3))
    last_three = judged["alarm"].astype(int).rolling(3, min_periods=1).sum()
    assert judged["persistent_alarm"].tolist() == (last_three >= 2).tolist()
    plain = detector.score(frames_of(capture))
    assert plain["persistent_alarm"].tolist() == plain["alarm"].tolist()
    for persistence in ((3, 2), (0, 1)):
        with pytest.raises(ParameterError, match=r"persistence is \d of \d windows: k should be"):
            detector.score(frames_of(capture), persistence=persistence)


def test_score_judges_a_capture_and_writes_every_window_once(command, data, tmp_path):
    folder = data / "01_raw" / "synthetic" / "test_01_known_vehicle_known_attack"
    capture, file = folder / "dos-birch.csv", tmp_path / "windows.csv"
    arguments = ("score", "student_agent", str(capture), "--output", str(file))
    arguments += ("--persistence", "3/3")  # fewer windows than those that alarm alone
    *runs, last = command(*arguments).strip().splitlines()
    windows = pd.read_csv(file, keep_default_na=False)
    detector = kdgat.load_detector(file_of(data, "student_agent", versions_of(data)[0]))
    judged = detector.score(frames_of(capture), persistence=(3, 3))
    np.testing.assert_allclose(windows["score"], judged["score"], rtol=1e-6)
    num_alarms = int(judged["persistent_alarm"].sum())
    assert 0 < num_alarms < int(judged["alarm"].sum())
    verdict = f"{num_alarms:,} of {len(judged):,} windows alarm (zero_shot; 3 of the last 3 above"
    assert last.startswith(verdict)
    assert sum(int(line.split(" windows")[0].split()[-1]) for line in runs) == num_alarms
    before = file.read_bytes()
    assert "is there already" in command(*arguments, code=1)
    nowhere = ("--output", str(tmp_path / "nowhere" / "windows.csv"))
    assert "there is no folder" in command("score", "student_agent", str(capture), *nowhere, code=1)
    assert file.read_bytes() == before
    short = tmp_path / "short.csv"
    short.write_text("".join(capture.read_text().splitlines(keepends=True)[:61]))
    said = f"{short} has 60 frames: a window of student_agent needs 100"
    assert said in command("score", "student_agent", str(short), code=1)


def frames_of(capture: Path) -> pd.DataFrame:
    """Read a capture of the built-in dataset; tests/can tests the readers."""
    rows = pd.read_csv(capture, dtype={"arbitration_id": str, "data_field": str})
    from kdgat.can.frames import frame_table

    fields = rows["data_field"].fillna("")
    payload = np.full((len(rows), 8), -1, np.int16)
    for row, text in enumerate(fields):
        payload[row, : len(text) // 2] = list(bytes.fromhex(text))
    return frame_table(
        timestamp=rows["timestamp"].to_numpy(),
        arbitration_id=rows["arbitration_id"].map(lambda text: int(text, 16)).to_numpy(np.uint32),
        dlc=(fields.str.len() // 2).to_numpy(np.uint8),
        payload=payload,
        attack=rows["attack"].to_numpy(np.uint8),
    )


def test_from_run_repeats_to_the_bit_and_says_what_has_changed(command, data):
    (version,) = versions_of(data)
    run_id = json.loads((data / "09_tracking" / "runs" / f"{version}.json").read_text())["run_id"]
    capture = next((data / "01_raw" / "synthetic").glob("test_*/*.csv"))
    printed = command("run", "--from-run", run_id)
    assert "changed since: " not in printed
    first, second = versions_of(data)
    for name in MODELS:
        before, after = (read_model(file_of(data, name, v)).state for v in (first, second))
        assert all(np.array_equal(before[key], after[key]) for key in before)
    cards = sorted(data.rglob("scorecard.csv/*/scorecard.csv"))
    assert cards[0].read_bytes() == cards[1].read_bytes()
    assert "no difference" not in command(
        "models", "diff", f"student_agent@{first}", "student_agent"
    )

    with capture.open("a") as file:
        file.write("\n")
    printed = command("run", "--from-run", first, "--params", "nonsense=1", code=1)
    assert "changed since: the captures of synthetic" in printed
    assert "unknown parameter 'nonsense'" in printed


def test_diff_names_what_differs(command, data):
    command(*SMOKE, "--params", "teacher.fit.epochs=1", "--pipeline", "teacher")
    old, new = versions_of(data, "teacher_classifier")[-2:]
    printed = command("models", "diff", f"teacher_classifier@{old}", f"teacher_classifier@{new}")
    row = next(line for line in printed.splitlines() if "parameters.teacher.fit.epochs" in line)
    assert row.split()[1:] == ["3", "1"]
    assert "validation.best_val_loss" in printed


def test_what_is_pinned_is_taken_and_what_is_chosen_goes_before(command, data):
    *_, newest = versions_of(data, "teacher_classifier")
    pinned = versions_of(data, "teacher_classifier")[0]
    command("models", "pin", f"teacher_classifier@{pinned}")
    stage = [*SMOKE, "--pipeline", "distillation"]
    printed = command(*stage, "--to-nodes", "distillation.train_student_classifier")
    assert f"teacher_classifier: version {pinned}" in printed
    assert ", pinned" in printed
    chosen = f"teacher_classifier:{newest}"
    printed = command(
        *stage, "--to-nodes", "distillation.train_student_classifier", "--load-versions", chosen
    )
    assert f"teacher_classifier: version {newest}" in printed
    command("models", "unpin", "teacher_classifier")


def test_prune_is_dry_spares_the_needed_and_is_remembered(command, data):
    first = versions_of(data)[0]
    command("models", "pin", f"student_agent@{first}")
    before = {
        path: path.read_bytes()
        for path in data.rglob("06_models/**/*.safetensors")
        if path.is_file()
    }
    printed = command("models", "prune", "--keep", "1")
    assert "nothing is removed without --yes" in printed
    assert f"kept student_agent@{first}: pinned" in printed
    assert f"kept teacher_autoencoder@{first}: a living model descends from it" in printed
    assert f"would remove teacher_agent@{first}" in printed
    assert {path: path.read_bytes() for path in before} == before

    command("models", "prune", "--keep", "1", "--yes")
    assert first not in versions_of(data, "teacher_agent")
    assert first in versions_of(data, "teacher_autoencoder")
    gone = command(
        *SMOKE, "--pipeline", "evaluation", "--load-versions", f"teacher_agent:{first}", code=1
    )
    assert f"error: version {first} of teacher_agent was pruned at " in gone


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("run", "--from-run", "nothing"), ["no run 'nothing'", "the latest are"]),
        (("run", "--from-run", ""), ["the run's name is empty"]),
        (("run", "--from-run", "x", "--pipeline", "fusion"), ["leave out --pipeline"]),
        (("models", "show", "teacher_gat"), ["no stored model 'teacher_gat'", "teacher_agent"]),
        (("models", "show", "student_agent@2020"), ["student_agent has no version 2020"]),
        (
            ("models", "show", "student_agent", "--seed", "9"),
            ["no stored model 'student_agent' of seed 9; it is there of: synthetic seed 1"],
        ),
        (("models", "export", "student_agent", "pyproject.toml/x"), ["pyproject.toml is a file"]),
        (
            ("score", "pyproject.toml", "pyproject.toml", "--seed", "1"),
            ["pyproject.toml is a file: it takes neither --dataset nor --seed"],
        ),
        (("models", "prune"), ["say what to prune"]),
        (("models", "prune", "--older-than", "soon"), ["age 'soon'", "30d"]),
        (
            ("run", "--env", "smoke", "--pipeline", "fusion", "--load-versions", "teacher_gat:1"),
            ["teacher_gat"],
        ),
        (
            ("run", "--env", "smoke", "-p", "fusion", "--load-versions", "teacher_classifier:1"),
            ["teacher_classifier has no version 1", "the latest are"],
        ),
        (
            ("run", "--env", "smoke", "--pipeline", "fusion", "--load-versions", "teacher_agent:1"),
            ["teacher_agent, which this run makes itself", "teacher_classifier"],
        ),
    ],
)
def test_a_mistyped_name_or_version_is_one_sentence(command, arguments, parts):
    printed = command(*arguments, code=1)
    (sentence,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    for part in parts:
        assert part in sentence


@pytest.mark.parametrize("action", ["show", "pin", "unpin", "diff"])
def test_a_file_that_no_run_has_stored_is_one_sentence(command, data, tmp_path, action):
    source = file_of(data, "student_classifier", versions_of(data, "student_classifier")[-1])
    copied = tmp_path / "exports" / "model.safetensors"
    copied.parent.mkdir()
    shutil.copy(source, copied)
    references = [str(copied)] * (2 if action == "diff" else 1)
    printed = command("models", action, *references, code=1)
    assert f"error: {copied} is not where a run stores a model" in printed
    assert list(tmp_path.rglob("*.safetensors")) == [copied]
    assert not list(tmp_path.rglob("pinned.json"))


def test_an_agent_without_its_models_beside_it_is_refused(data):
    source = file_of(data, "student_agent", versions_of(data)[-1])
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # three folders at most above it
        alone = shutil.copy(source, folder)
        with pytest.raises(DataError, match="its autoencoder is not beside it"):
            kdgat.load_detector(alone)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "class", "pickle"])
def test_a_corrupt_model_is_one_sentence(data, tmp_path, damage):
    source = file_of(data, "student_classifier", versions_of(data, "student_classifier")[-1])
    path = tmp_path / "model.safetensors"
    content = bytearray(source.read_bytes())
    if damage == "truncated":
        del content[-100:]
    elif damage == "flipped":
        content[len(content) - 50] ^= 1
    elif damage == "pickle":
        content = b"\x80\x04\x95cos\nsystem\n(S'touch pwned'\ntR."
    else:
        graphs = next(data.rglob("train_graphs.safetensors/*/train_graphs.safetensors"))
        content = graphs.read_bytes()
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"model\.safetensors is not a model of kdgat") as caught:
        kdgat.load_detector(path)
    assert "\n" not in str(caught.value)
    assert not Path("pwned").exists()


def test_a_full_disk_ends_in_one_sentence_and_loses_nothing(forks, data, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={64 * 1024}", "none", str(small)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("a small tmpfs takes root")
    try:
        data_on_it = tmp_path / "root"
        shutil.copytree(data / "05_model_input", data_on_it / "05_model_input")
        (data_on_it / "06_models").symlink_to(small)
        (small / "filled").write_bytes(b"0" * 60_000)
        process = forks.kedro(data_on_it, *SMOKE, "--pipeline", "autoencoder")
        assert process.wait() == 1, process.printed
        (sentence,) = [x for x in process.printed.splitlines() if x.startswith("error: ")]
        assert "cannot write" in sentence
        assert "teacher_autoencoder" in sentence
        assert "No space left" in sentence
        assert not list(small.rglob("*.safetensors/*/*.safetensors"))
        assert (small / "filled").stat().st_size == 60_000
        (record,) = (data_on_it / "09_tracking" / "runs").iterdir()
        assert json.loads(record.read_text())["status"] == "FAILED"
    finally:
        subprocess.run(["umount", str(small)], check=True)
