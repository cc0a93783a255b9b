"""Performance profiles (Agarwal et al. 2021): how often a detector reaches a value."""

import numpy as np
import pandas as pd
from scipy import stats

POINTS = 101


def performance_profiles(results: pd.DataFrame) -> pd.DataFrame:
    """Give the share of runs × scenarios above each value from 0 to 1.

    Args:
        results: RESULT_COLUMNS, values from 0 to 1.

    Returns:
        model, variant, value, share: POINTS rows per model and variant.
    """
    values = np.linspace(0.0, 1.0, POINTS)
    tables = [
        pd.DataFrame(
            {
                "model": model,
                "variant": variant,
                "value": values,
                "share": stats.ecdf(group["value"].to_numpy()).sf.evaluate(values),
            }
        )
        for (model, variant), group in results.groupby(["model", "variant"], sort=False)
    ]
    return pd.concat(tables, ignore_index=True)
