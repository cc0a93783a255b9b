"""The built-in dataset `synthetic`: simulated captures in the folders of the public sets."""

import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.injections import inject
from kdgat.can.readers.plain_csv import write_capture
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.vehicles import VEHICLES
from kdgat.errors import DataError
from kdgat.parameters import Simulator

VERSION = 2
"""Counts up whenever equal parameters would give other captures than before."""

DESCRIPTION = "simulator.json"
"""Parameters and version behind a simulated dataset, in its folder."""

EPISODES = "episodes.csv"
"""Every attack of a simulated dataset, in its folder."""

ATTACK_FREE = "attack_free"

CAPTURES = (
    ("train_01_attack_free", ATTACK_FREE, "aster"),
    ("train_01_attack_free", ATTACK_FREE, "birch"),
    ("train_01_attack_free", ATTACK_FREE, "cedar"),
    ("train_02_with_attacks", "dos", "aster"),
    ("train_02_with_attacks", "fuzzing", "birch"),
    ("test_01_known_vehicle_known_attack", "dos", "birch"),
    ("test_01_known_vehicle_known_attack", "fuzzing", "aster"),
    ("test_02_unknown_vehicle_known_attack", "dos", "dogwood"),
    ("test_02_unknown_vehicle_known_attack", "fuzzing", "dogwood"),
    ("test_03_known_vehicle_unknown_attack", "spoofing_dense", "aster"),
    ("test_03_known_vehicle_unknown_attack", "spoofing_sparse", "birch"),
    ("test_03_known_vehicle_unknown_attack", "replay", "aster"),
    ("test_04_unknown_vehicle_unknown_attack", "spoofing_dense", "dogwood"),
    ("test_04_unknown_vehicle_unknown_attack", "spoofing_sparse", "dogwood"),
    ("test_04_unknown_vehicle_unknown_attack", "replay", "dogwood"),
    ("test_05_suppress", "suppress", "birch"),
    ("test_06_masquerade", "masquerade", "aster"),
)
"""Scenario, attack and car of each capture. Every attack capture has benign stretches."""

FIRST_START, LAST_START = 1_600_000_000, 1_700_000_000
"""Captures begin at a time drawn from between these, s since 1970 (2020 to 2023)."""


class Capture(NamedTuple):
    """A simulated capture: its frame table, and its episodes (none without an attack)."""

    frames: pd.DataFrame
    episodes: pd.DataFrame | None


def simulate_dataset(folder: Path, simulator: Simulator) -> bool:
    """Write the built-in dataset, whole or not at all.

    Layout: `<scenario>/<attack>-<car>.csv` for each of `CAPTURES`; `episodes.csv` with columns
    `capture` (`<scenario>/<attack>-<car>`), `attack_type`, `start`, `end` (s), `arbitration_ids`;
    `simulator.json`. Equal parameters give the same bytes. A dataset that the same parameters
    have written is left as it is, one of other parameters is replaced.

    Args:
        folder: Folder of the dataset; its parents are created.
        simulator: Seed, length of a capture and speed of the bus.

    Returns:
        True if the dataset was written, False if it was there already.

    Raises:
        DataError: `folder` exists and is not a simulated dataset, or the captures are too short
            for the attacks.
    """
    description = {"version": VERSION, **simulator.model_dump()}
    if folder.exists() and _description(folder) == description:
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        built, replaced = Path(temporary) / "built", Path(temporary) / "replaced"
        _write_dataset(built, simulator)
        (built / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")
        if folder.exists():
            folder.rename(replaced)
        return _put_in_place(built, folder, description)


def simulate_capture(position: int, simulator: Simulator) -> Capture:
    """Simulate one capture of `CAPTURES` by its position there, apart from all others."""
    _, attack, vehicle = CAPTURES[position]
    generator = np.random.default_rng([simulator.seed, position])
    frames = simulate_vehicle(
        VEHICLES[vehicle],
        generator=generator,
        duration=simulator.duration,
        bitrate=simulator.bitrate,
        start=float(generator.uniform(FIRST_START, LAST_START)),
    )
    if attack == ATTACK_FREE:
        return Capture(frames, None)
    return Capture(*inject(frames, attack, generator, bitrate=simulator.bitrate))


def _put_in_place(built: Path, folder: Path, description: dict) -> bool:
    try:
        built.rename(folder)
    except OSError:
        # Another process was faster; with the same parameters it wrote the same bytes.
        if not folder.exists() or _description(folder) != description:
            raise
        return False
    return True


def _description(folder: Path) -> dict:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DataError(
            f"{folder} holds no {DESCRIPTION}, so it was not simulated and will not be replaced: "
            "move it away or choose another dataset name."
        )
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON ({error}): remove {folder}.") from error


def _write_dataset(folder: Path, simulator: Simulator) -> None:
    episodes = []
    for position, (scenario, attack, vehicle) in enumerate(CAPTURES):
        capture = simulate_capture(position, simulator)
        name = f"{attack}-{vehicle}"
        (folder / scenario).mkdir(parents=True, exist_ok=True)
        write_capture(capture.frames, folder / scenario / f"{name}.csv")
        if capture.episodes is not None:
            episodes.append(capture.episodes.assign(capture=f"{scenario}/{name}"))
    table = pd.concat(episodes, ignore_index=True)
    columns = ["capture", *table.columns.drop("capture")]
    table[columns].to_csv(folder / EPISODES, index=False, float_format="%.6f")
