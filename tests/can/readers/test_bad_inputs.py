"""Every bad input of the documentation does what its table says."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reference"))
from bad_inputs import BEGIN, CASES, END, PAGE, outcome, table

LEFT_OUT = "row left out"


def test_the_documentation_has_the_table_that_the_cases_give():
    written = PAGE.read_text().split(BEGIN)[1].split(END)[0].strip()
    assert written == table(), "python tests/reference/bad_inputs.py writes it anew"


@pytest.mark.parametrize(("what", "read_case"), CASES)
def test_it_is_said_in_one_sentence_or_is_no_matter(what, read_case, tmp_path):
    happens, sentence = outcome(read_case, tmp_path)
    assert "\n" not in sentence
    if happens == "refused":
        assert sentence
    if happens == LEFT_OUT:
        assert "left out 1 of 200" in sentence
