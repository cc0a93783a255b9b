"""What the guard of calibration prefixes makes of benign beginnings, and of attacked ones.

python benchmarks/guard.py <raw root>/hcrl_sa <raw root>/set_01 [--stretches 12] [--cars 40]

Stretches as long as a prefix are taken, evenly, from the attack-free training captures of each
dataset, and one from each of some simulated cars, the training cars of which no recording exists.
Each is inspected as it is, and with each attack injected into all of it, or into its second half.
Two tables come out: the guard's figures over benign stretches beside their limits, with the share
of stretches distrusted, and their surplus frames; and the share of attacked stretches noticed.
No test capture is read.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from kdgat.can.calibration_prefix import prefix_figures, surplus_frames
from kdgat.can.captures import open_captures
from kdgat.can.injections import ATTACKS, inject
from kdgat.can.simulator import simulate_vehicle
from kdgat.can.vehicles import draw_style, draw_vehicle
from kdgat.errors import DataError
from kdgat.parameters import Guard, check_parameters
from kdgat.sweep.work import configuration

BITRATE = 500_000  # bit/s
EXTENTS = {"all of it": 0.0, "second half": 0.5}


def recorded(folder: Path, seconds: float, number: int) -> Iterator[pd.DataFrame]:
    for name, file in open_captures(folder).items():
        if not name.startswith("train_"):
            continue
        frames = file(bad_row_share=0.001).frames
        if frames["attack"].any():
            continue
        frames = frames[frames["timestamp"].cummax() == frames["timestamp"]]
        first, last = frames["timestamp"].iloc[[0, -1]]
        for begin in np.linspace(first, last - seconds, number):
            stretch = frames["timestamp"].between(begin, begin + seconds)
            yield frames[stretch].reset_index(drop=True)


def simulated(seconds: float, number: int) -> Iterator[pd.DataFrame]:
    for car in range(number):
        generator = np.random.default_rng([1, car])
        vehicle = draw_vehicle(draw_style(f"car_{car}", generator))
        yield simulate_vehicle(
            vehicle, generator=generator, duration=seconds, bitrate=BITRATE, start=0.0
        )


def figures_of(frames: pd.DataFrame, seconds: float) -> dict[str, float]:
    clock = frames["timestamp"].to_numpy() - frames["timestamp"].iloc[0]
    return prefix_figures(clock, frames["arbitration_id"].to_numpy(), seconds)


def surplus_of(frames: pd.DataFrame) -> int:
    clock = frames["timestamp"].to_numpy() - frames["timestamp"].iloc[0]
    return len(surplus_frames(clock, frames["arbitration_id"].to_numpy()))


def is_distrusted(figures: dict[str, float], guard: Guard) -> bool:
    return any(value > getattr(guard, name) for name, value in figures.items())


def attacked(frames: pd.DataFrame, attack: str, extent: float, number: int) -> pd.DataFrame | None:
    first, last = frames["timestamp"].iloc[[0, -1]]
    bounds = [(float(first + extent * (last - first)), float(last))]
    generator = np.random.default_rng([2, number])
    try:
        return inject(frames, attack, generator, bitrate=BITRATE, episodes=bounds).frames
    except DataError:  # a stretch without an ID that this attack could strike
        return None


def inspect(source: str, stretches: list[pd.DataFrame], seconds: float, guard: Guard) -> None:
    benign = [figures_of(frames, seconds) for frames in stretches]
    table = pd.DataFrame(benign)
    for name in table:
        over = (table[name] > getattr(guard, name)).mean()
        row = [table[name].median(), table[name].quantile(0.99), table[name].max()]
        texts = [f"{value:.3g}" for value in (*row, getattr(guard, name))]
        print(f"| {source} | {name} | " + " | ".join([*texts, f"{over:.3f}"]) + " |")
    surplus = pd.Series([surplus_of(frames) for frames in stretches])
    texts = [f"{value:.3g}" for value in (surplus.median(), surplus.quantile(0.99), surplus.max())]
    print(f"| {source} | surplus frames | {' | '.join(texts)} | | any in {(surplus > 0).sum()} |")
    share = np.mean([is_distrusted(figures, guard) for figures in benign])
    print(f"| {source} | any of {len(stretches)} stretches | | | | | {share:.3f} |", flush=True)


def inspect_attacked(source: str, stretches: list, seconds: float, guard: Guard) -> None:
    for attack in ATTACKS:
        shares = []
        for extent in EXTENTS.values():
            struck = [attacked(f, attack, extent, n) for n, f in enumerate(stretches)]
            noticed = [
                is_distrusted(figures_of(f, seconds), guard) for f in struck if f is not None
            ]
            shares.append(f"{np.mean(noticed):.2f}" if noticed else "–")
        print(f"| {source} | {attack} | " + " | ".join(shares) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--stretches", type=int, default=12, help="of each capture")
    parser.add_argument("--cars", type=int, default=40, help="simulated")
    arguments = parser.parse_args()
    parameters = check_parameters(configuration(None, {})["parameters"]).data_processing
    seconds, guard = parameters.profile.seconds, parameters.guard
    sources = {
        folder.name: list(recorded(folder, seconds, arguments.stretches))
        for folder in arguments.folders
    }
    sources["simulated cars"] = list(simulated(seconds, arguments.cars))
    print("| benign stretches of | figure | median | .99 | highest | limit | distrusted |")
    print("|---|---|---|---|---|---|---|")
    for source, stretches in sources.items():
        inspect(source, stretches, seconds, guard)
    print(f"\n| attacked stretches of | attack | {' | '.join(EXTENTS)} |")
    print("|---|---|---|---|")
    for source, stretches in sources.items():
        inspect_attacked(source, stretches[:: max(1, len(stretches) // 40)], seconds, guard)


if __name__ == "__main__":
    main()
