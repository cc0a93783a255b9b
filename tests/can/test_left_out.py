"""Vehicles left out: judged like those of test, never trained on."""

import numpy as np
import pytest
from memory_splits import build_splits

from kdgat.can.capture_tables import CaptureTables, survey_captures
from kdgat.can.captures import open_captures
from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.left_out import leave_out
from kdgat.can.readers.plain_csv import write_capture
from kdgat.errors import ParameterError
from kdgat.parameters import check_parameters
from kdgat.pipelines.data_processing.nodes import read_captures, read_further_vehicles
from kdgat.sweep.work import configuration

NAMES = ("train_01/free-kia", "train_01/dos-kia", "train_01/dos-soul", "train_01/dos-7")
NAMES_OF_TEST = ("test_01/dos-soul", "test_01/dos-kia")


@pytest.fixture
def files(tmp_path):
    """Captures of 300 frames: `dos` is an attack in every other window of 10."""
    for number, name in enumerate(NAMES + NAMES_OF_TEST):
        attack = (np.arange(300) // 10 % 2 if "dos" in name else np.zeros(300)).astype(np.uint8)
        frames = frame_table(
            timestamp=np.arange(300) / 1000,
            arbitration_id=10 * number + np.arange(300) % 5,
            dlc=np.zeros(300, np.uint8),
            payload=np.full((300, 8), ABSENT, np.int16),
            attack=attack,
        )
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        write_capture(frames, path)
    return open_captures(tmp_path)


def left_out(files, *vehicles):
    return survey_captures(leave_out(files, vehicles, bad_row_share=0.0))


def test_its_training_captures_become_test_captures(files):
    survey = left_out(files, "kia")
    assert list(survey.captures) == [
        "test_01/dos-kia",
        "test_01/dos-soul",
        "train_01/dos-7",
        "train_01/dos-soul",
        "test_left_out/train_01/dos-kia",
        "test_left_out/train_01/free-kia",
    ]
    assert list(survey.summary["capture"]) == list(survey.captures)
    note = survey.captures.notes["test_left_out/train_01/dos-kia"]
    assert (note.vehicle, note.attack_type) == ("kia", "dos")


def test_no_split_but_test_sees_it_and_test_sees_all_of_it(files):
    survey = left_out(files, "kia")
    stores = build_splits(survey.captures, window=10, stride=10, validation_share=0.2)
    for split in ("train", "validation"):
        assert set(stores[split].captures) == {"train_01/dos-7", "train_01/dos-soul"}
    test = stores["test"]
    number = test.captures.index("test_left_out/train_01/dos-kia")
    mine = test.capture == number
    assert test.start[mine].tolist() == list(range(0, 300, 10))
    assert test.y[mine].tolist() == [0, 1] * 15


def test_without_a_vehicle_to_leave_out_all_captures_stay(files):
    assert list(left_out(files).captures) == list(files)


def test_a_capture_of_an_unknown_vehicle_is_a_vehicle_of_its_own(files):
    names = list(left_out(files, "train_01/dos-7").captures)
    assert names[-1] == "test_left_out/train_01/dos-7"
    assert [name for name in names if name.startswith("train_")] == [
        "train_01/dos-kia",
        "train_01/dos-soul",
        "train_01/free-kia",
    ]


ALLOWED = "allowed: kia, soul, train_01/dos-7, but not all of them"


@pytest.mark.parametrize(
    ("vehicles", "found"),
    [
        (["kiaa"], "names 'kiaa', which has no training capture"),
        (["kia", "soul", "train_01/dos-7"], "is 'kia+soul+train_01/dos-7', which leaves no vehicle"
         " to train on"),
    ],
)  # fmt: skip
def test_a_vehicle_that_cannot_be_left_out_is_refused_before_anything_is_read(
    files, vehicles, found
):
    with pytest.raises(ParameterError) as error:
        leave_out(files, vehicles, bad_row_share=0.0)
    assert str(error.value) == f"parameter 'data_processing.left_out_vehicles' {found}; {ALLOWED}"


def test_a_further_dataset_does_not_bring_it_back(files):
    chosen = {"left_out_vehicles": "kia", "further_vehicles": "other"}
    raw = configuration(None, {"data_processing": chosen})["parameters"]
    parameters = check_parameters(raw).data_processing
    none = CaptureTables({}, {}, {})
    assert list(read_further_vehicles(none, lambda _: files, parameters)) == []
    chosen["left_out_vehicles"] = "soul"
    raw = configuration(None, {"data_processing": chosen})["parameters"]
    parameters = check_parameters(raw).data_processing
    further = read_further_vehicles(none, lambda _: files, parameters)
    assert list(further) == ["other/train_01/free-kia"]


def test_a_further_capture_that_training_has_is_left_out(files, caplog):
    raw = configuration(None, {"data_processing": {"further_vehicles": "one+other"}})["parameters"]
    parameters = check_parameters(raw).data_processing
    own, _, _ = read_captures(files, parameters)
    with caplog.at_level("INFO"):
        assert list(read_further_vehicles(own, lambda _: files, parameters)) == []
    assert "dropped one/train_01/free-kia: the same frames as train_01/free-kia" in caplog.text
    fresh = read_further_vehicles(CaptureTables({}, {}, {}), lambda _: files, parameters)
    assert list(fresh) == ["one/train_01/free-kia"]
    tested = CaptureTables({}, {"test_01/x": own.notes["train_01/free-kia"]}, {})
    known = read_further_vehicles(tested, lambda _: files, parameters)
    assert list(known) == ["one/train_01/free-kia"], "the leak report is to find it"
