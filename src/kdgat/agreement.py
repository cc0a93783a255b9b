"""Whether what a run reads was made as the run says."""

import logging
from collections.abc import Mapping
from typing import Any

from kdgat.errors import DataError
from kdgat.lineage import Origin
from kdgat.parameters import Parameters, flatten
from kdgat.tracking import records

LOGGER = logging.getLogger(__name__)

GRAPHS = "_graphs"
"""How the names of stored graphs end."""

CHECKS = ("allowed_leaks", "also_trained_on", "leak_limits")
"""Parameters of `data_processing` that change no graph."""


def check_agreement(origins: Mapping[str, Origin], parameters: Parameters) -> None:
    """Compare how inputs were made with the run's own parameters of `data_processing`.

    A warning names the parameters in which they differ.

    Args:
        origins: input name -> where it came from.
        parameters: of the run.

    Raises:
        DataError: Models have been trained on vehicles that the graphs leave out.
    """
    own = _shaping(parameters.model_dump(mode="json"))
    made: dict[str, dict[str, Any]] = {}
    for version in dict.fromkeys(origin.version for origin in origins.values()):
        if not records.exists(version):
            continue
        made[version] = _shaping(records.read(version)["parameters"])
        other = [
            f"{key} {made[version][key]}, not {own[key]}"
            for key in own.keys() & made[version]
            if made[version][key] != own[key]
        ]
        if other:
            names = [name for name, origin in origins.items() if origin.version == version]
            LOGGER.warning(
                "%s (version %s) are read as they are: made with data_processing.%s",
                *(", ".join(names), version, "; ".join(sorted(other))),
            )
    _refuse_models_of_left_out(origins, made)


def _refuse_models_of_left_out(
    origins: Mapping[str, Origin], made: Mapping[str, dict[str, Any]]
) -> None:
    left_out = {
        vehicle: origin.version
        for name, origin in origins.items()
        if name.endswith(GRAPHS) and origin.version in made
        for vehicle in made[origin.version].get("left_out_vehicles", ())
    }
    for name, origin in origins.items():
        own = made.get(origin.version, {}).get("left_out_vehicles", ())
        seen = sorted(left_out.keys() - set(own))
        if seen and origin.seed is not None and origin.version in made:
            raise DataError(
                f"{name} of version {origin.version} was trained on {seen[0]}, which the graphs of "
                f"version {left_out[seen[0]]} leave out: name versions that belong together "
                "(--load-versions), or train again"
            )


def _shaping(parameters: Mapping[str, Any]) -> dict[str, Any]:
    values = flatten(parameters["data_processing"])
    return {key: value for key, value in values.items() if key.split(".")[0] not in CHECKS}
