"""Metrics, parameters and tags on their way to MLflow, many in one call."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

METRICS_PER_CALL, OTHERS_PER_CALL = 900, 100  # MLflow refuses more
BAD_VALUE = "INVALID_PARAMETER_VALUE"
REFUSALS = {BAD_VALUE, "INVALID_STATE"}  # sending again would not help

Refused = tuple[Any, MlflowException]
"""What the store does not take, and why."""


@dataclass
class Batch:
    """Records that travel in one call."""

    metrics: list[Metric] = field(default_factory=list)
    params: list[Param] = field(default_factory=list)
    tags: list[RunTag] = field(default_factory=list)

    def take(self, record: dict[str, Any]) -> None:
        """Add a record of kind metrics, params or tags."""
        values = record["values"].items()
        if record["kind"] == "metrics":
            when, step = record["time"], record["step"]
            self.metrics += [Metric(name, value, when, step) for name, value in values]
        elif record["kind"] == "params":
            self.params += [Param(name, value) for name, value in values]
        else:
            self.tags += [RunTag(name, value) for name, value in values]

    def send(self, client: MlflowClient, run_id: str) -> list[Refused]:
        """Send everything, in as few calls as MLflow allows; give what it refuses."""
        calls = [("metrics", some) for some in _parts(self.metrics, METRICS_PER_CALL)]
        calls += [("params", some) for some in _parts(self.params, OTHERS_PER_CALL)]
        calls += [("tags", some) for some in _parts(self.tags, OTHERS_PER_CALL)]
        return [each for kind, some in calls for each in _log(client, run_id, kind, some)]


def _log(client: MlflowClient, run_id: str, kind: str, some: list) -> list[Refused]:
    """Log things of one kind; where the store refuses one of them, the others none the less."""
    try:
        client.log_batch(run_id, **{kind: some})
        return []
    except MlflowException as error:
        if error.error_code not in REFUSALS:
            raise
        if len(some) == 1 or error.error_code != BAD_VALUE:
            return [(some, error)]
    return [each for one in some for each in _log(client, run_id, kind, [one])]


def _parts(values: list, size: int) -> Iterator[list]:
    return (values[start : start + size] for start in range(0, len(values), size))
