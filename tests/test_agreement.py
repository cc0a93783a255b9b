"""Stored graphs and models must fit what a run says of its data."""

import logging

import pytest

from kdgat.agreement import check_agreement
from kdgat.errors import DataError
from kdgat.lineage import Origin
from kdgat.parameters import Parameters
from kdgat.tracking import records

ORIGINS = {"train_graphs": Origin("v1", None), "teacher_classifier": Origin("v2", 1)}


@pytest.fixture
def parameters(tmp_path, monkeypatch, defaults) -> Parameters:
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    return defaults


def make(version: str, parameters: Parameters, **changed: object) -> None:
    made = parameters.model_dump(mode="json")
    made["data_processing"] |= changed
    records.write(version, {"version": version, "parameters": made})


def test_nothing_is_said_of_inputs_that_were_made_alike(parameters, caplog):
    make("v1", parameters, allowed_leaks=["file_features"])
    make("v2", parameters)
    check_agreement({**ORIGINS, "other_graphs": Origin("unrecorded", None)}, parameters)
    assert caplog.text == ""


def test_a_warning_names_what_was_made_otherwise(parameters, caplog):
    caplog.set_level(logging.WARNING, "kdgat")
    make("v1", parameters, window=50)
    make("v2", parameters)
    check_agreement(ORIGINS, parameters)
    (record,) = caplog.records
    assert record.message == (
        "train_graphs (version v1) are read as they are: made with data_processing.window 50, "
        "not 100"
    )


def test_models_that_know_a_car_do_not_judge_it_as_left_out(parameters):
    make("v1", parameters, left_out_vehicles=["b"])
    make("v2", parameters)
    with pytest.raises(DataError, match="teacher_classifier of version v2 was trained on b, which"):
        check_agreement(ORIGINS, parameters)
    make("v2", parameters, left_out_vehicles=["b", "c"])
    check_agreement(ORIGINS, parameters)
