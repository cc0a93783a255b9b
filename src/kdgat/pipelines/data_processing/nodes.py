"""Captures to graphs."""

import logging

import pandas as pd

from kdgat.can import frames, graph_store, splits
from kdgat.can.graph_store import GraphStore
from kdgat.datasets.captures import CaptureReader
from kdgat.parameters import DataProcessing

LOGGER = logging.getLogger(__name__)


def read_captures(
    readers: dict[str, CaptureReader], parameters: DataProcessing
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame]:
    """Read every capture and drop those that repeat another.

    Args:
        readers: capture name -> reader.
        parameters: of this stage.

    Returns:
        Capture name -> frame table; a table of all captures, with what each repeats; the
        malformed rows left out.
    """
    read = {
        name: reader(bad_row_share=parameters.bad_row_share) for name, reader in readers.items()
    }
    tables = {name: table for name, (table, _) in read.items()}
    kept, repeated = frames.drop_repeated(tables)
    for dropped, original in repeated:
        LOGGER.info("dropped %s: the same frames as %s", dropped, original)
    bad_rows = pd.concat([rows.assign(capture=name) for name, (_, rows) in read.items()])
    if len(bad_rows):
        LOGGER.warning("left out %d malformed rows: see bad_rows", len(bad_rows))
    return kept, splits.summarise(tables, dict(repeated)), bad_rows


def build_graph_stores(
    captures: dict[str, pd.DataFrame], parameters: DataProcessing
) -> tuple[GraphStore, GraphStore, GraphStore]:
    """Cut captures into windows, turn windows into graphs, split them.

    Returns:
        Graphs of train, validation and test.
    """
    parts = splits.build_splits(
        captures,
        window=parameters.window,
        stride=parameters.stride,
        validation_share=parameters.validation_share,
    )
    return parts["train"], parts["validation"], parts["test"]


def fit_feature_scaling(train_graphs: GraphStore) -> dict[str, list]:
    """Measure mean and spread of every feature over benign training rows alone."""
    return graph_store.feature_scaling(train_graphs).to_dict()
