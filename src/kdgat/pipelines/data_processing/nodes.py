"""Captures to graphs."""

import logging
from functools import partial

import pandas as pd

from kdgat import leaks
from kdgat.can import frames, graph_store, splits
from kdgat.can.captures import describe_capture
from kdgat.can.graph_store import GraphStore
from kdgat.datasets.captures import CaptureReader
from kdgat.datasets.raw_root import CapturesOf
from kdgat.errors import DataError
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
    tables = {name: capture.frames for name, capture in read.items()}
    kept, repeated = frames.drop_repeated(tables, allowed=parameters.allowed_repeats)
    for dropped, original in repeated:
        LOGGER.info("dropped %s: the same frames as %s", dropped, original)
    for name in parameters.allowed_repeats:
        LOGGER.warning("%s may repeat training: its figures prove nothing", name)
    summary = pd.DataFrame([describe_capture(capture) for capture in read.values()])
    repeats = summary["capture"].map(dict(repeated)).fillna("")
    bad_rows = pd.concat([x.bad_rows.assign(capture=name) for name, x in read.items()])
    return kept, summary.assign(repeats=repeats), bad_rows


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


def report_leaks(
    captures: dict[str, pd.DataFrame],
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    test_graphs: GraphStore,
    captures_of: CapturesOf,
    parameters: DataProcessing,
) -> tuple[list[dict], str]:
    """Check the splits for leaks, also against other datasets that a model has seen.

    Returns:
        The leak report, and the same as a Markdown table.
    """
    build = partial(splits.capture_graphs, window=parameters.window, stride=parameters.stride)
    report = leaks.leak_report(
        captures.items(),
        {"train": train_graphs, "validation": validation_graphs, "test": test_graphs},
        build=build,
        limits=parameters.leak_limits,
        allowed=parameters.allowed_leaks,
        allowed_repeats=parameters.allowed_repeats,
        trained_elsewhere={
            f"{dataset}/{name}": leaks.both_fingerprints(
                reader(bad_row_share=parameters.bad_row_share).frames
            )
            for dataset in parameters.also_trained_on
            for name, reader in captures_of(dataset).items()
            if name.startswith("train_")
        },
    )
    for sentence in leaks.remarks(report):
        LOGGER.warning("leak report: %s", sentence)
    return report, leaks.leak_page(report)


def release_graphs(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    test_graphs: GraphStore,
    leak_report: list[dict],
) -> tuple[GraphStore, GraphStore, GraphStore]:
    """Hand the graphs on, to be stored and trained on, unless a check of the report failed.

    Raises:
        DataError: A check failed that `data_processing.allowed_leaks` does not name.
    """
    sentence = leaks.refusal(leak_report)
    if sentence is not None:
        raise DataError(sentence)
    return train_graphs, validation_graphs, test_graphs


def fit_feature_scaling(train_graphs: GraphStore) -> dict[str, list]:
    """Measure mean and spread of every feature over benign training rows alone."""
    return graph_store.feature_scaling(train_graphs).to_dict()
