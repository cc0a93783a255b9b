"""Who runs a run, and whether it still does."""

import os
import socket
import subprocess
from dataclasses import asdict, dataclass
from typing import Any, Self

import psutil

SECONDS_APART = 2.0  # two readings of one process's start differ by less
JOB_STATES_ALIVE = {
    "RUNNING",
    "SIGNALING",
    "SUSPENDED",
    "COMPLETING",
    "CONFIGURING",
    "STOPPED",
}


@dataclass(frozen=True)
class Owner:
    """A process on a machine, perhaps in a SLURM job.

    Attributes:
        host: name of the machine.
        pid: process id.
        started: when the process began, s since 1970: a later process may have the same id.
        job: SLURM job, `4711` or `4711_3` in an array; None outside SLURM.
    """

    host: str
    pid: int
    started: float
    job: str | None

    @classmethod
    def this_process(cls) -> Self:
        """Describe the calling process."""
        process = psutil.Process()
        return cls(socket.gethostname(), process.pid, process.create_time(), job_id())

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """Build the owner that `to_dict` described."""
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON holds them."""
        return asdict(self)

    def is_in_the_way(self, *, when_unknown: bool) -> bool:
        """Say whether another process than this one goes on with what this owner makes.

        A SLURM job that has begun again is at work under its old name: of its earlier life, on
        whatever machine, nothing is left.

        Args:
            when_unknown: the answer where this machine cannot tell.
        """
        me = Owner.this_process()
        if self == me or (self.job is not None and self.job == me.job):
            return False
        is_alive = self.is_alive()
        return when_unknown if is_alive is None else is_alive

    def is_alive(self) -> bool | None:
        """Say whether the process runs; None where this machine cannot tell."""
        if self.host == socket.gethostname():
            return _process_runs(self.pid, self.started)
        return _job_runs(self.job) if self.job else None


def job_id() -> str | None:
    """Name the SLURM job of this process, `4711` or `4711_3`; None outside SLURM."""
    array_job = os.environ.get("SLURM_ARRAY_JOB_ID")
    if array_job:
        return f"{array_job}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ.get("SLURM_JOB_ID")


def _process_runs(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        is_same = abs(process.create_time() - started) < SECONDS_APART
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _job_runs(job: str) -> bool | None:
    command = ["squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={job}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return False if "Invalid job id" in answer.stderr else None
    return bool(JOB_STATES_ALIVE & set(answer.stdout.split()))
