"""Fixed frames tell how features are measured."""

import os
import subprocess
import sys

import numpy as np

from kdgat.can.feature_names import EDGE_FEATURES, NODE_FEATURES
from kdgat.can.feature_sample import feature_sample

NAMES = [*NODE_FEATURES, *EDGE_FEATURES]

OTHERS = """
import numpy as np
from kdgat.can import feature_sample, on_time, profile_features
usual = feature_sample.feature_sample.__wrapped__()
for module, name, value in (
    (on_time, "FEW_GAPS", 5), (on_time, "FEW_GAPS", 20),
    (on_time, "LARGEST_SPREAD", 0.05), (on_time, "LARGEST_SPREAD", 0.3),
    (on_time, "ON_TIME", 0.05), (on_time, "ON_TIME", 0.2), (on_time, "GAIN", 0.2),
    (on_time, "LOST", 3.0), (on_time, "LOST", 50.0), (profile_features, "EARLY", 0.4),
):
    before = getattr(module, name)
    setattr(module, name, value)
    other = feature_sample.feature_sample.__wrapped__()
    setattr(module, name, before)
    print(name, value, float(np.abs(np.subtract(other, usual)).max()))
"""


def in_plain_python(code: str) -> str:
    """Run code without the compiler and return what it printed."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_every_feature_is_at_work():
    assert len(feature_sample()) == len(NAMES)
    idle = [name for name, mean in zip(NAMES, feature_sample(), strict=True) if abs(mean) < 1e-3]
    assert idle == []


def test_what_decides_how_a_feature_is_measured_shows():
    # Constants are compiled into the kernels: without a compiler they can be others.
    differences = [line.split() for line in in_plain_python(OTHERS).splitlines()]
    assert len(differences) == 10
    assert [row for row in differences if float(row[2]) < 2e-4] == []


def test_plain_python_measures_the_same():
    code = "from kdgat.can.feature_sample import feature_sample; print(*feature_sample())"
    plain = [float(mean) for mean in in_plain_python(code).split()]
    np.testing.assert_allclose(plain, feature_sample(), rtol=1e-5, atol=1e-6)
