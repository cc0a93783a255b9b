"""One run as the rest of kdgat sees it: open, log, end. No call waits for the store."""

import logging
from pathlib import Path
from typing import Any, Self

from kdgat import locations
from kdgat.errors import KdgatError
from kdgat.tracking import journal, records
from kdgat.tracking.budgets import tag_of
from kdgat.tracking.courier import Courier
from kdgat.tracking.journal import Journal, milliseconds
from kdgat.tracking.owners import Owner

REQUIRED_TAGS = (
    "dataset",
    "model_size",
    "training_mode",
    "random_seed",
    "version",
    "pipeline_version",
    "git_commit",
    "host",
    "job",
)
START_SECONDS = 10.0  # then the run begins without its MLflow id
END_SECONDS = {"FINISHED": 30.0, "FAILED": 30.0, "KILLED": 5.0}  # a killer does not wait long
USED = "batch"  # metrics whose names begin so are kept in the run's record as well


class EpochHandler(logging.Handler):
    """Carries the records of the logger `kdgat.epochs` to a run, one record an epoch."""

    def __init__(self, run: "TrackedRun"):
        super().__init__(logging.DEBUG)
        self.run = run

    def emit(self, record: logging.LogRecord) -> None:
        """Log one epoch as `<stage>/<metric>`, or the tags of a stage."""
        if hasattr(record, "stage_tags"):
            self.run.log_stage(record.stage, record.stage_tags)
            return
        self.run.log_epoch(record.stage, record.epoch, record.metrics, record.measured, record.used)


class TrackedRun:
    """A run on record, named by its version.

    Args:
        version: of everything the run saves.
        used: batch sizes that earlier lives of the run have used.
        spent: seconds that earlier lives have taken, up to an end that they told of.
    """

    def __init__(
        self, version: str, used: dict[str, dict[str, Any]] | None = None, spent: float = 0.0
    ):
        self.version = version
        self._spent, self._began = spent, milliseconds()
        self.path = Path(locations.journals()) / f"{version}{journal.SUFFIX}"
        self._journal = Journal(self.path)
        self._courier = Courier(self.path)
        self._epochs = EpochHandler(self)
        self._used: dict[str, dict[str, Any]] = used or {}

    @classmethod
    def begin(
        cls,
        version: str,
        *,
        experiment: str,
        name: str,
        tags: dict[str, str],
        used: dict[str, dict[str, Any]] | None = None,
        spent: float = 0.0,
    ) -> Self:
        """Put a run on record, or go on with the one that has this version.

        Args:
            version: of everything the run saves.
            experiment: its MLflow experiment.
            name: of the run.
            tags: at least REQUIRED_TAGS.
            used: batch sizes that earlier lives of the run have used.
            spent: seconds that earlier lives have taken.

        Raises:
            KdgatError: a required tag is missing, or another process runs this version.
        """
        missing = [tag for tag in REQUIRED_TAGS if not tags.get(tag)]
        if missing:
            raise KdgatError(f"a run needs the tags {', '.join(missing)}")
        owner = Owner.this_process().to_dict()
        run = cls(version, used, spent)
        before, _ = journal.standing(run.path)
        if before is not None and before.is_in_the_way(when_unknown=False):
            raise KdgatError(f"version {version} is being made by process {before.pid} right now")
        if before is None:
            run._journal.append(
                "run",
                experiment=experiment,
                name=name,
                tags=tags,
                time=milliseconds(),
                owner=owner,
            )
        else:
            run._journal.append("resume", time=milliseconds(), owner=owner)
        run._courier.start_and_wait(START_SECONDS)
        logging.getLogger("kdgat.epochs").addHandler(run._epochs)
        return run

    @property
    def run_id(self) -> str | None:
        """Id of the MLflow run; None until the store has answered once."""
        return self._courier.run_id

    def log_parameters(self, values: dict[str, Any]) -> None:
        """Log parameters, name -> value."""
        self._journal.append("params", values={key: str(value) for key, value in values.items()})

    def log_tags(self, values: dict[str, str]) -> None:
        """Set tags, name -> value."""
        self._journal.append("tags", values=values)

    def log_stage(self, stage: str, tags: dict[str, str]) -> None:
        """Set tags of a stage whose batches have adapted; the record keeps what it ran on."""
        self.log_tags({tag_of(stage, what): value for what, value in tags.items()})
        self._used.setdefault(stage, {})[records.KIND] = tags[records.KIND]

    def log_metrics(
        self, values: dict[str, float], step: int = 0, measured: int | None = None
    ) -> None:
        """Log what was measured at one step, name -> value; `measured` in ms, default: now."""
        self._journal.append("metrics", values=values, step=step, time=measured or milliseconds())

    def log_epoch(
        self,
        stage: str,
        epoch: int,
        metrics: dict[str, float],
        measured: int | None = None,
        used: list[list[int]] | None = None,
    ) -> None:
        """Log one epoch of a stage; the batch sizes really used are kept for the record.

        An epoch may be told again by a later life of the run: the store keeps it once.
        """
        values = {f"{stage}/{name}": value for name, value in metrics.items()}
        self.log_metrics(values, epoch, measured)
        kept = {name: value for name, value in metrics.items() if name.startswith(USED)}
        if used is not None:
            kept[records.SCHEDULE] = used
        so_far = self._used.setdefault(stage, {})
        for values in so_far.values():
            if isinstance(values, list):
                del values[epoch:]
        for name, value in kept.items():
            values = so_far.setdefault(name, [])
            values += [None] * (epoch - len(values))  # epochs before it was measured
            values.append(value)

    def keep_used(self) -> None:
        """Write the batch sizes used so far into the record, for a later life."""
        records.note(self.version, used=self._used)

    def log_artifact(self, path: Path) -> None:
        """Copy a file to the store, as it is when it gets there."""
        self._journal.append("artifact", path=str(path))

    def log_text(self, name: str, text: str) -> None:
        """Keep a text as an artifact of that name."""
        self._journal.append("text", name=name, text=text)

    def end(self, status: str, error: str | None = None) -> None:
        """Put the run's end on record and bring everything to the store, if it answers.

        Args:
            status: FINISHED, FAILED or KILLED.
            error: what went wrong.
        """
        logging.getLogger("kdgat.epochs").removeHandler(self._epochs)
        if records.exists(self.version):
            now = milliseconds()
            records.note(
                self.version,
                status=status,
                error=error,
                used=self._used,
                ended=now,
                seconds=self._spent + (now - self._began) / 1000,
            )
            self.log_artifact(records.path_of(self.version))
        self._journal.append("status", status=status, time=milliseconds(), error=error)
        self._journal.close()
        self._courier.finish(END_SECONDS[status])
