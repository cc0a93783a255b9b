"""The leak report: every check, its figure, its limit and the verdict."""

from collections.abc import Collection, Iterable, Mapping

import pandas as pd

from kdgat.can.fingerprints import Fingerprints
from kdgat.can.graph_store import GraphStore
from kdgat.leaks import controls, copies
from kdgat.leaks.findings import Finding
from kdgat.leaks.traces import Build, trace_captures
from kdgat.markdown import table
from kdgat.parameters import LeakLimits

CHECKS = tuple(LeakLimits.model_fields)

PASSED, FAILED, ALLOWED = "passed", "failed", "allowed"
NOT_MEASURED, INFORMATION = "not measured", "information"


def leak_report(
    captures: Iterable[tuple[str, pd.DataFrame]],
    stores: Mapping[str, GraphStore],
    *,
    build: Build,
    limits: LeakLimits,
    allowed: Iterable[str] = (),
    allowed_repeats: Collection[str] = (),
    trained_elsewhere: Mapping[str, tuple[Fingerprints, Fingerprints]] | None = None,
    seed: int = 0,
) -> list[dict]:
    """Check the splits that a dataset was turned into.

    Args:
        captures: name and frame table of each capture in the splits, one at a time.
        stores: `train`, `validation` and `test`.
        build: turns windows of a capture into graphs, as the stores were made.
        limits: the largest figure that passes, by check.
        allowed: checks whose failure is accepted.
        allowed_repeats: test captures that may repeat training: not searched for copies.
        trained_elsewhere: training captures of other datasets -> fingerprints with and without
            times, for a model that has seen those too.
        seed: of the controls' forests, not of any detector.

    Returns:
        One row per figure: check (empty for information), measured, figure and limit (None
        where there is none), verdict, note. A figure above its limit is `failed`, or `allowed`.
    """
    traces = trace_captures(captures, stores, build, seed)
    findings = [
        *copies.shared_windows(stores, allowed_repeats),
        copies.close_windows(stores["train"], stores["validation"]),
        *copies.known_frames(stores, traces, trained_elsewhere or {}, allowed_repeats),
        copies.twice_attacked(stores["test"], traces),
        *controls.position_control(stores, traces, seed),
        controls.shuffled_labels_control(traces, seed),
        *controls.file_identity_controls(traces, seed),
        *controls.bag_of_ids_on_labels(stores, seed),
    ]
    return [_row(finding, limits, set(allowed)) for finding in findings]


def refusal(report: Iterable[Mapping]) -> str | None:
    """Say in one sentence which checks failed and how to accept that; None where none did.

    Args:
        report: rows of `leak_report`.
    """
    failed = [row for row in report if row["verdict"] == FAILED]
    if not failed:
        return None
    found = "; ".join(
        f"{row['check']} is {row['figure']:.3f}, at most {row['limit']:g} passes"
        f" ({row['measured']}; {row['note']})"
        for row in failed
    )
    names = "+".join(dict.fromkeys(row["check"] for row in failed))
    return (
        f"the leak report refuses this dataset: {found}; to go on all the same, allow it by name:"
        f" `--params data_processing.allowed_leaks={names}`"
    )


def remarks(report: Iterable[Mapping]) -> list[str]:
    """Say of which checks the report gives no assurance, and what counts twice, a sentence each.

    Args:
        report: rows of `leak_report`.
    """
    sentences = []
    for row in report:
        if row["verdict"] == ALLOWED:
            sentences.append(
                f"{row['check']} is {row['figure']:.3f}, above {row['limit']:g}, and allowed"
            )
        elif row["verdict"] == NOT_MEASURED and row["check"]:
            sentences.append(f"{row['check']} could not be measured: {row['note']}")
        elif (
            row["measured"] == copies.TWICE_ATTACKED and (row["figure"] or 0) > copies.ONE_RECORDING
        ):
            sentences.append(
                "one recording, which benign hours and intervals count twice: "
                f"{row['note']} (up to {row['figure']:.3f} of the frames, times ignored)"
            )
    return sentences


def leak_page(report: Iterable[Mapping]) -> str:
    """Lay the report out as a Markdown table.

    Args:
        report: rows of `leak_report`.
    """
    lines = []
    for row in report:
        figure = "" if row["figure"] is None else f"{row['figure']:.3f}"
        limit = "" if row["limit"] is None else f"{row['limit']:g}"
        verdict = f"**{row['verdict']}**" if row["verdict"] in (FAILED, ALLOWED) else row["verdict"]
        lines.append((row["check"], row["measured"], figure, limit, verdict, row["note"]))
    return table(("check", "measured", "figure", "limit", "verdict", "note"), lines) + "\n"


def compare_page(reports: Mapping[str, Iterable[Mapping]]) -> str:
    """Lay the reports of several datasets side by side: figures, failed ones in bold.

    Args:
        reports: dataset -> rows of `leak_report`.
    """
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for dataset, report in reports.items():
        for row in report:
            limit = "" if row["limit"] is None else f"{row['limit']:g}"
            figures = rows.setdefault((row["check"], row["measured"], limit), {})
            figure = "not measured" if row["figure"] is None else f"{row['figure']:.3f}"
            figures[dataset] = f"**{figure}**" if row["verdict"] in (FAILED, ALLOWED) else figure
    lines = [
        (*labels, *(figures.get(dataset, "") for dataset in reports))
        for labels, figures in rows.items()
    ]
    return table(("check", "measured", "limit", *reports), lines) + "\n"


def _row(finding: Finding, limits: LeakLimits, allowed: set[str]) -> dict:
    limit = limits.model_dump()[finding.check] if finding.check else None
    return {
        "check": finding.check,
        "measured": finding.measured,
        "figure": finding.figure,
        "limit": limit,
        "verdict": _verdict(finding, limit, allowed),
        "note": finding.note,
    }


def _verdict(finding: Finding, limit: float | None, allowed: set[str]) -> str:
    if finding.figure is None:
        return NOT_MEASURED
    if limit is None:
        return INFORMATION
    if finding.figure <= limit:
        return PASSED
    return ALLOWED if finding.check in allowed else FAILED
