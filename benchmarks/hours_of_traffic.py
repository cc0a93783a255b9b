"""False alarms an hour, and episodes found, on cars that a detector has never seen.

python benchmarks/hours_of_traffic.py MODEL... --recorded <raw root>/set_01 --cars 6 --minutes 10

MODEL is a stored or exported model. Cars are the attack-free training captures of each dataset that
--recorded names (not one that the model was trained on), and simulated ones, each of a style drawn
at random. Each capture is judged as it is, and with each attack injected into it, zero-shot and
calibrated with its first 5 s; where the guard distrusts those it is judged zero-shot. Benign time
and false alarms are those of the captures as they are, so that no second counts twice; all rows of
a protocol share them.
Operating points are those that the model carries; an alarm needs k of the last n windows above
them, for each k/n of --persistence. Two tables are printed, with for each k/n: false alarms an hour
and their interval; and episodes found, in how many s to the first alarm, computation not counted,
with, a figure of ranking, the share found at the lowest level with at most 10 false alarms an hour
on these captures.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from guard import BITRATE

from kdgat import load_detector
from kdgat.can.captures import open_captures
from kdgat.can.injections import ATTACKS, Injection, inject
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.vehicles import draw_style, draw_vehicle
from kdgat.can.windows import attack_counts
from kdgat.detector import Detector
from kdgat.metrics import Resampling, alarm_scorecard

SECONDS = {"zero_shot": 0.0, "calibrated": 5.0}
RESAMPLING = Resampling(bootstrap=1000, confidence=0.95, seed=0)


def recorded(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    for name, file in open_captures(folder).items():
        if name.startswith("train_01"):
            frames = file(bad_row_share=0.001).frames
            ascending = frames["timestamp"].cummax() == frames["timestamp"]
            yield f"{folder.name}/{name}", frames[ascending].reset_index(drop=True)


def simulated(cars: int, minutes: float) -> Iterator[tuple[str, pd.DataFrame]]:
    for car in range(cars):
        generator = np.random.default_rng([3, car])
        vehicle = draw_vehicle(draw_style(f"car_{car}", generator))
        yield (
            f"car_{car}",
            simulate_vehicle(
                vehicle, generator=generator, duration=60 * minutes, bitrate=BITRATE, start=0.0
            ),
        )


def judge(detector: Detector, name: str, frames: pd.DataFrame) -> pd.DataFrame:
    """Give the window scores of one capture under both protocols."""
    judged = []
    for protocol, seconds in SECONDS.items():
        windows = detector.score(frames, calibration_seconds=seconds)
        starts = windows["start"].to_numpy()
        counts = attack_counts(frames["attack"].to_numpy(), starts, detector.window)
        point = windows["protocol"].to_numpy()
        later = windows["start_time"] >= frames["timestamp"].iloc[0] + seconds
        judged.append(
            windows.assign(
                protocol=protocol, operating_point=point, capture=name, label=1.0 * (counts > 0)
            )[later]
        )
    return pd.concat(judged)


def attacked_frames(attacked: Injection) -> pd.DataFrame:
    """Give the episodes with how many attack frames each has."""
    episode = attacked.frames.loc[attacked.frames["attack"] == 1, "episode"]
    number = [int((episode == each).sum()) for each in attacked.episodes.index]
    return attacked.episodes.assign(attack_frames=number)


def measure(
    model: Path,
    cars: list[tuple[str, pd.DataFrame]],
    attacks: list[str],
    rules: list[tuple[int, int]],
) -> list[pd.DataFrame]:
    """Give for each rule one row for each attack and protocol."""
    detector = load_detector(model)
    windows, episodes = [], []
    for number, (name, frames) in enumerate(cars):
        benign = judge(detector, name, frames)
        for attack in attacks:
            generator = np.random.default_rng([4, number, ATTACKS.index(attack)])
            attacked = inject(frames, attack, generator, bitrate=BITRATE)
            here = f"{name}+{attack}"
            judged = judge(detector, here, attacked.frames)
            counted = judged.assign(label=judged["label"].where(judged["label"] == 1))
            windows += [part.assign(scenario=attack) for part in (benign, counted)]
            episodes.append(attacked_frames(attacked).assign(capture=here))
    points = {
        "zero_shot": detector.operating_point.value,
        "calibrated": detector.calibrated_operating_point.value,
    }
    scored = pd.concat(windows).assign(split="test", model=model.stem)
    tables = []
    for k, n in rules:
        table, *_ = alarm_scorecard(
            scored,
            {model.stem: points},
            pd.concat(episodes),
            {model.stem: 0.0},
            persistence=(k, n),
            resampling=RESAMPLING,
        )
        tables.append(table)
    return tables


def alarms_cell(row: tuple) -> str:
    return (
        f"{row.false_alarms_per_hour:,.0f} "
        f"({row.false_alarms_per_hour_low:,.0f} to {row.false_alarms_per_hour_high:,.0f})"
    )


def episodes_cell(row: tuple) -> str:
    seconds = f" in {row.seconds_to_alarm:.3f}" if row.episodes_found else ""
    found = f"{row.episodes_found} of {row.episodes}{seconds}"
    return f"{found}; {row.episode_recall_at_10_per_hour:.3f}"


def print_table(header: str, lines: list[str]) -> None:
    """Print a table, each line once: all attacks share their false alarms."""
    print(f"{header}\n|{'---|' * (header.count('|') - 1)}", *dict.fromkeys(lines), sep="\n")


def place(model: Path) -> str:
    """Name a stored model by dataset, seed and name, and another one by its file."""
    parents = model.resolve().parents
    stored = len(parents) > 3 and parents[3].parent.name == "06_models"
    return f"{parents[3].name} {parents[2].name} {model.stem}" if stored else model.stem


def k_of_n(text: str) -> tuple[int, int]:
    k, n = text.split("/")
    return int(k), int(n)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--recorded", type=Path, nargs="*", default=[])
    parser.add_argument("--cars", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    parser.add_argument("--persistence", type=k_of_n, nargs="+", default=[(1, 1)])
    arguments = parser.parse_args()
    groups = {folder.name: list(recorded(folder)) for folder in arguments.recorded}
    if arguments.cars:
        groups["simulated"] = list(simulated(arguments.cars, arguments.minutes))
    rules = "".join(f" {k} of {n} |" for k, n in arguments.persistence)
    alarms, episodes = [], []
    for model in arguments.models:
        for group, cars in groups.items():
            tables = measure(model, cars, arguments.attacks, arguments.persistence)
            for rows in zip(*(table.itertuples() for table in tables), strict=True):
                first, here = rows[0], f"| {place(model)} | {group} | {rows[0].protocol} |"
                hours = f"{first.benign_hours:.3f}"
                alarms.append(f"{here} {hours} | {' | '.join(map(alarms_cell, rows))} |")
                found = " | ".join(map(episodes_cell, rows))
                episodes.append(f"{here} {first.scenario} | {found} |")
    print_table(f"| model | cars | protocol | benign hours |{rules}", alarms)
    print()
    print_table(f"| model | cars | protocol | attack |{rules}", episodes)


if __name__ == "__main__":
    main()
