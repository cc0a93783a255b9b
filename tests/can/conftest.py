import numpy as np
import pandas as pd
import pytest
from six_frames import BITRATE, START

from kdgat.can.simulator import simulate_vehicle
from kdgat.can.vehicles import VEHICLES


@pytest.fixture(scope="session")
def benign() -> pd.DataFrame:
    """Twelve seconds of a car without an attack."""
    return simulate_vehicle(
        VEHICLES["birch"],
        generator=np.random.default_rng(5),
        duration=12.0,
        bitrate=BITRATE,
        start=START,
    )
