"""What earlier runs have learnt about batch sizes, as the tracking store has it."""

import logging

from kdgat.tracking.courier import STORE_TROUBLE
from kdgat.tracking.delivery import open_store

LOGGER = logging.getLogger(__name__)


def tag_of(stage: str, what: str) -> str:
    """Name the tag in which a run keeps the `nodes` or the `kind` of a stage's budget."""
    return f"batch.{stage}.{what}"


def last_budget(dataset: str, stage: str, kind: str) -> int | None:
    """Find the budget with which the last run like this one ended.

    Args:
        dataset: of the run.
        stage: that trains.
        kind: device and size of the model.

    Returns:
        Nodes; None if there was no such run, or the store does not answer.
    """
    wanted = f"tags.dataset = '{dataset}' and tags.`{tag_of(stage, 'kind')}` = '{kind}'"
    try:
        client = open_store()
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        runs = client.search_runs(
            experiments, wanted, order_by=["attributes.start_time DESC"], max_results=1
        )
    except STORE_TROUBLE as error:
        LOGGER.warning(
            "%s: the tracking store does not say how large batches were last time (%s)",
            stage,
            " ".join(str(error).split())[:200],
        )
        return None
    return int(runs[0].data.tags[tag_of(stage, "nodes")]) if runs else None
