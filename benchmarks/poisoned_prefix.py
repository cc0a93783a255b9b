"""What a prefix that holds the attack costs: F1 after it, beside that after a benign prefix.

python benchmarks/poisoned_prefix.py MODEL --recorded <raw root>/set_01 <raw root>/set_03

MODEL is a stored or exported model. Stretches of 20 s are taken, evenly, from the attack-free
training captures of each dataset that --recorded names (not one that the model was trained on). An
attack begins with the stretch, in the prefix of 5 s that the detector learns the car from, and goes
on until 12.5 s. Judged is what comes after the prefix: once with the attacked prefix, once with the
same seconds as they were recorded, at the operating points that the model carries. Stretches whose
attacked prefix the guard distrusts are judged zero-shot; the others are poisoned. With --apart the
attack frames of the prefix are thinned out until none follows another within so many seconds, as
an attacker would who does not want to be noticed.
No test capture is read.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from guard import BITRATE, recorded

from kdgat import load_detector
from kdgat.calibration import CALIBRATED
from kdgat.can.injections import ATTACKS, inject
from kdgat.can.windows import attack_counts
from kdgat.detector import Detector
from kdgat.errors import DataError

PREFIX, ATTACK_END, STRETCH = 5.0, 12.5, 20.0  # s
WITHOUT_LABEL = "suppress"


def versions(
    frames: pd.DataFrame, attack: str, number: int, apart: float
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Attack a stretch; give it as attacked, and with its prefix as recorded.

    None where there is no ID that the attack could strike, or no attack frame in the prefix.
    """
    begin = float(frames["timestamp"].iloc[0])
    generator, bounds = np.random.default_rng([7, number]), [(begin, begin + ATTACK_END)]
    try:
        attacked = inject(frames, attack, generator, bitrate=BITRATE, episodes=bounds).frames
    except DataError:
        return None
    attacked = thinned(attacked, apart, before=begin + PREFIX)
    if not attacked.loc[attacked["timestamp"] < begin + PREFIX, "attack"].any():
        return None
    benign = frames[frames["timestamp"] < begin + PREFIX]
    later = attacked[attacked["timestamp"] >= begin + PREFIX]
    return attacked, pd.concat([benign, later], ignore_index=True)


def thinned(frames: pd.DataFrame, apart: float, before: float) -> pd.DataFrame:
    """Leave out attack frames before a time, s, that follow the last one kept too soon."""
    is_kept, last = np.full(len(frames), True), -np.inf
    times = frames["timestamp"].to_numpy()
    for place in np.flatnonzero((frames["attack"] == 1) & (frames["timestamp"] < before)):
        is_kept[place] = times[place] - last >= apart
        last = times[place] if is_kept[place] else last
    return frames[is_kept].reset_index(drop=True)


def judge(detector: Detector, frames: pd.DataFrame) -> tuple[np.ndarray, bool]:
    """Count hits, misses and false alarms after the prefix; say whether it has taught a profile."""
    windows = detector.score(frames, calibration_seconds=PREFIX)
    attacks, starts = frames["attack"].to_numpy(), windows["start"].to_numpy()
    later = windows["start_time"] >= frames["timestamp"].iloc[0] + PREFIX
    attack = attack_counts(attacks, starts, detector.window)[later] > 0
    alarm = windows["alarm"].to_numpy()[later]
    outcomes = (attack & alarm, attack & ~alarm, ~attack & alarm)
    return np.array([part.sum() for part in outcomes]), windows["protocol"].iloc[0] == CALIBRATED


def f1(counted: list[np.ndarray]) -> str:
    hits, misses, false = np.sum(counted, axis=0)
    return f"{2 * hits / (2 * hits + misses + false):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--recorded", type=Path, nargs="+", required=True)
    parser.add_argument("--stretches", type=int, default=8, help="of each capture")
    parser.add_argument("--apart", type=float, default=0.0, help="attack frames in a prefix, s")
    attacks = [name for name in ATTACKS if name != WITHOUT_LABEL]
    parser.add_argument("--attacks", nargs="+", choices=attacks, default=attacks)
    arguments = parser.parse_args()
    detector = load_detector(arguments.model)
    print("| cars | attack | its prefix is | stretches | F1 | after benign prefixes |")
    print("|" + "---|" * 6)
    for folder in arguments.recorded:
        stretches = list(recorded(folder, STRETCH, arguments.stretches))
        for attack in arguments.attacks:
            counted: dict[bool, list] = {False: [], True: []}
            for number, frames in enumerate(stretches):
                both = versions(frames, attack, number, arguments.apart)
                if both is not None:
                    attacked, is_poisoned = judge(detector, both[0])
                    counted[is_poisoned].append((attacked, judge(detector, both[1])[0]))
            for is_poisoned, pairs in counted.items():
                if not pairs:
                    continue
                verdict = "trusted" if is_poisoned else "distrusted"
                figures = [f1([pair[version] for pair in pairs]) for version in (0, 1)]
                print(
                    f"| {folder.name} | {attack} | {verdict} | {len(pairs)} "
                    f"| {' | '.join(figures)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
