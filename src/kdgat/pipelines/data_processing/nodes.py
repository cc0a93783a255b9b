"""Captures to graphs."""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from kdgat import leaks
from kdgat.can import scaling, splits
from kdgat.can.capture_tables import CaptureTables, survey_captures
from kdgat.can.graph_store import GraphStore
from kdgat.can.identity import store_identity
from kdgat.can.profile_sources import learn_profiles
from kdgat.datasets.captures import CaptureReader
from kdgat.datasets.graph_workspace import GraphWorkspace
from kdgat.datasets.raw_root import CapturesOf
from kdgat.errors import DataError
from kdgat.parameters import DataProcessing

LOGGER = logging.getLogger(__name__)


def read_captures(
    readers: dict[str, CaptureReader], parameters: DataProcessing
) -> tuple[CaptureTables, pd.DataFrame, pd.DataFrame]:
    """Read every capture, one at a time, and drop those that repeat another.

    Args:
        readers: capture name -> reader.
        parameters: of this stage.

    Returns:
        Capture name -> frame table, read again where it is not kept in memory; a table of all
        captures, with what each repeats; the malformed rows left out.
    """
    survey = survey_captures(
        {
            name: partial(reader, bad_row_share=parameters.bad_row_share)
            for name, reader in readers.items()
        },
        allowed_repeats=parameters.allowed_repeats,
    )
    for dropped, original in survey.repeated:
        LOGGER.info("dropped %s: the same frames as %s", dropped, original)
    for name in parameters.allowed_repeats:
        LOGGER.warning("%s may repeat training: its figures prove nothing", name)
    return survey.captures, survey.summary, survey.bad_rows


def build_graph_stores(
    captures: CaptureTables, workspace: GraphWorkspace, parameters: DataProcessing
) -> tuple[GraphStore, GraphStore, GraphStore]:
    """Cut captures into windows, turn windows into graphs, split them.

    Graphs that an earlier run has made from the same frames, parameters and code are taken as
    they are.

    Returns:
        Graphs of train, validation and test.
    """
    vehicles = {name: note.vehicle for name, note in captures.notes.items()}
    shaping = parameters.model_dump(include={"window", "stride", "validation_share", "profile"})
    identity = store_identity(
        [(name, note.content, note.vehicle) for name, note in captures.notes.items()], shaping
    )
    cut = splits.Cut(parameters.window, parameters.stride, parameters.validation_share)

    def build(paths: Mapping[str, Path]) -> dict[str, GraphStore]:
        profiles = learn_profiles(captures.items(), vehicles, parameters.profile, cut.window)
        return splits.write_splits(captures, cut, profiles, paths, identity=identity)

    parts = workspace.provide(identity, build)
    return parts["train"], parts["validation"], parts["test"]


def report_leaks(
    captures: CaptureTables,
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
    return scaling.feature_scaling(train_graphs).to_dict()
