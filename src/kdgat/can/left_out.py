"""Vehicles left out: their training captures become test captures, and nothing is fitted on them.

Everything that is fitted (weights, scaling, epochs, operating points, agents, baselines) sees
training captures alone, and every scorecard judges all test captures.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from kdgat.can.capture_tables import Reader
from kdgat.can.captures import Capture, CaptureFile
from kdgat.can.declarations import car_name
from kdgat.errors import ParameterError

SCENARIO = "test_left_out"
"""Where the scorecards show what was left out."""

KEY = "data_processing.left_out_vehicles"


def leave_out(
    files: Mapping[str, CaptureFile], vehicles: Collection[str], *, bad_row_share: float
) -> dict[str, Reader]:
    """Move the training captures of some vehicles to the scenario `test_left_out`.

    Args:
        files: `<scenario>/<capture>` -> the capture, still to be read.
        vehicles: Those to leave out; one that nobody names is called as its capture.
        bad_row_share: Largest share of malformed rows, 0 to 1.

    Returns:
        Name -> function that reads the capture; those left out come last, `train_01/dos-kia` as
        `test_left_out/train_01/dos-kia`.

    Raises:
        ParameterError: A vehicle has no training capture, or none is left to train on.
    """
    cars = {
        name: car_name(name, file.vehicle)
        for name, file in files.items()
        if name.startswith("train_")
    }
    _check(vehicles, sorted(set(cars.values())))
    stay, leave = {}, {}
    for name, file in files.items():
        if cars.get(name) in vehicles:
            leave[f"{SCENARIO}/{name}"] = partial(_read_as_test, file, bad_row_share)
        else:
            stay[name] = partial(file, bad_row_share=bad_row_share)
    return {**stay, **leave}


def _check(vehicles: Collection[str], known: list[str]) -> None:
    allowed = f"allowed: {', '.join(known)}, but not all of them"
    unknown = [name for name in vehicles if name not in known]
    if unknown:
        raise ParameterError(
            f"parameter '{KEY}' names '{unknown[0]}', which has no training capture; {allowed}"
        )
    if vehicles and set(vehicles) == set(known):
        raise ParameterError(
            f"parameter '{KEY}' is '{'+'.join(vehicles)}', which leaves no vehicle to train on; "
            f"{allowed}"
        )


def _read_as_test(file: CaptureFile, bad_row_share: float) -> Capture:
    return replace(file(bad_row_share), name=f"{SCENARIO}/{file.name}", scenario=SCENARIO)
