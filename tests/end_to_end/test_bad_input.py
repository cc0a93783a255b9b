"""Each bad input ends in one sentence, exit code 1, nothing written."""

import random
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

TRAIN = "train_02_with_attacks"
TEST = "test_01_known_vehicle_known_attack"
HEADER = "timestamp,arbitration_id,data_field,attack\n"


def rows(count: int, attacks: slice = slice(0, 0), seed: int = 1) -> list[str]:
    data = random.Random(seed)
    lines = [
        f"{seed + n / 1000:.6f},{0x100 + n % 7:03X},{data.getrandbits(64):016X},0\n"
        for n in range(count)
    ]
    lines[attacks] = [line[:-2] + "1\n" for line in lines[attacks]]
    return lines


def write_dataset(root: Path, train: str, test: str) -> Path:
    for scenario, text in ((TRAIN, train), (TEST, test)):
        folder = root / "mine" / scenario
        folder.mkdir(parents=True)
        (folder / f"drive-{scenario[:5]}.csv").write_text(text)
    return root


GOOD = HEADER + "".join(rows(3000, slice(1000, 2000)))
GOOD_TEST = HEADER + "".join(rows(1500, slice(300, 700), seed=9))


def changed(line: int, old: str, new: str, count: int = 4) -> str:
    """Change rows; 4 of 3000 are more than the share allowed, 1 is not."""
    lines = GOOD.splitlines(keepends=True)
    for place in range(line, line + 7 * count, 7):
        assert old in lines[place]
        lines[place] = lines[place].replace(old, new)
    return "".join(lines)


BAD_DATA = {
    "missing column": (GOOD.replace(",attack\n", ",label\n", 1), ["drive-train.csv", "attack"]),
    "unparsable hex": (changed(5, ",104,", ",1G4,"), ["drive-train.csv", "line 6", "1G4"]),
    "empty file": ("", ["drive-train.csv", "empty"]),
    "too short": (HEADER + "".join(rows(60)), ["drive-train", "60", "100"]),
    "label": (changed(7, ",0\n", ",2\n"), ["drive-train.csv", "line 8", "0 nor 1"]),
    "no attack": (HEADER + "".join(rows(3000)), ["attack"]),
}


def test_one_bad_row_of_many_is_left_out_and_counted(tmp_path, new_project):
    text = changed(5, ",104,", ",1G4,", count=1)
    project = new_project(tmp_path / "data", write_dataset(tmp_path / "raw", text, GOOD_TEST))
    result = project.run("--pipeline", "data_processing", "--params", "dataset=mine")
    assert result.returncode == 0, result.stderr
    capture = f"{TRAIN}/drive-train"
    assert f"{capture}: left out 1 of 3000 rows; the first, line 6: arbitration_id" in result.stderr
    table = pd.read_csv(project.versions("bad_rows.csv")[0])
    assert table[["capture", "line", "text"]].values.tolist() == [[capture, 6, text_of(text, 6)]]
    client = MlflowClient(f"sqlite:///{project.data}/mlflow.db")
    (run,) = client.search_runs([x.experiment_id for x in client.search_experiments()])
    assert run.data.metrics["captures/bad_rows"] == 1
    assert run.data.metrics["captures/frames"] == 4499


def text_of(text: str, line: int) -> str:
    return text.splitlines()[line - 1]


def assert_one_sentence(result, *parts: str) -> None:
    assert result.returncode == 1, result.stdout + result.stderr
    sentence = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(sentence) == 1, result.stderr
    assert "Traceback" not in result.stderr
    for part in parts:
        assert part in sentence[0]


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_capture(case, tmp_path, new_project):
    text, parts = BAD_DATA[case]
    project = new_project(tmp_path / "data", write_dataset(tmp_path / "raw", text, GOOD_TEST))
    result = project.run("--pipeline", "data_processing", "--params", "dataset=mine")
    assert_one_sentence(result, *parts)
    assert not list(project.data.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("parameters", "parts"),
    [
        ("sead=2", ["sead", "did you mean 'seed'?"]),
        ("seed=abc", ["seed", "'abc'", "integer"]),
        ("data_processing.validation_share=1.5", ["data_processing.validation_share", "1.5"]),
        ("autoencoder.fit.epoch=3", ["autoencoder.fit.epoch", "did you mean 'epochs'?"]),
        ("dataset=nowhere", ["nowhere", "declared: can_mirgu, hcrl_ch"]),
        ("dataset=hcrl_ch", ["https://ocslab.hksecurity.net", "normal_run_data.txt"]),
    ],
)
def test_bad_parameter(parameters, parts, tmp_path, new_project):
    project = new_project(tmp_path / "data")
    result = project.run("--params", parameters)
    assert_one_sentence(result, *parts)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_fusion_without_models_says_what_to_run_first(tmp_path, new_project):
    result = new_project(tmp_path / "data").run("--pipeline", "fusion")
    assert_one_sentence(result, "teacher_autoencoder", "`kedro run --pipeline autoencoder`")


def test_a_data_root_where_nothing_can_be_written(tmp_path, new_project):
    (tmp_path / "file").write_text("")
    result = new_project(tmp_path / "file" / "data").run()
    assert_one_sentence(result, f"{tmp_path}/file/data", "Not a directory")


def test_unknown_environment(tmp_path, new_project):
    result = new_project(tmp_path / "data").kedro("run", "--env", "somke")
    assert_one_sentence(result, "somke", "base, quick, smoke")


def test_load_versions_without_a_version(tmp_path, new_project):
    result = new_project(tmp_path / "data").run("--load-versions", "teacher_autoencoder")
    assert result.returncode == 2
    assert "found teacher_autoencoder instead" in result.stderr.splitlines()[-1]


def test_unknown_pipeline(tmp_path, new_project):
    result = new_project(tmp_path / "data").run("--pipeline", "fusoin")
    assert_one_sentence(result, "fusoin", "did you mean 'fusion'?")
