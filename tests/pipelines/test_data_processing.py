"""What training reads."""

import pytest

from kdgat.can.captures import open_captures
from kdgat.parameters.data_processing import DataProcessing
from kdgat.pipelines.data_processing.nodes import read_captures

ROWS = "timestamp,arbitration_id,data_field,attack\n"


@pytest.fixture
def parameters(defaults) -> DataProcessing:
    return defaults.data_processing


def test_captures_in_which_an_id_is_suppressed_train_nothing(tmp_path, parameters, caplog):
    names = ("train_1/attack-free-x", "train_1/suppress-x", "train_1/suppress-y", "test_1/dos-x")
    for number, name in enumerate(names):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(ROWS + f"0.{number},123,00,0\n0.5,123,00,0\n")
    left_out = parameters.model_copy(update={"left_out_vehicles": ["y"]})
    captures, _, _ = read_captures(open_captures(tmp_path), left_out)
    assert set(captures) == {names[0], names[3], f"test_left_out/{names[2]}"}
    assert "train_1/suppress-x is left out: an ID is suppressed there" in caplog.text
