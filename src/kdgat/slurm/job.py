"""What a run can say of the Slurm job it runs in, and how it says that it is complete."""

import os
from collections.abc import Collection
from pathlib import Path

MARKER = "KDGAT_COMPLETION_MARKER"
TAGS = {
    "slurm.job_id": "SLURM_JOB_ID",
    "slurm.array_job_id": "SLURM_ARRAY_JOB_ID",
    "slurm.array_task_id": "SLURM_ARRAY_TASK_ID",
    "slurm.restart_count": "SLURM_RESTART_COUNT",
    "slurm.node": "SLURMD_NODENAME",
    "slurm.partition": "SLURM_JOB_PARTITION",
    "slurm.run_key": "KDGAT_RUN_KEY",
}


def job_name() -> str | None:
    """Name the job as versions do: `j17`, `j17_3` in an array, `j17_3r2` in its third life."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return None
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    name = f"j{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else f"j{job}"
    restarts = os.environ.get("SLURM_RESTART_COUNT", "0")
    return name if restarts == "0" else f"{name}r{restarts}"


def job_tags() -> dict[str, str]:
    """Give the tags of a run in a Slurm job; none elsewhere."""
    if job_name() is None:
        return {}
    tags = {tag: os.environ[name] for tag, name in TAGS.items() if name in os.environ}
    return {"slurm.restart_count": "0", **tags}


def handed_on(versions: dict[str, str], own: Collection[str]) -> dict[str, str]:
    """Leave out of the versions that a job hands on what the stage it starts makes itself.

    Args:
        versions: dataset -> version, of everything that the stages before it have saved.
        own: datasets that the stage saves.
    """
    if MARKER not in os.environ:
        return versions
    return {name: version for name, version in versions.items() if name not in own}


def mark_complete(versions: dict[str, str]) -> None:
    """Leave the completion marker that the batch script demands, as the last thing a run does.

    Its lines are `dataset:version`: the stages that follow read exactly these.

    Args:
        versions: dataset -> version, of everything the run saved.
    """
    path = os.environ.get(MARKER)
    if path is None:
        return
    marker = Path(path)
    partial = marker.with_name(f".{marker.name}.{os.getpid()}")
    partial.write_text("".join(f"{name}:{version}\n" for name, version in versions.items()))
    partial.replace(marker)
