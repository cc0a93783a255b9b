"""How a submission stands: markers first, then Slurm, then the logs."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kdgat.slurm.queue import State
from kdgat.slurm.submission import Sent, Submission

DONE, FAILED, NOT_RUN = "done", "failed", "not run"
TAIL_BYTES = 4096
LINE_LENGTH = 120


@dataclass(frozen=True)
class Row:
    """One cell.

    Args:
        name: `<pipeline>/<dataset>/seed_<seed>/<variant>`.
        job: id of its newest job; empty before there is one.
        state: done, failed, not run, or what Slurm says.
        last_line: of the log.
    """

    name: str
    job: str
    state: str
    last_line: str


def rows(submission: Submission, known: dict[str, State]) -> list[Row]:
    """Tell for every cell how it stands.

    Args:
        submission: to look at.
        known: what Slurm says of its jobs; empty where it cannot be asked.
    """
    newest = {(sent.stage, cell): sent for sent in submission.sent() for cell in sent.cells}
    return [
        _row(submission, known, stage, number, run, newest.get((stage, run)))
        for stage in submission.plan.pipelines
        for number, run in enumerate(submission.plan.runs(stage))
    ]


def _row(
    submission: Submission,
    known: dict[str, State],
    stage: str,
    number: int,
    run: int,
    sent: Sent | None,
) -> Row:
    job = sent.name_of(run) if sent else ""
    log = submission.log(sent, run) if sent else None
    if submission.marker(stage, number).exists():
        state = DONE
    elif job in known:
        state = _say(known[job])
    else:
        state = FAILED if log and log.exists() else NOT_RUN
    line = last_line(log) if log else ""
    return Row(submission.cells(stage)[number].name, job, state, line)


def _say(state: State) -> str:
    if state.is_active:
        return state.name.lower() + ("" if state.reason == "None" else f" ({state.reason})")
    # Slurm's COMPLETED is an exit code; without the marker the run did not complete.
    word = state.name.lower()
    return FAILED if word in ("completed", "failed") else f"{FAILED} ({word})"


def last_line(log: Path) -> str:
    """Read the last line of a log that is not empty, cut to a screen's width."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip()[:LINE_LENGTH] for line in reversed(lines) if line.strip()), "")


def table(found: list[Row]) -> list[str]:
    """Lay the rows out in columns, and count."""
    cells = [("cell", "job", "state", "last log line")]
    cells += [(row.name, row.job or "-", row.state, row.last_line) for row in found]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    lines = [
        "  ".join([*(word.ljust(width) for word, width in zip(line[:3], widths, strict=True)),
                   line[3]]).rstrip()
        for line in cells
    ]  # fmt: skip
    counts = Counter(row.state.split(" (")[0] for row in found)
    return [*lines, ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))]
