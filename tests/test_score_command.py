"""What `kedro score` says of a capture, and which persistence it takes."""

import click
import numpy as np
import pandas as pd
import pytest

from kdgat.score_command import KOfN, verdict_lines


def test_a_line_for_each_run_of_persistent_alarms():
    # Two of the last three: alarms 1 and 2 make one at 2 that lasts to 3, alarm 5 alone none.
    windows = pd.DataFrame(
        {
            "start": [10, 12, 14, 16, 18, 20],
            "score": [-1.0, 1.0, 2.0, -1.0, -1.0, 3.0],
            "alarm": [False, True, True, False, False, True],
            "persistent_alarm": [False, False, True, True, False, False],
            "offending_ids": ["", "0x1", "0x2", "", "", "0x3"],
        }
    )
    # The first ten frames taught the car: windows of two frames, one every .5 s, come after them.
    (line,) = verdict_lines(windows, clock=np.arange(22) / 2, length=2)
    assert line.split() == ["7.000", "s", "to", "8.500", "s", "2", "windows", "0x2"]


def test_persistence_is_k_of_n():
    assert KOfN().convert("2/3", None, None) == (2, 3)


@pytest.mark.parametrize("value", ["3/2", "0/1", "2", "2/", "a/b", "-1/2"])
def test_any_other_persistence_is_refused(value):
    with pytest.raises(click.BadParameter, match="is not k/n with 1 <= k <= n, such as 2/3"):
        KOfN().convert(value, None, None)
