"""What a training stage says while it runs: one line an epoch, or a bar on a terminal.

Every epoch becomes one record of the logger `kdgat.epochs` with the attributes `stage`,
`epoch`, `metrics`, `measured` and `used`; a handler at the edge carries it to the tracking store.
"""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOGGER = logging.getLogger("kdgat.epochs")
"""Epochs and tags of stages; headers and footers go to this module's own logger."""

LAST = ("learning_rate", "batch_graphs", "batch_nodes")
"""Metrics that end the line, in a form of their own."""


@dataclass
class StageReport:
    """Collects the metrics of one stage, epoch by epoch.

    Args:
        stage: name of the stage, also the prefix of its metrics.
        epochs: largest number of epochs.
        progress: the bar to move, on a terminal.
        epochs_done: what is known of each epoch so far: epoch, metrics, seconds, measured, used.
    """

    stage: str
    epochs: int
    progress: Progress | None = None
    epochs_done: list[dict[str, Any]] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)

    @property
    def history(self) -> list[dict[str, Any]]:
        """One row an epoch, for a table."""
        return [
            {
                "stage": self.stage,
                "epoch": done["epoch"],
                **done["metrics"],
                "seconds": done["seconds"],
            }
            for done in self.epochs_done
        ]

    @property
    def seconds(self) -> float:
        """Time that all epochs took, in every life of the run."""
        return sum(done["seconds"] for done in self.epochs_done)

    def measure(self, epoch: int, metrics: dict[str, float], used: list | None = None) -> None:
        """Take down one finished epoch without a word yet.

        Args:
            epoch: index of the epoch, from 0.
            metrics: name -> value, without the stage's prefix.
            used: budgets of its batches, see `kdgat.training.batch_size`.
        """
        now = time.perf_counter()
        seconds, self._started = now - self._started, now
        self.epochs_done.append(
            {
                "epoch": epoch,
                "metrics": {name: float(value) for name, value in metrics.items()},
                "seconds": seconds,
                "measured": int(time.time() * 1000),
                "used": used,
            }
        )

    def announce(self) -> None:
        """Say and track the epoch that was measured last."""
        done = self.epochs_done[-1]
        logging.getLogger(__name__).debug("%s: %s", self.stage, done)
        line = epoch_line(done, self.epochs)
        self._record(logging.DEBUG if self.progress else logging.INFO, line, done)
        self._move(line)

    def restore(self, epochs_done: list[dict[str, Any]]) -> None:
        """Go on after the epochs of an earlier life, which may not have been tracked in full."""
        self.epochs_done = list(epochs_done)
        for done in self.epochs_done:
            self._record(logging.DEBUG, epoch_line(done, self.epochs), done)
        if self.epochs_done:
            self._move("")
        self._started = time.perf_counter()

    def tag(self, **tags: str) -> None:
        """Leave tags of this stage with the run."""
        extra = {"stage": self.stage, "stage_tags": tags}
        LOGGER.debug("%s: %s", self.stage, tags, extra=extra)

    def close(self, sentence: str) -> None:
        """Say how the stage ended."""
        logging.getLogger(__name__).info("%s: %s; %.0f s", self.stage, sentence, self.seconds)

    def _record(self, level: int, line: str, done: dict[str, Any]) -> None:
        extra = {key: done[key] for key in ("epoch", "metrics", "measured", "used")}
        LOGGER.log(level, "%s", line, extra={"stage": self.stage, **extra})

    def _move(self, line: str) -> None:
        if self.progress:
            self.progress.update(
                self.progress.task_ids[0], completed=len(self.epochs_done), metrics=line
            )


def epoch_line(done: dict[str, Any], epochs: int) -> str:
    """Write an epoch as one line.

    Args:
        done: epoch, metrics and seconds.
        epochs: largest number of epochs.
    """
    metrics = done["metrics"]
    values = [
        f"{name.replace('_', ' ')} {short(value)}"
        for name, value in metrics.items()
        if name not in LAST and not name.startswith("batch_")
    ]
    ends = []
    if "learning_rate" in metrics:
        ends.append(f"lr {_power_of_ten(metrics['learning_rate'])}")
    if "batch_graphs" in metrics:
        nodes = thousands(metrics["batch_nodes"])
        ends.append(f"batch {metrics['batch_graphs']:.0f} nodes {nodes}")
    begin = f"epoch {done['epoch'] + 1}/{epochs}"
    return "  ".join([begin, *values, f"{done['seconds']:.1f} s", *ends])


def short(value: float) -> str:
    """Write a figure with three digits."""
    return _power_of_ten(value) if value and abs(value) < 1e-3 else f"{value:.3g}"


def thousands(value: float) -> str:
    """Write a count: 412, 11.8k, 1.2M."""
    if value < 1e3:
        return f"{value:.0f}"
    return f"{value / 1e3:.1f}k" if value < 1e6 else f"{value / 1e6:.1f}M"


def _power_of_ten(value: float) -> str:
    digits, power = f"{value:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


@contextmanager
def stage_report(stage: str, epochs: int, header: str = "") -> Iterator[StageReport]:
    """Open the report of a stage.

    Args:
        stage: name of the stage.
        epochs: largest number of epochs.
        header: what is trained on what, in a line.

    Yields:
        The report: `measure` and `announce` once an epoch; its `history` holds one dict an epoch.
    """
    if header:
        logging.getLogger(__name__).info("%s: %s", stage, header)
    if not sys.stderr.isatty() or "SLURM_JOB_ID" in os.environ:
        yield StageReport(stage, epochs)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[metrics]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        progress.add_task(stage, total=epochs, metrics="")
        yield StageReport(stage, epochs, progress)
