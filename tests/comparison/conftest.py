"""Results of two variants, written by hand."""

from collections.abc import Callable

import pandas as pd
import pytest

A = [0.9, 0.8, 0.85, 0.95, 0.7]
B = [0.85, 0.78, 0.86, 0.9, 0.6]


def make_rows(variant: str, values: list[float], **names: str) -> list[dict]:
    labels = {"dataset": "car", "scenario": "test_01", "model": "student_fusion", **names}
    return [
        {**labels, "variant": variant, "seed": seed, "value": value}
        for seed, value in enumerate(values, start=1)
    ]


@pytest.fixture
def rows() -> Callable[..., list[dict]]:
    """Make the rows of a variant's seeds 1, 2, ...: `rows("a", [0.9, 0.8], model="...")`."""
    return make_rows


@pytest.fixture
def results() -> pd.DataFrame:
    """Five seeds of two variants, one dataset and scenario."""
    return pd.DataFrame(make_rows("a", A) + make_rows("b", B))
