"""The folder of a submission: everything that its jobs read and leave, all of it plain text.

plan.yml             the plan
flags.yml            flags of sbatch by stage, concurrency, warning time
environment.sh       read by every job first
snapshots/1          code and configuration at submission; 2, 3 ... at later ones
tasks/<stage>/<n>    arguments of kedro for cell n, one a line
done/<stage>/<n>     completion marker: `dataset:version` lines, written by the run itself; a link
                     to another cell's where one run serves both
logs/                one file a job, or array task
jobs.tsv             what was sent: stage, cells, job, command
"""

import os
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from kdgat import locations
from kdgat.errors import KdgatError, MissingInputError
from kdgat.slurm.sites import Site
from kdgat.slurm.snapshot import take_snapshot
from kdgat.sweep.cells import Cell
from kdgat.sweep.plan import Plan, make_plan

OWN_VARIABLES = ("KDGAT_RUN_KEY", "KDGAT_COMPLETION_MARKER")
KEPT_VARIABLES = ("MLFLOW_TRACKING_URI",)
SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Sent:
    """One call of sbatch that went through.

    Args:
        stage: the pipeline.
        cells: numbers of the cells; one cell is a job, several are tasks of an array.
        job: the job's id.
    """

    stage: str
    cells: tuple[int, ...]
    job: str

    def name_of(self, cell: int) -> str:
        """Name a cell's job as Slurm does: `17`, or `17_3` in an array."""
        return self.job if len(self.cells) == 1 else f"{self.job}_{cell}"


@dataclass(frozen=True)
class Settings:
    """How a submission is sent.

    Args:
        flags: stage -> flags of sbatch, those of the site before those of the user.
        concurrency: most tasks of one array that run at a time; None for no limit.
        warning: seconds between SIGUSR1 and the time limit; None for run.sbatch's own.
    """

    flags: dict[str, list[str]]
    concurrency: int | None = None
    warning: int | None = None


@dataclass(frozen=True)
class Submission:
    """A plan, and the folder of its jobs.

    Args:
        folder: absolute.
        plan: what runs.
        settings: how it is sent.
    """

    folder: Path
    plan: Plan
    settings: Settings

    @property
    def snapshot(self) -> Path:
        """The newest snapshot."""
        return self.folder / "snapshots" / str(max(self._snapshots(), default=1))

    def cells(self, stage: str) -> list[Cell]:
        """List a stage's cells; cell n of every stage has the same dataset, seed and variant."""
        return self.plan.cells(stage)

    def marker(self, stage: str, cell: int) -> Path:
        """The file that says that a cell's stage is complete."""
        return self.folder / "done" / stage / str(cell)

    def log(self, sent: Sent, cell: int) -> Path:
        """The log of a cell's job."""
        return self.folder / "logs" / f"{sent.stage}-{sent.name_of(cell)}.log"

    def write(self, environment: str) -> None:
        """Make the folder, with a snapshot of the checkout."""
        for name in (
            "logs",
            *(f"{kind}/{stage}" for kind in ("tasks", "done") for stage in self.plan.pipelines),
        ):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o700)  # conf/local and the environment may hold credentials
        self.add_snapshot()
        (self.folder / "environment.sh").write_text(environment)
        (self.folder / "plan.yml").write_text(yaml.safe_dump(self.plan.model_dump(mode="json")))
        (self.folder / "flags.yml").write_text(yaml.safe_dump(vars(self.settings)))
        for stage in self.plan.pipelines:
            for number, cell in enumerate(self.cells(stage)):
                lines = "".join(f"{argument}\n" for argument in cell.arguments())
                (self.folder / "tasks" / stage / str(number)).write_text(lines)
            for number, run in enumerate(self.plan.runs(stage)):
                if run != number:  # complete as soon as the run that serves it is
                    self.marker(stage, number).symlink_to(str(run))

    def add_snapshot(self) -> None:
        """Take a further snapshot of the checkout; jobs sent from now on use it."""
        number = max(self._snapshots(), default=0) + 1
        take_snapshot(locations.PROJECT, self.folder / "snapshots" / str(number))

    def _snapshots(self) -> list[int]:
        """List those that are whole."""
        return [int(path.name) for path in (self.folder / "snapshots").glob("[0-9]*")]

    def record(self, sent: Sent, command: list[str]) -> None:
        """Note a job that was sent."""
        cells = ",".join(map(str, sent.cells))
        line = "\t".join((sent.stage, cells, sent.job, shlex.join(command)))
        with (self.folder / "jobs.tsv").open("a") as file:
            file.write(line + "\n")

    def sent(self) -> list[Sent]:
        """List the jobs sent, oldest first."""
        path = self.folder / "jobs.tsv"
        if not path.exists():
            return []
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        return [Sent(row[0], tuple(map(int, row[1].split(","))), row[2]) for row in rows]


def submissions_folder(site: Site) -> Path:
    """Give the folder of all submissions: `slurm` below the data root."""
    root = Path(site.scratch) if site.scratch else Path(locations.data_root())
    return root.resolve() / "slurm"


def start_submission(plan: Plan, settings: Settings, site: Site, *, is_dry: bool) -> Submission:
    """Make a submission, and unless dry its folder.

    Args:
        plan: what runs.
        settings: how it is sent.
        site: where.
        is_dry: write nothing.

    Returns:
        The submission; its name begins with the UTC time, so that names sort.
    """
    parent = submissions_folder(site)
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}-{plan.pipelines[-1]}"
    submission = Submission(parent / name, plan, settings)
    if not is_dry:
        submission.write(environment_script(site, parent.parent))
    return submission


def open_submission(name: str | None, site: Site) -> Submission:
    """Find a submission.

    Args:
        name: its name, a part of it, or its folder; None is the newest.
        site: whose scratch holds it.

    Raises:
        MissingInputError: There is none, or several have this part.
    """
    parent = submissions_folder(site)
    found = sorted(path.parent for path in parent.glob("*/plan.yml"))
    if name is not None:
        folder = Path(name).resolve()
        found = (
            [folder]
            if (folder / "plan.yml").is_file()
            else [path for path in found if name in path.name]
        )
    if not found:
        wanted = f"submission '{name}'" if name else "submission"
        raise MissingInputError(f"there is no {wanted} in {parent}")
    if name is not None and len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise MissingInputError(f"'{name}' is part of several submissions: {names}")
    folder = found[-1]
    plan = make_plan(yaml.safe_load((folder / "plan.yml").read_text()), f"{folder}/plan.yml")
    return Submission(folder, plan, Settings(**yaml.safe_load((folder / "flags.yml").read_text())))


def environment_script(site: Site, data_root: Path) -> str:
    """Write what every job reads first: modules, virtual environment, variables.

    Args:
        site: the site profile; its variables win over those of the shell that submits.
        data_root: where jobs write.
    """
    kept = {
        name: _from_anywhere(name, value)
        for name, value in sorted(os.environ.items())
        if value
        and (name.startswith("KDGAT_") or name in KEPT_VARIABLES)
        and name not in OWN_VARIABLES
    }
    python = Path(site.virtual_environment or sys.prefix)
    if not (python / "bin" / "kedro").exists():
        raise KdgatError(f"the virtual environment {python} has no bin/kedro: install kdgat in it")
    variables = kept | {"KDGAT_DATA_ROOT": str(data_root)} | site.environment
    lines = ["# Written by slurm/submit; read by every job of this submission."]
    if site.modules:
        lines += ["command -v module >/dev/null || source /etc/profile"]
        lines += [f"module load {shlex.quote(module)} || return 1" for module in site.modules]
    lines += [f"export PATH={shlex.quote(str(python / 'bin'))}:$PATH"]
    lines += ["export DO_NOT_TRACK=1 MLFLOW_DISABLE_TELEMETRY=true"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return "\n".join(lines) + "\n"


def _from_anywhere(name: str, value: str) -> str:
    """Make a path absolute: a job starts in another folder than the shell that submits."""
    if name == "KDGAT_RAW_ROOT":
        return str(Path(value).resolve())
    path = value.removeprefix(SQLITE)
    return f"{SQLITE}{Path(path).resolve()}" if path != value else value
