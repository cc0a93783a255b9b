"""Captures to graphs."""

import logging
from collections.abc import Mapping
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd

from kdgat import leaks
from kdgat.can import scaling, splits, truth
from kdgat.can.calibration_prefix import calibrated_blocks, inspect_prefixes, prefix_table
from kdgat.can.capture_tables import CaptureTables, survey_captures
from kdgat.can.captures import CaptureFile
from kdgat.can.declarations import SUPPRESS, car_name
from kdgat.can.drawing import Drawing
from kdgat.can.drawn_windows import drawn_blocks
from kdgat.can.graph_store import GraphStore
from kdgat.can.identity import store_identity
from kdgat.can.left_out import leave_out
from kdgat.datasets.graph_workspace import GraphWorkspace
from kdgat.datasets.raw_root import CapturesOf
from kdgat.errors import DataError
from kdgat.parameters import DataProcessing

LOGGER = logging.getLogger(__name__)


def read_captures(
    files: dict[str, CaptureFile], parameters: DataProcessing
) -> tuple[CaptureTables, pd.DataFrame, pd.DataFrame]:
    """Read every capture, one at a time, and drop those that repeat another.

    Training captures of `left_out_vehicles` become test captures; others in which an ID is
    suppressed train nothing, since no label tells which of their windows lie in the silence.

    Args:
        files: capture name -> the capture, still to be read.
        parameters: of this stage.

    Returns:
        Capture name -> frame table, read again where it is not kept in memory; a table of all
        captures, with what each repeats; the malformed rows left out.

    Raises:
        DataError: as `survey_captures`.
        ParameterError: as `leave_out`.
    """
    left_out = parameters.left_out_vehicles
    silenced = [
        name
        for name, file in files.items()
        if name.startswith("train_")
        and file.attack_type == SUPPRESS
        and car_name(name, file.vehicle) not in left_out
    ]
    for name in silenced:
        LOGGER.warning("%s is left out: an ID is suppressed there, and no label says when", name)
    files = {name: file for name, file in files.items() if name not in silenced}
    survey = survey_captures(
        leave_out(files, left_out, bad_row_share=parameters.bad_row_share),
        allowed_repeats=parameters.allowed_repeats,
    )
    _log_dropped(survey.repeated)
    for name in parameters.allowed_repeats:
        LOGGER.warning("%s may repeat training: its figures prove nothing", name)
    return survey.captures, survey.summary, survey.bad_rows


def read_further_vehicles(
    captures: CaptureTables, captures_of: CapturesOf, parameters: DataProcessing
) -> CaptureTables:
    """Read the attack-free training captures of other datasets, further cars to train on.

    Captures of `left_out_vehicles`, and those that repeat another of training, are not among them.

    Returns:
        `<dataset>/<scenario>/<capture>` -> frame table.

    Raises:
        DataError: as `survey_captures`.
    """
    readers = {
        f"{dataset}/{name}": partial(file, bad_row_share=parameters.bad_row_share)
        for dataset in parameters.further_vehicles
        for name, file in captures_of(dataset).items()
        if name.startswith("train_")
        and file.attack_type != SUPPRESS
        and file.vehicle not in parameters.left_out_vehicles
    }
    if not readers:
        return CaptureTables({}, {}, {})
    survey = survey_captures(readers)
    attacks = survey.summary["attack_frames"]
    benign = survey.captures.only(
        [name for name, n in zip(readers, attacks, strict=True) if n == 0]
    )
    first = {
        note.content: name for name, note in captures.notes.items() if name.startswith("train_")
    }
    for name, note in benign.notes.items():
        first.setdefault(note.content, name)
    repeated = [(name, first[note.content]) for name, note in benign.notes.items()]
    dropped = [(name, original) for name, original in repeated if name != original]
    _log_dropped(survey.repeated + dropped)
    return benign.only([name for name, original in repeated if name == original])


def _log_dropped(repeated: list[tuple[str, str]]) -> None:
    for dropped, original in repeated:
        LOGGER.info("dropped %s: the same frames as %s", dropped, original)


def build_graph_stores(
    captures: CaptureTables,
    further_captures: CaptureTables,
    workspace: GraphWorkspace,
    parameters: DataProcessing,
) -> tuple[GraphStore, GraphStore, GraphStore, GraphStore, GraphStore, GraphStore, pd.DataFrame]:
    """Cut captures into windows, turn windows into graphs, split them.

    Graphs that an earlier run has made from the same frames, parameters and code are taken as
    they are.

    Returns:
        Recorded graphs of train, validation and test, without a profile; the drawn graphs of
        train and validation; those of test against the profile of each capture's prefix; what
        the guard says of the prefixes.
    """
    cut = splits.Cut(parameters.window, parameters.stride, parameters.validation_share)
    shaping = parameters.model_dump(
        include={"window", "stride", "validation_share", "profile", "injections", "guard"}
    )
    notes = [*captures.notes.items(), *further_captures.notes.items()]
    content = [(name, note.content, note.episodes, note.vehicle) for name, note in notes]
    identity = store_identity(content, shaping)
    prefixes = inspect_prefixes(captures, parameters.profile.seconds, parameters.guard, cut)
    drawing = Drawing(parameters.profile, parameters.injections)

    def build(paths: Mapping[str, Path]) -> dict[str, GraphStore]:
        trained_on = captures.only([name for name in captures if name.startswith("train_")]).joined(
            further_captures
        )
        blocks = chain(
            splits.split_blocks(captures, cut),
            drawn_blocks(trained_on, trained_on.vehicles(), cut, drawing),
            calibrated_blocks(captures, cut, prefixes, with_profile=parameters.profile.drop < 1.0),
        )
        return splits.write_stores(blocks, paths, identity=identity)

    parts = workspace.provide(identity, build)
    return (
        parts["train"],
        parts["validation"],
        parts["test"],
        parts["drawn_train"],
        parts["drawn_validation"],
        parts["calibrated_test"],
        prefix_table(prefixes),
    )


def collect_truth(
    captures: CaptureTables, parameters: DataProcessing
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what is known of the test captures.

    Returns:
        One row per episode; one row per window and ID under attack.
    """
    cut = splits.Cut(parameters.window, parameters.stride, parameters.validation_share)
    return truth.collect_truth(captures, cut)


def report_leaks(
    captures: CaptureTables,
    further_captures: CaptureTables,
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    test_graphs: GraphStore,
    captures_of: CapturesOf,
    parameters: DataProcessing,
) -> tuple[list[dict], str]:
    """Check the splits for leaks, also against all else that a model has seen.

    Returns:
        The leak report, and the same as a Markdown table.
    """
    build = partial(splits.capture_graphs, window=parameters.window, stride=parameters.stride)
    also_trained_on = {
        f"{dataset}/{name}": leaks.both_fingerprints(
            reader(bad_row_share=parameters.bad_row_share).frames
        )
        for dataset in parameters.also_trained_on
        for name, reader in captures_of(dataset).items()
        if name.startswith("train_")
    }
    further = {name: leaks.both_fingerprints(frames) for name, frames in further_captures.items()}
    report = leaks.leak_report(
        captures.items(),
        {"train": train_graphs, "validation": validation_graphs, "test": test_graphs},
        build=build,
        limits=parameters.leak_limits,
        allowed=parameters.allowed_leaks,
        allowed_repeats=parameters.allowed_repeats,
        trained_elsewhere={**also_trained_on, **further},
    )
    for sentence in leaks.remarks(report):
        LOGGER.warning("leak report: %s", sentence)
    return report, leaks.leak_page(report)


def release_graphs(
    train_graphs: GraphStore,
    validation_graphs: GraphStore,
    test_graphs: GraphStore,
    drawn_train_graphs: GraphStore,
    drawn_validation_graphs: GraphStore,
    calibrated_test_graphs: GraphStore,
    leak_report: list[dict],
) -> tuple[GraphStore, GraphStore, GraphStore, GraphStore, GraphStore, GraphStore]:
    """Hand the graphs on, to be stored and trained on, unless a check of the report failed.

    Raises:
        DataError: A check failed that `data_processing.allowed_leaks` does not name.
    """
    sentence = leaks.refusal(leak_report)
    if sentence is not None:
        raise DataError(sentence)
    return (
        train_graphs,
        validation_graphs,
        test_graphs,
        drawn_train_graphs,
        drawn_validation_graphs,
        calibrated_test_graphs,
    )


def fit_feature_scaling(drawn_train_graphs: GraphStore) -> dict[str, list]:
    """Measure mean and spread of every feature over benign training rows alone."""
    return scaling.feature_scaling(drawn_train_graphs).to_dict()
