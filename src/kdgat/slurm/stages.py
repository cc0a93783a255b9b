"""From a plan to calls of sbatch: one job or array a stage, each after the one before it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from kdgat import locations
from kdgat.errors import KdgatError
from kdgat.slurm.queue import State, sbatch
from kdgat.slurm.submission import Sent, Submission

SCRIPT = locations.PROJECT / "slurm" / "run.sbatch"


@dataclass(frozen=True)
class Batch:
    """Cells that go through the same stages together.

    Args:
        cells: their numbers, ascending.
        stages: in order.
    """

    cells: tuple[int, ...]
    stages: tuple[str, ...]


def whole_plan(submission: Submission) -> list[Batch]:
    """Send everything: all cells, all stages."""
    stages = submission.plan.pipelines
    count = len(submission.cells(stages[0]))
    return [Batch(tuple(range(count)), tuple(stages))]


def what_is_missing(submission: Submission, known: dict[str, State]) -> list[Batch]:
    """Send what is not complete, of the cells that have no job left in the queue.

    Cells that lack the same stages go together: task i of an array follows task i of another.

    Args:
        submission: sent before.
        known: what Slurm says of its jobs.

    Returns:
        Batches; none where nothing is missing.
    """
    stages = submission.plan.pipelines
    jobs = [(sent, cell) for sent in submission.sent() for cell in sent.cells]
    active = {
        (sent.stage, cell)
        for sent, cell in jobs
        if sent.name_of(cell) in known and known[sent.name_of(cell)].is_active
    }
    busy = {
        cell
        for stage in stages
        for cell, run in enumerate(submission.plan.runs(stage))
        if (stage, run) in active
    }
    missing: dict[tuple[str, ...], list[int]] = {}
    for cell in range(len(submission.cells(stages[0]))):
        lacking = tuple(stage for stage in stages if not submission.marker(stage, cell).exists())
        if lacking and cell not in busy:
            missing.setdefault(lacking, []).append(cell)
    return [Batch(tuple(cells), lacking) for lacking, cells in missing.items()]


def command(submission: Submission, batch: Batch, stage: str, previous: str | None) -> list[str]:
    """Write one call of sbatch.

    Args:
        submission: to which it belongs.
        batch: the cells.
        stage: the pipeline.
        previous: id of the job of the stage before; None for the first.
    """
    cells = runs_of(submission, batch, stage)
    is_array = len(cells) > 1
    settings = submission.settings
    log = "%A_%a" if is_array else "%j"
    words = ["sbatch", "--parsable", f"--job-name=kdgat-{stage}", f"--chdir={submission.folder}"]
    words += [f"--output={submission.folder}/logs/{stage}-{log}.log"]
    if is_array:
        limit = f"%{settings.concurrency}" if settings.concurrency else ""
        words += [f"--array={_ranges(cells)}{limit}"]
    if previous:
        stage_before = batch.stages[batch.stages.index(stage) - 1]
        task_by_task = is_array and cells == runs_of(submission, batch, stage_before)
        kind = "aftercorr" if task_by_task else "afterok"
        words += [f"--dependency={kind}:{previous}", "--kill-on-invalid-dep=yes"]
    if settings.warning:
        words += [f"--signal=USR1@{settings.warning}"]
    pipelines = submission.plan.pipelines
    before = pipelines[: pipelines.index(stage)]
    cell = "array" if is_array else str(cells[0])
    folders = [str(submission.folder), str(submission.snapshot)]
    return [*words, *settings.flags[stage], str(SCRIPT), *folders, stage, cell, *before]


def runs_of(submission: Submission, batch: Batch, stage: str) -> tuple[int, ...]:
    """Number the cells whose runs serve a batch in a stage, ascending."""
    runs = submission.plan.runs(stage)
    return tuple(sorted({runs[cell] for cell in batch.cells}))


def send(submission: Submission, batches: list[Batch]) -> Iterator[Sent]:
    """Call sbatch for every stage of every batch.

    Raises:
        KdgatError: sbatch refuses one; the sentence says what is queued already.
    """
    queued: list[str] = []
    for batch in batches:
        previous = None
        for stage in batch.stages:
            words = command(submission, batch, stage, previous)
            try:
                previous = sbatch(words).split(";")[0]
            except KdgatError as error:
                ids = " ".join(queued)
                rest = f" (queued already: `scancel {ids}`)" if queued else ""
                raise KdgatError(f"{stage}: {error}{rest}") from None
            sent = Sent(stage, runs_of(submission, batch, stage), previous)
            submission.record(sent, words)
            queued.append(previous)
            yield sent


def dry_lines(submission: Submission, batches: list[Batch]) -> Iterator[str]:
    """Write what `send` would do as shell: job ids are variables."""
    for number, batch in enumerate(batches):
        previous = None
        for stage in batch.stages:
            name = stage if number == 0 else f"{stage}_{number}"
            words = command(submission, batch, stage, f"${previous}" if previous else None)
            text = shlex.join(words)
            if previous:
                text = text.replace("'--dependency=", "--dependency=").replace(
                    f":${previous}'", f":${previous}"
                )
            yield f"{name}=$({text})"
            previous = name


def check(submission: Submission, batches: list[Batch]) -> Iterator[str]:
    """Ask sbatch whether it would take each job; nothing is queued.

    Raises:
        KdgatError: It would not.
    """
    for batch in batches:
        for stage in batch.stages:
            words = command(submission, batch, stage, None)
            try:
                yield f"{stage}: {sbatch([words[0], '--test-only', *words[1:]])}"
            except KdgatError as error:
                raise KdgatError(f"{stage}: {error}") from None


def _ranges(cells: tuple[int, ...]) -> str:
    parts: list[list[int]] = []
    for cell in cells:
        if parts and cell == parts[-1][-1] + 1:
            parts[-1].append(cell)
        else:
            parts.append([cell])
    return ",".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
