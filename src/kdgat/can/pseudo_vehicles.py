"""Cars that do not exist, made from recordings of cars that do: some IDs of one or two of them.

A detector that must hold on unknown cars has to see many; two or three recordings are few. A
pseudo-vehicle keeps the traffic of real ECUs and changes which of them share a bus, under which
IDs, how fast they send, and some of their habits (`variations`).
"""

from dataclasses import replace

import numpy as np

from kdgat.can.attackers import Added
from kdgat.can.frames import STANDARD_IDS
from kdgat.can.merging import merge
from kdgat.can.recording import Recording
from kdgat.can.traffic import on_bus
from kdgat.can.variations import with_habits_drawn_anew

KEPT_SHARE = (0.5, 1.0)
"""Share of the first car's IDs that stay."""

TAKEN_SHARE = (0.2, 0.8)
"""Share of the second car's IDs that join."""

TIME_SCALE = (0.8, 1.5)
"""Factor on all times of a car; above 1 the bus is slower."""

FEWEST_IDS = 4


def pseudo_vehicle(
    first: Recording,
    second: Recording | None,
    generator: np.random.Generator,
    *,
    bitrate: int,
) -> Recording:
    """Mix the traffic of one or two cars into that of a car that does not exist.

    Both recordings run over the same time; frames that want the bus at once are arbitrated.

    Args:
        first: Benign, classical CAN, timestamps not descending.
        second: Of another car; None to take the first one's IDs alone.
        generator: Source of all randomness.
        bitrate: Speed of the bus, bit/s.

    Returns:
        A recording without attacks, with IDs drawn anew.
    """
    number = 2 * STANDARD_IDS // 3
    names = generator.permutation(np.arange(1, number + 1))
    kept = _some_ids(with_habits_drawn_anew(first, generator), KEPT_SHARE, names, generator)
    kept = _stretched(kept, generator)
    if second is None:
        return kept
    second = with_habits_drawn_anew(second, generator)
    taken = _some_ids(second, TAKEN_SHARE, names[number // 2 :], generator)
    taken = _stretched(taken, generator)
    joined = taken.timestamp - taken.timestamp[0] + kept.timestamp[0]
    end = min(kept.timestamp[-1], joined[-1])
    both = on_bus(kept.part(kept.timestamp <= end), bitrate)
    joining = on_bus(replace(taken, timestamp=joined).part(joined <= end), bitrate)
    ready = joining.time - joining.time_on_bus
    added = Added(ready, joining.arbitration_id, joining.num_bytes, joining.payload)
    mixed = merge(both, added)
    return replace(mixed, attack=np.zeros(len(mixed), np.uint8))


def _some_ids(
    recording: Recording,
    share: tuple[float, float],
    names: np.ndarray,
    generator: np.random.Generator,
) -> Recording:
    """Keep the frames of some IDs and rename these; their priorities keep their order."""
    codes, ids = recording.numbers
    number = min(
        len(ids), len(names) // 2, max(FEWEST_IDS, round(generator.uniform(*share) * len(ids)))
    )
    chosen = np.sort(generator.choice(ids, number, replace=False))
    renamed = np.zeros(len(ids), np.int64)
    renamed[np.searchsorted(ids, chosen)] = np.sort(names[:number])
    kept = recording.part(renamed[codes] > 0)
    renamed = renamed[np.searchsorted(ids, kept.arbitration_id)]
    return replace(kept, arbitration_id=renamed, is_extended=np.zeros(len(kept), bool))


def _stretched(recording: Recording, generator: np.random.Generator) -> Recording:
    factor = np.exp(generator.uniform(*np.log(TIME_SCALE)))
    time = recording.timestamp
    return replace(recording, timestamp=np.round(time[0] + factor * (time - time[0]), 6))
