"""Three frames that differ in everything, steps back in time and absent bytes among them."""

import numpy as np
import pandas as pd

from kdgat.can.frames import ABSENT, frame_table


def three_frames(**changes) -> pd.DataFrame:
    values = {
        "timestamp": np.array([0.5, 0.25, 1.0]),
        "arbitration_id": np.array([0x2C0, 2**29 - 1, 0]),
        "dlc": np.array([2, 0, 8]),
        "payload": np.array([[255, 0] + [ABSENT] * 6, [ABSENT] * 8, range(8)], np.int16),
        "attack": np.array([0, 1, 0]),
    }
    return frame_table(**(values | changes))
