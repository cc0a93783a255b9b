"""Habits of a recorded car drawn anew, ID by ID: how often it sends, and what its bytes hold.

The buses of different makers differ in more than their IDs: some send most messages on change
alone, some leave bytes unused, some pack other values into other places. A detector that has only
seen two cars takes such habits for signs of an attack.
"""

from dataclasses import replace

import numpy as np

from kdgat.can.frames import ABSENT, MAX_DLC
from kdgat.can.recording import Recording

THINNING = (1, 1, 1, 2, 3, 5)
"""An ID keeps one in so many of its frames, each as likely."""

ON_CHANGE_SHARE = (0.0, 0.5)
"""Share of a car's IDs that are sent when their payload has changed, least and most."""

HEARTBEAT = (5, 50)
"""An ID that is sent on change is also sent once in so many of its frames."""

MASKED_SHARE = 0.3
"""Share of bytes whose bits are inverted by a mask of their own."""

UNUSED_SHARE = 0.15
"""Share of bytes that are held at one value."""

SHORTENED_SHARE = 0.15
"""Share of IDs that lose some of their last bytes."""


def with_habits_drawn_anew(recording: Recording, generator: np.random.Generator) -> Recording:
    """Change the rhythm of some IDs, and of half of the cars the payload of every ID.

    Args:
        recording: Benign frames of one car, classical CAN.
        generator: Source of all randomness.

    Returns:
        A recording with some frames left out; those that stay keep their times and IDs.
    """
    data, dlc = recording.payload.copy(), recording.dlc.copy()
    length = recording.num_bytes
    taken = np.zeros(len(recording), bool)
    on_change, recoded = generator.uniform(*ON_CHANGE_SHARE), generator.random() < 0.5
    order, bounds = recording.by_id
    for own in np.split(order, bounds[1:-1]):
        thinned = own[:: generator.choice(THINNING)]
        if generator.random() < on_change:
            thinned = thinned[_changed(data[thinned], int(generator.integers(*HEARTBEAT)))]
        taken[thinned] = True
        # Frames of differing length, remote ones among them, are left as they are.
        if recoded and (length[own] == dlc[own]).all() and (dlc[own] == dlc[own[0]]).all():
            data[own], dlc[own] = _recoded(data[own], int(dlc[own[0]]), generator)
    return replace(recording, dlc=dlc, payload=data).part(taken)


def _changed(data: np.ndarray, heartbeat: int) -> np.ndarray:
    """Say which frames differ from the one before, or are due as a heartbeat."""
    changed = np.ones(len(data), bool)
    changed[1:] = (data[1:] != data[:-1]).any(axis=1)
    return changed | (np.arange(len(data)) % heartbeat == 0)


def _recoded(data: np.ndarray, dlc: int, generator: np.random.Generator) -> tuple[np.ndarray, int]:
    """Move an ID's bytes to other places, mask some, hold some, drop some of the last."""
    coded = data.copy()
    coded[:, :dlc] = data[:, generator.permutation(dlc)]
    masked, held = generator.random((2, MAX_DLC)) < [[MASKED_SHARE], [UNUSED_SHARE]]
    coded[:, :dlc] ^= np.where(masked, generator.integers(256, size=MAX_DLC), 0)[:dlc].astype(
        coded.dtype
    )
    values = generator.choice([0, 0, 0xFF, 0x55], MAX_DLC)
    coded[:, :dlc] = np.where(held[:dlc], values[:dlc], coded[:, :dlc])
    if dlc > 1 and generator.random() < SHORTENED_SHARE:
        dlc = int(generator.integers(1, dlc))
        coded[:, dlc:] = ABSENT
    return coded, dlc
