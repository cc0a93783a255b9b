"""Captures are read one at a time, and again where they were not kept."""

import numpy as np
import pandas as pd
import pytest

from kdgat.can.capture_tables import survey_captures
from kdgat.can.captures import Capture
from kdgat.can.frames import ABSENT, frame_table
from kdgat.errors import DataError


class Reader:
    """Reads one capture and counts how often."""

    def __init__(self, name: str, num_frames: int, first_id: int):
        self.arguments = name, num_frames, first_id
        self.calls = 0

    def __call__(self) -> Capture:
        self.calls += 1
        name, num_frames, first_id = self.arguments
        frames = frame_table(
            timestamp=np.arange(num_frames) / 1000,
            arbitration_id=first_id + np.arange(num_frames) % 5,
            dlc=np.zeros(num_frames, np.uint8),
            payload=np.full((num_frames, 8), ABSENT, np.int16),
            attack=np.zeros(num_frames, np.uint8),
        )
        bad_rows = pd.DataFrame({"line": [3], "reason": ["short"], "text": ["x"]})
        return Capture(name, name.split("/")[0], "kia", "attack_free", frames, bad_rows)


def readers() -> dict[str, Reader]:
    given = {
        "train_01/a": (50, 1),
        "train_01/b": (70, 1),
        "train_02/a": (50, 1),
        "test_01/c": (20, 2),
    }
    return {name: Reader(name, *arguments) for name, arguments in given.items()}


def test_a_survey_describes_every_capture_and_drops_copies():
    survey = survey_captures(readers())
    assert survey.repeated == [("train_02/a", "train_01/a")]
    assert list(survey.captures) == ["train_01/a", "train_01/b", "test_01/c"]
    assert survey.summary.set_index("capture")["repeats"].to_dict() == {
        "train_01/a": "", "train_01/b": "", "train_02/a": "train_01/a", "test_01/c": "",
    }  # fmt: skip
    assert survey.bad_rows["capture"].tolist() == list(readers())
    assert survey.captures.notes["test_01/c"].vehicle == "kia"


def test_what_is_kept_is_not_read_again():
    opened = readers()
    survey = survey_captures(opened, kept_frames=80)
    tables = {name: len(frames) for name, frames in survey.captures.items()}
    assert tables == {"train_01/a": 50, "train_01/b": 70, "test_01/c": 20}
    assert {name: reader.calls for name, reader in opened.items()} == {
        "train_01/a": 1, "train_01/b": 2, "train_02/a": 1, "test_01/c": 1,
    }  # fmt: skip


def test_a_test_capture_seen_in_training_is_refused():
    opened = readers() | {"test_02/d": Reader("test_02/d", 70, 1)}
    with pytest.raises(DataError, match="Test capture test_02/d holds the same frames"):
        survey_captures(opened)
