"""What a training stage says while it runs: one line an epoch, or a bar on a terminal.

Every epoch becomes one record of the logger `kdgat.epochs` with the attributes `stage`,
`epoch` and `metrics`; a handler at the edge carries it to the tracking store.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOGGER = logging.getLogger("kdgat.epochs")


@dataclass
class StageReport:
    """Collects the metrics of one stage, epoch by epoch.

    Args:
        stage: name of the stage, also the prefix of its metrics.
        epochs: largest number of epochs.
        progress: the bar to move, on a terminal.
    """

    stage: str
    epochs: int
    progress: Progress | None = None
    history: list[dict] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)

    def __call__(self, epoch: int, metrics: dict[str, float]) -> None:
        """Report one finished epoch.

        Args:
            epoch: index of the epoch, from 0.
            metrics: name -> value, without the stage's prefix.
        """
        now = time.perf_counter()
        seconds, self._started = now - self._started, now
        metrics = {name: float(value) for name, value in metrics.items()}
        self.history.append({"stage": self.stage, "epoch": epoch, **metrics, "seconds": seconds})
        values = "  ".join(f"{name.replace('_', ' ')} {_short(v)}" for name, v in metrics.items())
        LOGGER.log(
            logging.DEBUG if self.progress else logging.INFO,
            "%s  epoch %d/%d  %s  %.1f s",
            self.stage,
            epoch + 1,
            self.epochs,
            values,
            seconds,
            extra={"stage": self.stage, "epoch": epoch, "metrics": metrics},
        )
        if self.progress:
            self.progress.update(self.progress.task_ids[0], completed=epoch + 1, metrics=values)


def _short(value: float) -> str:
    return f"{value:.2e}" if value and abs(value) < 1e-3 else f"{value:.4g}"


@contextmanager
def stage_report(stage: str, epochs: int) -> Iterator[StageReport]:
    """Open the report of a stage.

    Args:
        stage: name of the stage.
        epochs: largest number of epochs.

    Yields:
        The report to call once an epoch; its `history` holds one dict an epoch.
    """
    if not sys.stderr.isatty():
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
