"""How large batches were in the last runs on a dataset, as the runs' records have it."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from kdgat import locations
from kdgat.tracking import records

RUNS = 3
COLUMNS = ("batch_nodes", "batch_budget", "batch_memory", "batch_target", "batch_factor")

Run = tuple[str, dict[str, Any]]
"""Version, and what one stage of the run used."""


class BatchHistoryDataset(AbstractDataset[None, pd.DataFrame]):
    """Batch sizes of the newest run of every stage, and of up to two earlier ones like it.

    Runs are alike that adapted their batches on the same device with a model of the same size;
    one with fixed batches stands alone.

    Loading gives one row per stage, version and epoch (from 0): `batch_nodes`, mean nodes in a
    batch, and where batches adapted `batch_budget` (nodes), `batch_memory` and `batch_target`
    (peak and target, bytes), and `batch_factor`, by which the budget changed after the epoch;
    NaN elsewhere. Stages come in the order of their newest runs, runs oldest first.

    Args:
        dataset: of the runs.
    """

    def __init__(self, *, dataset: str, metadata: dict[str, Any] | None = None):
        self._dataset = dataset
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the records; no row where no run is on record."""
        alike = _runs_like_the_newest(self._dataset)
        stages = sorted(alike, key=lambda stage: alike[stage][0][0])
        rows = [row for stage in stages for run in alike[stage][::-1] for row in _rows(stage, run)]
        return pd.DataFrame(rows, columns=["stage", "version", "epoch", *COLUMNS])

    def save(self, data: None) -> None:
        """Refuse: the runs themselves write their records."""
        raise NotImplementedError("batch sizes are put on record by the runs that use them")

    def _exists(self) -> bool:
        return Path(locations.run_records()).is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"records": locations.run_records(), "dataset": self._dataset}


def _runs_like_the_newest(dataset: str) -> dict[str, list[Run]]:
    """Find stage -> at most RUNS runs, newest first."""
    alike: dict[str, list[Run]] = defaultdict(list)
    for version, record in reversed(list(records.readable())):
        if record["parameters"]["dataset"] != dataset:
            continue
        for stage, used in record.get("used", {}).items():
            runs = alike[stage]
            if not runs or (len(runs) < RUNS and _is_like(used, runs[0][1])):
                runs.append((version, used))
    return dict(alike)


def _is_like(used: dict[str, Any], newest: dict[str, Any]) -> bool:
    return records.KIND in newest and used.get(records.KIND) == newest[records.KIND]


def _rows(stage: str, run: Run) -> list[dict[str, Any]]:
    version, used = run
    told = {name: used[name] for name in COLUMNS if name in used}
    epochs = max(map(len, told.values()), default=0)
    # Batches may adapt from a later epoch on.
    columns = {name: [None] * (epochs - len(each)) + each for name, each in told.items()}
    values = pd.DataFrame(columns)
    return values.assign(stage=stage, version=version, epoch=values.index).to_dict("records")
