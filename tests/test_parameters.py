"""The parameters are closed, typed and named in errors."""

from pathlib import Path

import pytest
import yaml

from kdgat.errors import ParameterError
from kdgat.parameters import Parameters, check_parameters, flatten

BASE = Path(__file__).resolve().parents[1] / "conf" / "base"


@pytest.fixture
def raw() -> dict:
    """The parameters that `conf/base` holds."""
    shared = yaml.safe_load((BASE / "globals.yml").read_text())["batch_size"]
    merged: dict = {}
    for path in sorted(BASE.glob("parameters*.yml")):
        merged |= _resolved(yaml.safe_load(path.read_text()), shared)
    merged["reporting"]["name"] = "report"
    return merged | {"dataset": "synthetic", "seed": 1}


def _resolved(values: dict, shared: dict) -> dict:
    """Put in what OmegaConf would: the one group that all stages share."""
    return {
        key: _resolved(value, shared)
        if isinstance(value, dict)
        else (shared if value == "${globals:batch_size}" else value)
        for key, value in values.items()
    }


def test_base_parameters_are_complete_and_valid(raw):
    assert check_parameters(raw).seed == 1


def test_every_parameter_has_a_meaning():
    def leaves(group):
        for name, field in group.model_fields.items():
            if hasattr(field.annotation, "model_fields"):
                yield from leaves(field.annotation)
            else:
                yield name, field.description

    assert [name for name, description in leaves(Parameters) if not description] == []


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["sead"], 2, "unknown parameter 'sead': did you mean 'seed'?"),
        (["seed"], "abc", "parameter 'seed' is 'abc': should be a valid integer"),
        (["seed"], -1, "parameter 'seed' is -1: should be greater than or equal to 0"),
        (["seed"], True, "parameter 'seed' is True: should be a valid integer"),
        (["dataset"], "../x", "parameter 'dataset' is '../x': "),
        (
            ["teacher", "fit", "epoch"],
            1,
            "unknown parameter 'teacher.fit.epoch': did you mean 'epochs'?",
        ),
        (["teacher", "mode"], "hard", "parameter 'teacher.mode' is 'hard': should be 'normal' or"),
        (
            ["evaluation", "persistence"],
            [3, 2],
            "parameter 'evaluation.persistence' is [3, 2]: k, the first, should be at most n",
        ),
        (["reporting", "name"], "../x", "parameter 'reporting.name' is '../x': "),
        (
            ["operating_point", "budget"],
            0.01,
            "parameter 'operating_point.budget' is 0.01: it is a group of "
            "operating_point.budget.zero_shot, operating_point.budget.calibrated",
        ),
    ],
)
def test_bad_parameters_end_in_one_sentence(raw, path, value, sentence):
    group = raw
    for key in path[:-1]:
        group = group[key]
    group[path[-1]] = value
    with pytest.raises(ParameterError) as caught:
        check_parameters(raw)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["2+3", [2, 3]])
def test_the_command_line_can_give_a_pair_of_numbers(raw, given):
    raw["evaluation"]["persistence"] = given
    assert check_parameters(raw).evaluation.persistence == [2, 3]


@pytest.mark.parametrize("given", ["2", "2+", "2+3+4", "a+3", "0+3", "3+2", 2])
def test_anything_else_than_a_pair_is_refused(raw, given):
    raw["evaluation"]["persistence"] = given
    with pytest.raises(ParameterError, match=r"evaluation\.persistence"):
        check_parameters(raw)


def test_missing_parameter_is_named(raw):
    del raw["teacher"]["fit"]["epochs"]
    with pytest.raises(ParameterError, match=r"parameter 'teacher\.fit\.epochs' is missing"):
        check_parameters(raw)


def test_unknown_key_without_a_likeness_lists_what_is_allowed(raw):
    raw["data_processing"]["zzz"] = 1
    with pytest.raises(ParameterError, match="allowed: window, stride"):
        check_parameters(raw)


def test_flatten_names_every_value_as_params_takes_it(raw):
    flat = flatten(check_parameters(raw))
    assert flat["seed"] == 1
    assert flat["data_processing.window"] == raw["data_processing"]["window"]
