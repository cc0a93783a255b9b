"""What the log says at its head, and the file that takes the details."""

import logging
from pathlib import Path

from kedro.config import OmegaConfigLoader

from kdgat import locations
from kdgat.parameters import Parameters, check_parameters, flatten

OURS = logging.getLogger("kdgat")
FORMAT = "%(asctime)s  %(levelname)s %(name)s: %(message)s"
TOLD_ELSEWHERE = ("dataset", "seed", "reporting.name")


def changed_parameters(parameters: Parameters, loader: OmegaConfigLoader) -> str:
    """Name the parameters that differ from `conf/base`, with their values.

    Args:
        parameters: of the run.
        loader: that read them.
    """
    base = OmegaConfigLoader(
        conf_source=loader.conf_source,
        env=loader.base_env,
        base_env=loader.base_env,
        default_run_env=loader.base_env,
        config_patterns=loader.config_patterns,
    )
    usual = flatten(check_parameters(base["parameters"]))
    changed = {
        name: value
        for name, value in flatten(parameters).items()
        if value != usual.get(name) and name not in TOLD_ELSEWHERE
    }
    return ", ".join(f"{name} {value}" for name, value in changed.items())


def write_details(level: str, version: str) -> None:
    """Set how much the log says; level `debug` opens a file for the details of a run.

    Args:
        level: warning, info or debug.
        version: of the run.
    """
    if level == "warning":
        for handler in OURS.handlers:
            handler.setLevel(logging.WARNING)
    if level != "debug":
        return
    path = Path(locations.logs()) / f"{version}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter(FORMAT))
    OURS.info("details: %s", path)
    for logger, least in ((OURS, logging.DEBUG), (logging.getLogger(), logging.INFO)):
        logger.setLevel(least)
        logger.addHandler(handler)


def end_details() -> None:
    """Close the file of details, if there is one."""
    for logger in (OURS, logging.getLogger()):
        for handler in list(logger.handlers):
            if isinstance(handler, logging.FileHandler):
                handler.close()
                logger.removeHandler(handler)
