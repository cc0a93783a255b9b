"""What a cluster wants to be told: site profiles, and flags of sbatch that kdgat owns."""

import os
import re
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from kdgat.errors import ParameterError
from kdgat.parameters import Group

DROP, BARE = "none", "true"
LOGS = "logs lie in the submission's folder, where `slurm/status` reads them"
DEPENDENCY = "stages depend on one another in the plan's order"
OWNED = {
    "array": "the cells of the plan are the array: name seeds, datasets or a plan file",
    "chdir": "a job runs in its snapshot of the code",
    "dependency": DEPENDENCY,
    "error": LOGS,
    "input": "a job reads nothing from a terminal",
    "job-name": "a job is named by its stage",
    "kill-on-invalid-dep": DEPENDENCY,
    "open-mode": "the lives of a job share one log",
    "output": LOGS,
    "parsable": "`slurm/submit` reads the job's id",
    "signal": "training is warned by SIGUSR1: say how long before the end with --warning",
    "test-only": "that is `slurm/submit --check`",
    "wait": "`slurm/submit` returns at once; look with `slurm/status`",
    "wrap": "a job runs slurm/run.sbatch",
}
SHORT = {
    "a": "array",
    "D": "chdir",
    "d": "dependency",
    "e": "error",
    "i": "input",
    "J": "job-name",
    "o": "output",
    "W": "wait",
}
# What these would set, kdgat sets or must not be set at all.
OWNED_ENVIRONMENT = {
    "SBATCH_ARRAY_INX",
    "SBATCH_ERROR",
    "SBATCH_INPUT",
    "SBATCH_JOB_NAME",
    "SBATCH_OPEN_MODE",
    "SBATCH_OUTPUT",
    "SBATCH_SIGNAL",
    "SBATCH_WAIT",
}


class Site(Group):
    """A site profile; every value is a string, handed on as written."""

    sbatch: dict[str, str] = Field(default={}, description="flag of sbatch -> value")
    stages: dict[str, dict[str, str]] = Field(
        default={}, description="pipeline -> flags that differ there; `none` drops one"
    )
    modules: list[str] = Field(default=[], description="environment modules to load")
    virtual_environment: str | None = Field(
        default=None, description="folder; default: the one that submits"
    )
    scratch: str | None = Field(default=None, description="becomes KDGAT_DATA_ROOT")
    environment: dict[str, str] = Field(default={}, description="further variables of the jobs")

    def flags(self, stage: str) -> list[str]:
        """Write the flags for one pipeline as sbatch takes them."""
        values = self.sbatch | self.stages.get(stage, {})
        return [
            f"--{name}" if value == BARE else f"--{name}={value}"
            for name, value in values.items()
            if value != DROP
        ]


def read_site(name: str | None, folder: Path) -> Site:
    """Read a site profile.

    Args:
        name: of a file in `folder`, or a path that ends in `.yml`; None is no profile.
        folder: where profiles lie.

    Returns:
        The profile, `~` and environment variables in it replaced.

    Raises:
        ParameterError: There is no such profile, a key is unknown, a flag is kdgat's own, or a
            variable is not set.
    """
    if name is None:
        return Site()
    path = Path(name) if name.endswith(".yml") else folder / f"{name}.yml"
    if not path.is_file():
        known = ", ".join(sorted(profile.stem for profile in folder.glob("*.yml")))
        raise ParameterError(f"there is no site profile '{name}': {known}, or a path to a .yml")
    try:
        # BaseLoader leaves 04:00:00 alone, where YAML 1.1 reads the number 14400.
        raw = yaml.load(_expand(path), Loader=yaml.BaseLoader)
        site = Site.model_validate(raw or {})
    except yaml.YAMLError as error:
        raise ParameterError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        allowed = ", ".join(Site.model_fields)
        raise ParameterError(f"{path}: {where}: {first['msg']} (keys: {allowed})") from None
    for values in (site.sbatch, *site.stages.values()):
        refuse_owned([f"--{flag}" for flag in values], source=str(path))
    return site


def _expand(path: Path) -> str:
    def value(match: re.Match) -> str:
        name = match[1] or match[2]
        if name not in os.environ:
            raise ParameterError(f"{path} uses ${name}, which is not set")
        return os.environ[name]

    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, "\n".join(lines))
    return re.sub(r"(?<=[:\s])~(?=/)", str(Path.home()), text)


def refuse_owned(flags: list[str], source: str) -> None:
    """Refuse flags that kdgat sets itself, and words that are no flags.

    Args:
        flags: as sbatch would get them.
        source: where they come from, for the sentence.

    Raises:
        ParameterError: A flag is owned, also in its short or an abbreviated form.
    """
    for place, flag in enumerate(flags):
        if not flag.startswith("-"):
            previous = flags[place - 1] if place else ""
            if not previous.startswith("-") or "=" in previous:
                raise ParameterError(f"{source}: '{flag}' is no flag of sbatch")
            continue
        owned = _owned(flag)
        if owned:
            raise ParameterError(f"{source}: --{owned} is not yours to set here: {OWNED[owned]}")


def _owned(flag: str) -> str | None:
    if not flag.startswith("--"):
        return SHORT.get(flag[1:2])
    name = flag[2:].split("=")[0]
    if name in OWNED:
        return name
    # sbatch takes any unambiguous beginning of a long flag.
    matches = [owned for owned in OWNED if len(name) > 2 and owned.startswith(name)]
    return matches[0] if matches else None
