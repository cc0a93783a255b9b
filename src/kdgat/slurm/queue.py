"""Talking to Slurm: sbatch and squeue."""

import getpass
import os
import subprocess
from dataclasses import dataclass

import click

from kdgat.errors import KdgatError
from kdgat.slurm.sites import OWNED_ENVIRONMENT

ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL",
         "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}  # fmt: skip


@dataclass(frozen=True)
class State:
    """What squeue says of a job.

    Args:
        name: PENDING, RUNNING, FAILED, ...
        reason: why it waits or ended.
    """

    name: str
    reason: str

    @property
    def is_active(self) -> bool:
        """True while the job may still complete."""
        return self.name not in ENDED


def sbatch(command: list[str]) -> str:
    """Call sbatch.

    Args:
        command: `sbatch` and its arguments.

    Returns:
        What it printed: with `--parsable` the job's id.

    Raises:
        KdgatError: sbatch is not there, or refuses.
    """
    answer = _call(command)
    if answer.returncode:
        raise KdgatError(f"sbatch refused: {_sentence(answer.stderr)}")
    return (answer.stdout + answer.stderr).strip()


def states() -> dict[str, State]:
    """Ask for all of the user's jobs that Slurm still knows, ended ones too.

    Returns:
        Job id, or `<array job id>_<task>`, -> state.

    Raises:
        KdgatError: squeue is not there, or Slurm does not answer.
    """
    answer = _call(
        ["squeue", "--noheader", "--array", "--states=all", f"--user={getpass.getuser()}",
         "--format=%F|%K|%T|%r"]
    )  # fmt: skip
    if answer.returncode:
        raise KdgatError(f"squeue failed: {_sentence(answer.stderr)}")
    found = {}
    for line in answer.stdout.splitlines():
        job, task, name, reason = line.split("|")
        found[job if task == "N/A" else f"{job}_{task}"] = State(name, reason)
    return found


def states_if_any() -> dict[str, State]:
    """Ask Slurm, where there is one; say so where there is none."""
    try:
        return states()
    except KdgatError as error:
        click.echo(f"from markers and logs alone: {error}", err=True)
        return {}


def clean_environment() -> dict[str, str]:
    """Copy the environment without what an outer job, or a flag kdgat owns, would bring along."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in OWNED_ENVIRONMENT and (name == "SLURM_CONF" or not name.startswith("SLURM_"))
    }


def _call(command: list[str]) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            command, env=clean_environment(), capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise KdgatError(
            f"{command[0]} is not on this machine's PATH: this needs a machine that submits to "
            "Slurm (--dry-run does not)"
        ) from None
    except subprocess.TimeoutExpired:
        raise KdgatError(f"{command[0]} did not answer within 120 s") from None


def _sentence(text: str) -> str:
    lines = [line for line in text.splitlines() if line and not line.startswith("Try ")]
    return "; ".join(line.removeprefix("sbatch: ").removeprefix("error: ") for line in lines)
