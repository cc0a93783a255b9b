"""`python -m kdgat`, or `kdgat`: its commands, inside the repository and outside of it."""

import os
from pathlib import Path

from kdgat import locations

os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(locations.CONF / "logging.yml"))

from kedro.framework.cli.cli import main as kedro_main
from kedro.framework.project import configure_project
from kedro.utils import find_kedro_project


def main() -> None:
    """Give every command of `kedro` in a project, kdgat's own anywhere else."""
    if find_kedro_project(Path.cwd()):
        kedro_main()
        return
    configure_project("kdgat")
    from kdgat.cli import cli  # the commands read the settings of a configured project

    cli(prog_name="kdgat")


if __name__ == "__main__":
    main()
