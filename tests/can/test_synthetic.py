import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

from kdgat.can.captures import open_captures
from kdgat.can.declarations import read_declaration
from kdgat.can.silences import find_silences
from kdgat.can.synthetic import CAPTURES, VERSION, simulate_capture, simulate_dataset
from kdgat.errors import DataError
from kdgat.parameters import Simulator

ROOT = Path(__file__).resolve().parents[2]
WINDOW = 100
SIMULATOR = Simulator(seed=3, duration=12.0, bitrate=500_000)
SHORT = Simulator(seed=3, duration=1.5, bitrate=500_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("raw") / "synthetic"
    assert simulate_dataset(folder, SIMULATOR)
    return folder


@pytest.fixture(scope="module")
def captures(folder) -> dict[str, pd.DataFrame]:
    declaration = read_declaration(ROOT / "conf" / "base" / "datasets" / "synthetic.yml")
    files = open_captures(folder, declaration)
    return {name: file(bad_row_share=0.0).frames for name, file in files.items()}


@pytest.fixture(scope="module")
def episodes(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "episodes.csv")


def files(folder: Path) -> dict[str, bytes]:
    return {str(x.relative_to(folder)): x.read_bytes() for x in folder.rglob("*") if x.is_file()}


def window_labels(frames: pd.DataFrame) -> np.ndarray:
    whole = len(frames) // WINDOW * WINDOW
    return frames["attack"].to_numpy()[:whole].reshape(-1, WINDOW).max(axis=1)


def test_layout_is_that_of_the_public_sets(folder, captures):
    assert list(captures) == sorted(
        f"{scenario}/{attack}-{car}" for scenario, attack, car in CAPTURES
    )
    assert sorted(x.name for x in folder.iterdir() if x.is_dir()) == [
        "test_01_known_vehicle_known_attack",
        "test_02_unknown_vehicle_known_attack",
        "test_03_known_vehicle_unknown_attack",
        "test_04_unknown_vehicle_unknown_attack",
        "test_05_suppress",
        "test_06_masquerade",
        "train_01_attack_free",
        "train_02_with_attacks",
    ]


def test_reading_gives_what_was_simulated(captures):
    for position, (scenario, attack, car) in enumerate(CAPTURES):
        simulated = simulate_capture(position, SIMULATOR).frames
        pd.testing.assert_frame_equal(captures[f"{scenario}/{attack}-{car}"], simulated)


def test_unknown_cars_and_attacks_are_unknown():
    trained = [x for x in CAPTURES if x[0].startswith("train_")]
    cars, attacks = {x[2] for x in trained}, {x[1] for x in trained}
    for scenario, attack, car in CAPTURES:
        if scenario.startswith("test_0") and "vehicle" in scenario:
            assert (car in cars) == ("known_vehicle" in scenario.replace("unknown_vehicle", ""))
            assert (attack in attacks) == ("known_attack" in scenario.replace("unknown_attack", ""))


def test_every_attack_capture_has_attacked_and_benign_windows(captures):
    for name, frames in captures.items():
        share = window_labels(frames).mean()
        if "attack_free" in name or "suppress" in name:
            assert share == 0
        else:
            assert 0.2 < share < 0.65


def test_episodes_cover_exactly_the_attacked_captures(captures, episodes):
    assert list(episodes.columns) == ["capture", "attack_type", "start", "end", "arbitration_ids"]
    assert set(episodes["capture"]) == {x for x in captures if "attack_free" not in x}
    for name, own in episodes.groupby("capture"):
        time = captures[name]["timestamp"].to_numpy()
        inside = np.zeros(len(time), bool)
        for episode in own.itertuples():
            # Both are written with six decimals.
            inside |= (time >= episode.start - 1e-6) & (time <= episode.end + 1e-6)
        assert inside[captures[name]["attack"] == 1].all()
        assert not inside.all()


def test_the_same_parameters_give_the_same_bytes(tmp_path):
    assert simulate_dataset(tmp_path / "first", SHORT)
    assert simulate_dataset(tmp_path / "second", SHORT)
    assert simulate_dataset(tmp_path / "other", SHORT.model_copy(update={"seed": 4}))
    first, second, other = (files(tmp_path / name) for name in ("first", "second", "other"))
    assert first == second
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["first", "other", "second"]


def test_a_simulated_dataset_is_kept_or_replaced_and_anything_else_refused(tmp_path):
    folder = tmp_path / "synthetic"
    assert simulate_dataset(folder, SHORT)
    before = files(folder)
    assert not simulate_dataset(folder, SHORT)
    assert files(folder) == before
    assert simulate_dataset(folder, SHORT.model_copy(update={"seed": 4}))
    description = json.loads((folder / "simulator.json").read_text())
    assert description == {"version": VERSION, "seed": 4, "duration": 1.5, "bitrate": 500_000}
    (folder / "simulator.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        simulate_dataset(folder, SHORT)
    (folder / "simulator.json").unlink()
    before = files(folder)
    with pytest.raises(DataError, match=r"holds no simulator\.json"):
        simulate_dataset(folder, SHORT)
    assert files(folder) == before


def test_captures_too_short_to_attack_leave_nothing_behind(tmp_path):
    with pytest.raises(DataError, match=r"too short|at least one frame"):
        simulate_dataset(tmp_path / "synthetic", SHORT.model_copy(update={"duration": 0.001}))
    assert not list(tmp_path.iterdir())


def test_a_bag_of_ids_fails_on_the_unknown_car(captures):
    """As on the real sets: it knows the attacks of its cars and calls the unknown car an attack."""
    training = {name: frames for name, frames in captures.items() if name.startswith("train_")}
    vocabulary = np.unique(np.concatenate([x["arbitration_id"] for x in training.values()]))

    def counts(frames: pd.DataFrame) -> np.ndarray:
        whole = len(frames) // WINDOW * WINDOW
        number = frames["arbitration_id"].to_numpy()[:whole]
        place = np.minimum(np.searchsorted(vocabulary, number), len(vocabulary) - 1)
        place = np.where(vocabulary[place] == number, place, len(vocabulary))
        table = np.zeros((whole // WINDOW, len(vocabulary) + 1))
        np.add.at(table, (np.arange(whole) // WINDOW, place), 1)
        return table

    def score(scenario: str) -> tuple[float, float]:
        chosen = [x for name, x in captures.items() if name.startswith(scenario)]
        labels = np.concatenate([window_labels(x) for x in chosen])
        flagged = forest.predict(np.concatenate([counts(x) for x in chosen]))
        all_attack = f1_score(labels, np.ones_like(labels))
        return f1_score(labels, flagged, zero_division=0.0), all_attack

    forest = RandomForestClassifier(100, random_state=0)
    forest.fit(
        np.concatenate([counts(x) for x in training.values()]),
        np.concatenate([window_labels(x) for x in training.values()]),
    )
    known, all_attack = score("test_01")
    assert known > all_attack + 0.1
    for scenario in ("test_02", "test_04"):
        unknown, all_attack = score(scenario)
        assert unknown < all_attack + 0.05
    assert score("test_03")[0] < 0.1
    assert score("test_06")[0] < 0.1


def test_frames_tell_of_the_silences_that_are_declared(captures, episodes):
    declared = episodes[episodes["attack_type"] == "suppress"].sort_values("start")
    (name,) = declared["capture"].unique()
    found = find_silences(captures[name])
    assert [f"{silence.arbitration_id:#05x}" for silence in found] == [*declared["arbitration_ids"]]
    for silence, episode in zip(found, declared.itertuples(), strict=True):
        assert silence.start <= episode.start < episode.end <= silence.end
