"""Declared datasets: each published layout in small, read from end to end."""

import hashlib
import json
import logging
from pathlib import Path

import pytest

from kdgat.can.capture_tables import describe_capture
from kdgat.can.captures import open_captures
from kdgat.can.declarations import attack_type_of, car_name, read_declaration, vehicle_of
from kdgat.errors import DataError

SHIPPED = Path(__file__).resolve().parents[2] / "conf" / "base" / "datasets"
DATASETS = ("synthetic", "hcrl_ch", "hcrl_sa", "road", "can_mirgu")
DATASETS += ("set_01", "set_02", "set_03", "set_04")
START = 1_600_000_000
PLAIN = "timestamp,arbitration_id,data_field,attack\n1.0,2C0,00,0\n1.1,2C0,00,1\n"


def put(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def candump(label: str = "") -> str:
    """Ten frames a second apart, ID 0x64 and 0x65 in turn."""
    return "".join(
        f"({START + n}.000000) can0 {64 + n % 2:03d}#FF{n:02X}{label}\n" for n in range(10)
    )


def captures_of(folder: Path, dataset: str) -> dict:
    declaration = read_declaration(SHIPPED / f"{dataset}.yml")
    return {
        name: file(bad_row_share=0.0) for name, file in open_captures(folder, declaration).items()
    }


def test_all_nine_are_declared():
    assert sorted(path.stem for path in SHIPPED.glob("*.yml")) == sorted(DATASETS)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_missing_dataset_says_where_to_get_it_and_how_to_lay_it_out(tmp_path, dataset):
    declaration = read_declaration(SHIPPED / f"{dataset}.yml")
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError) as refusal:
        open_captures(tmp_path / dataset, declaration)
    message = str(refusal.value)
    assert "datasets beside it: other. Get " in message
    assert declaration.source in message
    assert declaration.layout in message


def test_hcrl_ch_as_published(tmp_path):
    row = "1478198376.{},0316,1,05,{}\n"
    attack = row.format(1, "R") + row.format(2, "T")
    names = ("DoS", "Fuzzy", "gear", "RPM")
    texts = {f"{name}_dataset.csv": attack for name in names}
    line = "Timestamp: 1479121434.850202        ID: 0350    000    DLC: 1    05\n"
    captures = captures_of(put(tmp_path, texts | {"normal_run_data.txt": line}), "hcrl_ch")
    assert {
        name: (x.attack_type, int(x.frames["attack"].sum())) for name, x in captures.items()
    } == {
        "test_03_known_vehicle_unknown_attack/RPM_dataset": ("rpm_spoofing", 1),
        "test_03_known_vehicle_unknown_attack/gear_dataset": ("gear_spoofing", 1),
        "train_01_attack_free/normal_run_data": ("attack_free", 0),
        "train_02_with_attacks/DoS_dataset": ("dos", 1),
        "train_02_with_attacks/Fuzzy_dataset": ("fuzzing", 1),
    }
    assert {x.vehicle for x in captures.values()} == {"sonata_yf"}


def test_road_as_published(tmp_path, caplog):
    names = ("fuzzing_attack_1", "fuzzing_attack_2", "max_speedometer_attack_2_masquerade")
    metadata = {
        name: {"injection_id": "0x65", "injection_data_str": "FF", "injection_interval": [2, 5]}
        for name in names
    }
    trained_on = ("max_speedometer_attack_1_masquerade", "reverse_light_on_attack_1_masquerade")
    others = (*trained_on, "accelerator_attack_drive_1")
    texts = {f"attacks/{name}.log": candump() for name in (*names, *others)}
    texts |= {"ambient/ambient_dyno_idle.log": candump()}
    texts |= {"attacks/capture_metadata.json": json.dumps(metadata)}
    captures = captures_of(put(tmp_path, texts), "road")
    assert sorted(captures) == [
        "test_01_known_vehicle_known_attack/fuzzing_attack_2",
        "test_06_masquerade/max_speedometer_attack_2_masquerade",
        "train_01_attack_free/ambient_dyno_idle",
        "train_02_with_attacks/fuzzing_attack_1",
    ]
    attacked = captures["train_02_with_attacks/fuzzing_attack_1"].frames
    assert attacked["attack"].tolist() == [0, 0, 0, 1, 0, 1, 0, 0, 0, 0]
    assert attacked["episode"].max() == 1
    assert not captures["train_01_attack_free/ambient_dyno_idle"].frames["attack"].any()
    assert "no labels" not in caplog.text


def test_an_attack_that_the_metadata_do_not_know_is_refused(tmp_path):
    texts = {"attacks/fuzzing_attack_1.log": candump(), "attacks/capture_metadata.json": "{}"}
    texts |= {"attacks/fuzzing_attack_2.log": candump()}
    with pytest.raises(DataError, match="no interval for fuzzing_attack_2, a capture with fuzzing"):
        captures_of(put(tmp_path, texts), "road")


def test_can_mirgu_as_published(tmp_path):
    labelled = candump(" 0").replace("#FF03 0", "#FF03 1").replace("#FF05 0", "#FF05 1")
    intervals = {
        "injection_interval_1": [START + 3, START + 3],
        "injection_interval_2": [START + 5, START + 6],
    }
    texts = {
        "Benign/Day_1/Benign_day1_file1.log": candump(" 0"),
        "Attack/Attacks_metadata.json": json.dumps(
            {
                "Fuzzing_valid_IDs_and_DoS_attack": intervals,
                "EMS": {"suspension_interval": [START + 2, START + 4]},
            }
        )[:-1]
        + ",}",
        "Attack/Real_attacks/DoS_attack.log": labelled,
        "Attack/Real_attacks/Fuzzing_valid_IDs_DoS.log": labelled,
        "Attack/Real_attacks/Steering_angle_replay.log": labelled,
        "Attack/Suspension_attacks/EMS.log": candump(" 0").replace("#FF03 0", "#FF03 1"),
        "Attack/Masquerade_attacks/EMS.log": labelled,
    }
    captures = captures_of(put(tmp_path, texts), "can_mirgu")
    assert {name: x.attack_type for name, x in captures.items()} == {
        "test_01_known_vehicle_known_attack/Fuzzing_valid_IDs_DoS": "fuzzing_and_dos",
        "test_03_known_vehicle_unknown_attack/Steering_angle_replay": "replay",
        "test_05_suppress/EMS": "suppress",
        "test_06_masquerade/EMS": "masquerade",
        "train_01_attack_free/Benign_day1_file1": "attack_free",
        "train_02_with_attacks/DoS_attack": "dos",
    }
    both = captures["test_01_known_vehicle_known_attack/Fuzzing_valid_IDs_DoS"].frames
    assert both["episode"].tolist() == [0, 0, 0, 1, 0, 2, 0, 0, 0, 0]
    plain = captures["train_02_with_attacks/DoS_attack"].frames
    assert plain["episode"].tolist() == [0, 0, 0, 1, 0, 1, 0, 0, 0, 0]
    assert captures["test_05_suppress/EMS"].silences == ((START + 2, START + 4),)
    assert captures["test_05_suppress/EMS"].frames[["attack", "episode"]].to_numpy().max() == 0
    assert captures["train_02_with_attacks/DoS_attack"].silences == ()


def test_kdgats_own_intervals_bound_the_silence_of_an_id(tmp_path):
    rows = [
        "capture,start,end,arbitration_ids",
        "test_05/suppress-x,0.5,1.5,0x123",
        "test_01/DoS-x,0.5,1.5,0x123",
    ]
    texts = dict.fromkeys(("train_01/DoS-x.csv", "test_05/suppress-x.csv"), PLAIN)
    folder = put(tmp_path / "mine", texts | {"test_01/DoS-x.csv": PLAIN})
    (folder / "episodes.csv").write_text("\n".join(rows))
    path = tmp_path / "mine.yml"
    path.write_text(
        DECLARATION.replace("{source: rows}", "{source: rows, intervals: episodes.csv}")
    )
    files = open_captures(folder, read_declaration(path))
    assert files["test_05/suppress-x"](bad_row_share=0.0).silences == ((0.5, 1.5),)
    assert files["test_01/DoS-x"](bad_row_share=0.0).silences == ()


def test_frames_tell_when_an_id_is_silent_where_nothing_declares_it(tmp_path):
    quiet = [f"{tick / 8},123,00,0" for tick in range(160) if not 40 < tick < 80]
    rows = ["timestamp,arbitration_id,data_field,attack", *quiet]
    labelled = [*rows[:2], rows[2][:-1] + "1", *rows[3:]]
    names = ("test_05/suppress-x", "test_05/suppress-y", "test_05/DoS-x", "train_01/attack-free")
    texts = {f"{name}.csv": "\n".join(rows) for name in names}
    texts["test_05/suppress-y.csv"] = "\n".join(labelled)
    files = open_captures(put(tmp_path / "mine", texts))
    captures = {name: file(bad_row_share=0.0) for name, file in files.items()}
    assert captures["test_05/suppress-x"].silences == ((5.0, 10.0),)
    assert describe_capture(captures["test_05/suppress-x"])["episodes"] == 1
    assert [captures[name].silences for name in names[1:]] == [(), (), ()]


def test_frames_tell_when_an_id_is_silent_where_the_intervals_name_none(tmp_path):
    quiet = [f"({tick / 8}) can0 123#00" for tick in range(160) if not 40 < tick < 80]
    names = ("test_05/suppress-x", "test_05/DoS-x", "train_01/attack-free")
    folder = put(tmp_path / "mine", {f"{name}.log": "\n".join(quiet) for name in names})
    (folder / "episodes.csv").write_text("capture,start,end,arbitration_ids\n")
    path = tmp_path / "mine.yml"
    given = DECLARATION.replace("[csv]", "[candump]")
    path.write_text(given.replace("{source: rows}", "{source: intervals, intervals: episodes.csv}"))
    files = open_captures(folder, read_declaration(path))
    assert files[names[0]](bad_row_share=0.0).silences == ((5.0, 10.0),)
    with pytest.raises(DataError, match="gives no interval for DoS-x"):
        files[names[1]](bad_row_share=0.0)


def test_rows_that_are_declared_to_have_labels_need_them(tmp_path):
    names = ("train_01/DoS-x", "train_01/attack-free", "test_05/suppress-x")
    line = "(0.5) can0 123#0102\n(0.6) can0 123#0102\n"
    folder = put(tmp_path / "mine", {f"{name}.log": line for name in (*names, "test_01/DoS-x")})
    rows = [f"{name},0.5,1.5,0x123" for name in (names[0], names[2], "test_01/DoS-x")]
    (folder / "episodes.csv").write_text("capture,start,end,arbitration_ids\n" + "\n".join(rows))
    path = tmp_path / "mine.yml"
    declaration = DECLARATION.replace("[csv]", "[candump]")
    given = declaration.replace("{source: rows}", "{source: rows, intervals: episodes.csv}")
    path.write_text(given)
    files = open_captures(folder, read_declaration(path))
    with pytest.raises(DataError, match=r"DoS-x.log: .* labels in its rows, and candump has none"):
        files[names[0]](bad_row_share=0.0)
    for name in names[1:]:
        assert files[name](bad_row_share=0.0).frames["attack"].tolist() == [0, 0]
    path.write_text(given.replace("source: rows", "source: intervals"))
    labelled = open_captures(folder, read_declaration(path))[names[0]](bad_row_share=0.0)
    assert labelled.frames["attack"].tolist() == [1, 1]


@pytest.mark.parametrize("dataset", ["set_01", "set_02", "set_03", "set_04"])
def test_the_sets_know_which_captures_are_of_one_car(tmp_path, dataset):
    names = [
        "train_01_attack_free/accessory-1",
        "train_02_with_attacks/DoS-1",
        "test_01_known_vehicle_known_attack/DoS-3",
        "test_02_unknown_vehicle_known_attack/force-neutral-1",
        "test_05_suppress/x-1",
    ]
    captures = captures_of(put(tmp_path, {f"{name}.csv": PLAIN for name in names}), dataset)
    assert [captures[name].vehicle for name in names] == [
        *[f"{dataset}_known"] * 3,
        f"{dataset}_unknown",
        "unknown",
    ]
    assert [captures[name].attack_type for name in names] == [
        *("attack_free", "dos", "dos", "force_neutral", "suppress")
    ]


def test_the_cars_of_hcrl_sa(real_captures):
    declaration = read_declaration(SHIPPED / "hcrl_sa.yml")
    files = open_captures(real_captures / "hcrl_sa", declaration)
    assert {file.vehicle for file in files.values()} == {"kia", "sonata", "spark"}
    assert {file.attack_type for name, file in files.items() if name.startswith("train_01")} == {
        "attack_free"
    }
    capture = files["test_01_known_vehicle_known_attack/DoS-sonata"](bad_row_share=0.0)
    described = describe_capture(capture)
    assert described["episodes"] == 4
    assert described["format"] == "csv"


def test_hcrl_sa_as_published(tmp_path):
    labelled = "1513468795.1,0316,2,05,21,R\n1513468795.2,0000,1,00,T\n"
    texts = {
        "train_01_x/FreeDrivingData_20180112_KIA.txt": "1513468795.1,0316,2,05 21\n",
        "train_01_x/FreeDrivingData_20180323_SONATA.txt": "1513468795.1,0316,2,05,22\n",
        "train_02_x/Flooding_dataset_SONATA.txt": labelled,
        "train_02_x/Fuzzy_dataset_KIA.txt": labelled,
        "test_02_x/Malfunction153_dataset_Spark.txt": labelled,
    }
    captures = captures_of(put(tmp_path, texts), "hcrl_sa")
    found = [(x.vehicle, x.attack_type, int(x.frames["attack"].sum())) for x in captures.values()]
    assert sorted(found) == [
        ("kia", "attack_free", 0),
        ("kia", "fuzzing", 1),
        ("sonata", "attack_free", 0),
        ("sonata", "dos", 1),
        ("spark", "spoofing", 1),
    ]


@pytest.mark.parametrize(
    ("name", "vehicle", "attack_type"),
    [
        ("a/DoS-kia", "kia", "dos"),
        ("a/fuzzing-Spark", "spark", "fuzzing"),
        ("a/attack-free-kia", "kia", "attack_free"),
        ("a/attack-free", "unknown", "attack_free"),
        ("a/attack-free-2", "unknown", "attack_free"),
        ("a/rpm-accessory-1", "unknown", "rpm_accessory"),
        ("a/DoS-1", "unknown", "dos"),
        ("a/drive", "unknown", "drive"),
        ("a/7", "unknown", "7"),
    ],
)
def test_an_undeclared_capture_is_known_by_its_name(name, vehicle, attack_type):
    assert vehicle_of(name) == vehicle
    assert attack_type_of(name) == attack_type


def test_a_vehicle_that_nobody_names_is_called_as_its_capture():
    assert car_name("train_01/dos-kia", "kia") == "kia"
    assert car_name("train_01/7", "unknown") == "train_01/7"


DECLARATION = """
title: My car
source: https://example.org
layout: as you like
licence: none
citation: none
formats: [csv]
labels: {source: rows}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("[]", "the whole: Input should be a valid dictionary"),
        (DECLARATION.replace("title: My car", ""), "title: Field required"),
        (DECLARATION + "vehicle: x", "vehicle: Extra inputs are not permitted, found 'x'"),
        (DECLARATION.replace("[csv]", "[csw]"), "formats: csw unknown; allowed: parquet, blf"),
        (DECLARATION.replace("rows", "guess"), "labels.source: Input should be 'rows' or"),
        (DECLARATION + "scenarios: {other: [a]}", "scenarios.other"),
        (DECLARATION + "checksums: {a.csv: '12'}", "checksums.a.csv"),
    ],
)
def test_a_malformed_declaration_is_refused(tmp_path, text, said):
    path = tmp_path / "mine.yml"
    path.write_text(text)
    with pytest.raises(DataError) as refusal:
        read_declaration(path)
    assert str(refusal.value).startswith(f"{path}")
    assert said in str(refusal.value)


def declared(tmp_path: Path, more: str = "") -> dict:
    folder = put(tmp_path / "mine", {"train_01/a.csv": PLAIN, "test_01/b.csv": PLAIN})
    path = tmp_path / "mine.yml"
    path.write_text(DECLARATION + more)
    return open_captures(folder, read_declaration(path))


def test_checksums_are_checked(tmp_path):
    fine = hashlib.sha256(PLAIN.encode()).hexdigest()
    files = declared(
        tmp_path, f"checksums: {{train_01/a.csv: '{fine}', test_01/b.csv: '{'0' * 64}'}}"
    )
    assert len(files["train_01/a"](bad_row_share=0.0).frames) == 2
    with pytest.raises(DataError, match=f"b.csv has SHA-256 {fine}, its dataset declares 0000"):
        files["test_01/b"](bad_row_share=0.0)


def test_another_format_than_declared_is_refused(tmp_path):
    files = declared(tmp_path)
    files["train_01/a"].path.write_text("(1.0) can0 123#00\n")
    with pytest.raises(DataError, match="has the format candump; its dataset declares csv"):
        files["train_01/a"](bad_row_share=0.0)


def test_files_are_ignored_by_pattern(tmp_path):
    put(tmp_path / "mine", {"train_01/a_notes.csv": "x"})
    files = declared(tmp_path, "ignored: ['*/*_notes.csv']")
    assert sorted(files) == ["test_01/b", "train_01/a"]


def test_missing_labels_and_odd_timestamps_are_said(tmp_path, caplog):
    folder = put(
        tmp_path,
        {
            "train_01/DoS-x.log": "(2.0) can0 123#00\n(1.5) can0 123#00\n(3.0) can0 20000080#\n",
            "test_01/attack-free-x.log": "(2.0) can0 123#00\n",
        },
    )
    caplog.set_level(logging.INFO)
    captures = {name: file(bad_row_share=0.0) for name, file in open_captures(folder).items()}
    assert "train_01/DoS-x: candump has no labels: every frame counts as benign" in caplog.text
    assert "test_01/attack-free-x: candump has no labels" not in caplog.text
    assert "timestamps step back 1 times, first by 0.500000 s at frame 1" in caplog.text
    assert "left out 1 error frames" in caplog.text
    described = describe_capture(captures["train_01/DoS-x"])
    assert described["frames"] == 2
    assert described["error_frames"] == 1
    assert described["steps_back"] == 1
    assert described["episodes"] == 0
