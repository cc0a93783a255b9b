"""Cars that do not exist, made from recordings of cars that do: some IDs of one or two of them.

A detector that must hold on unknown cars has to see many; two or three recordings are few. A
pseudo-vehicle keeps the traffic of real ECUs and changes which of them share a bus, under which
IDs, how fast they send, and some of their habits (`variations`).
"""

import numpy as np
import pandas as pd

from kdgat.can.attackers import Added, record
from kdgat.can.bus import frame_time
from kdgat.can.frames import STANDARD_IDS
from kdgat.can.injections import merge
from kdgat.can.variations import with_habits_drawn_anew

KEPT_SHARE = (0.5, 1.0)
"""Share of the first car's IDs that stay."""

TAKEN_SHARE = (0.2, 0.8)
"""Share of the second car's IDs that join."""

TIME_SCALE = (0.8, 1.5)
"""Factor on all times of a car; above 1 the bus is slower."""

FEWEST_IDS = 4


def pseudo_vehicle(
    first: pd.DataFrame,
    second: pd.DataFrame | None,
    generator: np.random.Generator,
    *,
    bitrate: int,
) -> pd.DataFrame:
    """Mix the traffic of one or two cars into that of a car that does not exist.

    Both recordings run over the same time; frames that want the bus at once are arbitrated.

    Args:
        first: Benign frame table of classical CAN, timestamps not descending.
        second: Of another car; None to take the first one's IDs alone.
        generator: Source of all randomness.
        bitrate: Speed of the bus, bit/s.

    Returns:
        Frame table without attacks, with IDs drawn anew.
    """
    number = 2 * STANDARD_IDS // 3
    names = generator.permutation(np.arange(1, number + 1))
    kept = _some_ids(with_habits_drawn_anew(first, generator), KEPT_SHARE, names, generator)
    kept = _stretched(kept, generator)
    if second is None:
        return kept
    second = with_habits_drawn_anew(second, generator)
    taken = _some_ids(second, TAKEN_SHARE, names[number // 2 :], generator)
    begin = kept["timestamp"].iloc[0]
    taken = _stretched(taken, generator)
    taken = taken.assign(timestamp=taken["timestamp"] - taken["timestamp"].iloc[0] + begin)
    end = min(kept["timestamp"].iloc[-1], taken["timestamp"].iloc[-1])
    both = record(kept[kept["timestamp"] <= end], bitrate)
    joining = record(taken[taken["timestamp"] <= end], bitrate)
    busy = frame_time(joining.arbitration_id, joining.dlc, joining.payload, bitrate)
    added = Added(joining.time - busy, joining.arbitration_id, joining.dlc, joining.payload)
    mixed = merge(both, added)
    return mixed.assign(attack=np.zeros(len(mixed), np.uint8))


def _some_ids(
    frames: pd.DataFrame,
    share: tuple[float, float],
    names: np.ndarray,
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Keep the frames of some IDs and rename these; their priorities keep their order."""
    ids = np.unique(frames["arbitration_id"].to_numpy())
    number = min(
        len(ids), len(names) // 2, max(FEWEST_IDS, round(generator.uniform(*share) * len(ids)))
    )
    chosen = np.sort(generator.choice(ids, number, replace=False))
    kept = frames[frames["arbitration_id"].isin(chosen)]
    place = np.searchsorted(chosen, kept["arbitration_id"].to_numpy())
    renamed = np.sort(names[:number])[place].astype(np.uint32)
    return kept.assign(arbitration_id=renamed, is_extended=False)


def _stretched(frames: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    factor = np.exp(generator.uniform(*np.log(TIME_SCALE)))
    time = frames["timestamp"].to_numpy()
    return frames.assign(timestamp=np.round(time[0] + factor * (time - time[0]), 6))
