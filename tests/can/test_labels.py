"""Labels from intervals, as ROAD, CAN-MIRGU and kdgat publish them."""

import json

import numpy as np
import pandas as pd
import pytest

from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.labels import (
    Interval,
    label_rows,
    number_by_intervals,
    on_timestamps,
    read_intervals,
    silences,
)
from kdgat.errors import DataError

START = 1_600_000_000.0


def frames_of(ids: list[int], attack: list[int] | None = None, start: float = START):
    """One frame a second; each holds its number and 0xA5."""
    number = len(ids)
    data = np.full((number, 8), ABSENT, np.int16)
    data[:, 0] = np.arange(number)
    data[:, 1] = 0xA5
    labels = np.array(attack if attack else [0] * number)
    return frame_table(start + np.arange(number), np.array(ids), np.full(number, 2), data, labels)


def written(tmp_path, text: str, name: str = "intervals.json"):
    path = tmp_path / name
    path.write_text(text)
    return path


def labelled(frames, intervals):
    return label_rows(frames, on_timestamps(intervals, frames), "test_01/a")


def test_road_counts_seconds_from_the_first_frame(tmp_path):
    entry = {
        "injection_id": "0x0d0",
        "injection_data_str": "XXA5XXXXXXXXXXXX",
        "injection_interval": [1.0, 3.0],
        "on_dyno": True,
    }
    path = written(tmp_path, json.dumps({"speed_1": entry, "other": {}}))
    intervals = read_intervals(path, "speed_1")
    assert intervals == [Interval(1.0, 3.0, (0xD0,), "XXA5XXXXXXXXXXXX")]
    told = labelled(frames_of([0xD0, 0xD0, 0x100, 0xD0, 0xD0]), intervals)
    assert told["attack"].tolist() == [0, 1, 0, 1, 0]
    assert told["episode"].tolist() == [0, 1, 0, 1, 0]
    assert told["attack"].dtype == np.uint8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        ("capture,start,end,arbitration_ids\na,1.0,2.0\n", "'a,1.0,2.0' has 3 fields, not 4"),
    ],
)
def test_a_table_of_intervals_that_is_none_is_refused(tmp_path, text, reason):
    with pytest.raises(DataError, match=reason):
        read_intervals(written(tmp_path, text, "intervals.csv"), "a")


def test_a_pattern_fits_digit_by_digit(tmp_path):
    frames = frames_of([0xD0] * 4)
    for pattern, attack in {
        "": [1, 1, 1, 1],
        "X2XX": [0, 0, 1, 0],
        "02A5": [0, 0, 1, 0],
        "XXA4": [0, 0, 0, 0],
        "XXXX0X": [0, 0, 0, 0],  # there is no third byte
    }.items():
        told = labelled(frames, [Interval(0.0, 9.0, (0xD0,), pattern)])
        assert told["attack"].tolist() == attack, pattern


@pytest.mark.parametrize("any_id", ["XXX", "any", None, []])
def test_fuzzing_has_any_id(tmp_path, any_id):
    entry = {"injection_id": any_id, "injection_interval": [0, 1]}
    intervals = read_intervals(written(tmp_path, json.dumps({"fuzz": entry})), "fuzz")
    assert labelled(frames_of([1, 2, 3]), intervals)["attack"].tolist() == [1, 1, 0]


def test_can_mirgu_counts_from_1970_and_has_several_intervals(tmp_path):
    text = """{"double": {
        "injection_id_1": "0x64", "injection_interval_1": [1600000001.0, 1600000002.0],
        "injection_id_2": ["0x65", "0x66"], "injection_interval_2": [1600000004.0, 1600000005.0],
        "injection_interval_2": [1600000007.0, 1600000008.0],
        "attack_technique": "flam",
    },}"""
    intervals = read_intervals(written(tmp_path, text), "double")
    assert [(x.start - START, x.arbitration_ids) for x in intervals] == [
        (1.0, (0x64,)),
        (4.0, (0x65, 0x66)),
        (7.0, (0x65, 0x66)),
    ]
    told = labelled(frames_of([0x64, 0x64, 0x65, 0x64, 0x65, 0x66, 0x64, 0x65]), intervals)
    assert told["episode"].tolist() == [0, 1, 0, 0, 2, 2, 0, 3]


def test_no_frame_is_part_of_a_suspension(tmp_path):
    entry = {"suspension_id": "0x64", "suspension_interval": [1, 2]}
    intervals = read_intervals(written(tmp_path, json.dumps({"quiet": entry})), "quiet")
    assert len(intervals) == 1
    assert not labelled(frames_of([0x64] * 4), intervals)["attack"].any()


def test_a_suspension_is_bounded_on_the_clock_that_never_steps_back():
    frames = frames_of([1] * 6)
    intervals = [Interval(START + 1.0, START + 2.0, adds_frames=False)]
    assert silences(frames, intervals) == [(START + 1.0, START + 2.0)]
    # After two frames the clock is set back by an hour: what follows counts on from there.
    time = START + np.array([0.0, 1.0, -3599.0, -3598.0, -3597.0, -3596.0])
    declared = [Interval(START - 3598.5, START - 3596.5, adds_frames=False)]
    assert silences(frames.assign(timestamp=time), declared) == [(START + 1.5, START + 3.5)]


def test_a_suspension_at_a_time_that_comes_twice_is_two():
    time = START + np.array([0.0, 1, 2, 3, 4, 2, 3, 4, 5, 6])
    frames = frames_of([1] * 10).assign(timestamp=time)
    twice = [Interval(START + 2.5, START + 3.5, adds_frames=False)]
    assert silences(frames, twice) == [(START + 2.5, START + 3.5), (START + 4.5, START + 5.5)]


def test_a_suspension_in_a_pause_of_the_recording_stays_as_declared():
    time = START + np.array([0.0, 1.0, 2.0, 602.0, 603.0, 604.0])
    frames = frames_of([1] * 6).assign(timestamp=time)
    within = Interval(START + 100.0, START + 200.0, adds_frames=False)
    later = Interval(START + 602.5, START + 603.5, adds_frames=False)
    assert silences(frames, [within, later]) == [
        (START + 100.0, START + 200.0),
        (START + 2.5, START + 3.5),
    ]


def test_the_intervals_only_number_what_the_rows_label():
    frames = frames_of([1] * 6, [0, 1, 1, 1, 0, 1])
    intervals = [Interval(START + 1, START + 2), Interval(START + 3, START + 5)]
    assert number_by_intervals(frames, intervals, "a/x")["episode"].tolist() == [0, 1, 1, 2, 0, 2]


def test_where_an_attack_lies_outside_the_rows_alone_count(caplog):
    frames = frames_of([1] * 6, [1, 0, 0, 0, 1, 1])
    intervals = [Interval(START + 4, START + 5)]
    assert number_by_intervals(frames, intervals, "a/x")["episode"].tolist() == [1, 0, 0, 0, 2, 2]
    assert "a/x: attack frames outside all intervals" in caplog.text


def test_our_own_csv(tmp_path):
    table = pd.DataFrame(
        {
            "capture": ["test_01/a", "test_01/b", "test_01/a"],
            "attack_type": "dos",
            "start": [START + 3, START, START + 1],
            "end": [START + 4, START, START + 1],
            "arbitration_ids": ["any", "any", "0x001 0x002"],
        }
    )
    path = tmp_path / "episodes.csv"
    table.to_csv(path, index=False)
    intervals = read_intervals(path, "test_01/a")
    assert intervals == [Interval(START + 1, START + 1, (1, 2)), Interval(START + 3, START + 4)]


def test_an_unmentioned_capture_and_a_null_interval_have_none(tmp_path):
    path = written(tmp_path, json.dumps({"reverse_1": {"injection_interval": None}}))
    assert read_intervals(path, "reverse_1") == []
    assert read_intervals(path, "drive") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("no JSON", "x.json"),
        ('{"a": {"injection_interval": [1]}}', "x.json"),
        ('{"a": {"injection_interval": ["soon", "later"]}}', "x.json"),
        ('{"a": {"injection_interval": [1, 2], "injection_id": "0xZZ"}}', "x.json"),
        ('{"a": {"injection_interval": [1, 2], "injection_data_str": "!!"}}', "x.json"),
        ('["a"]', "x.json"),
        ("capture,start\na,1\n", "x.csv"),
        ("capture,start,end,arbitration_ids\na,1\n", "x.csv"),
    ],
)
def test_malformed_intervals_are_refused(tmp_path, text, name):
    with pytest.raises(DataError, match=f"{name}: the intervals of a are malformed"):
        read_intervals(written(tmp_path, text, name), "a")


def test_missing_intervals_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.json, the intervals of a, cannot be read"):
        read_intervals(tmp_path / "none.json", "a")


def test_intervals_count_from_the_first_frame_only_if_all_end_before_it():
    frames = frames_of([1] * 40, start=100.0)
    slice_of_a_log = [Interval(20.0, 22.0), Interval(110.0, 111.0)]
    assert on_timestamps(slice_of_a_log, frames) == slice_of_a_log
    assert np.flatnonzero(labelled(frames, slice_of_a_log)["attack"]).tolist() == [10, 11]
    assert on_timestamps(slice_of_a_log[:1], frames) == [Interval(120.0, 122.0)]


def test_an_interval_without_a_frame_is_named(caplog):
    frames = frames_of([1] * 40, start=100.0)
    silence = Interval(500.0, 600.0, adds_frames=False)
    labelled(frames, [Interval(110.0, 111.0), Interval(1120.0, 1122.0), silence])
    assert caplog.messages == [
        "test_01/a: no frame is part of 1 of 3 declared intervals, the first 1120.000000 to "
        "1122.000000 s; its frames are of 100.000000 to 139.000000 s"
    ]


def test_an_interval_that_ends_before_it_starts_is_refused(tmp_path):
    text = "capture,start,end,arbitration_ids\na,111,110,\n"
    with pytest.raises(DataError, match="starts at 111 s and ends at 110 s"):
        read_intervals(written(tmp_path, text, "intervals.csv"), "a")
