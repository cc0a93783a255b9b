"""Attacks on benign recordings: frames added, silenced or forged, each with its label.

All injectors take any frame table without attacks, simulated or real, and leave it untouched.

Added frames go through bus arbitration with the recorded ones. A recorded frame wants the bus
when its recorded transmission began (its timestamp less its time on the bus, or less the gap to
the frame before where that is shorter); an added one when the attacker chose to send. Sending is
not interrupted, and of those that wait the lowest arbitration ID goes first. So recorded frames
keep their timestamps wherever no added frame is in the way, are delayed by as much as the bus
needs where one is, and never get lost. Every timestamp is rounded to 1 µs, as logs are.

Removed frames leave a gap: the frames that waited for them are not moved.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from kdgat.can.attackers import ADDERS, Added, Recording, draw_target, forge, merged_channel, record
from kdgat.can.bus import LONGEST_FRAME, SHORTEST_FRAME, arbitrate, frame_time, priority
from kdgat.can.frames import STANDARD_IDS, frame_table
from kdgat.errors import DataError, ParameterError

EPISODE_COLUMNS = ("attack_type", "start", "end", "arbitration_ids")
"""Columns of an episode table: type, first and last time (s), IDs as `0x1a0 0x2c0` or `any`."""

ATTACK_SHARE = {
    "dos": (0.22, 0.36),
    "fuzzing": (0.25, 0.40),
    "spoofing_dense": (0.30, 0.45),
    "spoofing_sparse": (0.45, 0.60),
    "replay": (0.25, 0.40),
    "suppress": (0.30, 0.45),
    "masquerade": (0.30, 0.45),
}
"""Share of a capture's time that its episodes cover, least and most.

Set so that 30 to 50 % of the windows of 100 frames hold an attack frame: floods fill more
windows a second, sparse spoofing leaves some windows of its episodes without an attack frame.
"""

ATTACKS = tuple(ATTACK_SHARE)

LEAD_SHARE = 0.2
"""Share of a capture before its first episode, at least: a benign stretch to learn from."""

EPISODES_PER_MINUTE = (2, 5)
MASQUERADE_SHARE = (0.1, 0.4)
"""Share of the bytes that masquerade forges."""

Bounds = list[tuple[int, int]]
"""Start and end of episodes, µs."""


class Injection(NamedTuple):
    """An attacked frame table, and an episode table with `EPISODE_COLUMNS`."""

    frames: pd.DataFrame
    episodes: pd.DataFrame


def inject(
    frames: pd.DataFrame,
    attack: str,
    generator: np.random.Generator,
    *,
    bitrate: int,
    episodes: Sequence[tuple[float, float]] | None = None,
) -> Injection:
    """Attack a benign recording.

    Args:
        frames: Frame table without attacks, timestamps not descending.
        attack: One of `ATTACKS`.
        generator: Source of all randomness: targets, rates, payloads, and times if not given.
        bitrate: Speed of the bus, bit/s.
        episodes: Start and end (s, bus time) of each episode, ascending, not overlapping; drawn
            by `draw_episodes` if not given.

    Returns:
        The attacked frames, label 1 on every frame of the attacker and on no other, and the
        episodes, which cover them. `suppress` has no frame to label.

    Raises:
        ParameterError: `attack` is not one of `ATTACKS`.
        DataError: `frames` is empty, holds attacks, or its timestamps step back.
    """
    if attack not in ATTACKS:
        raise ParameterError(f"Attack {attack!r} is unknown; allowed: {', '.join(ATTACKS)}.")
    _check_benign(frames)
    recording = record(frames, bitrate)
    if episodes is None:
        first, last = recording.time[[0, -1]] / 1e6
        episodes = draw_episodes(float(first), float(last), attack, generator)
    bounds = [(round(start * 1e6), round(end * 1e6)) for start, end in episodes]
    if attack == "suppress":
        return _suppress(recording, bounds, generator)
    if attack == "masquerade":
        return _masquerade(recording, bounds, generator)
    return _add(recording, attack, bounds, generator)


def draw_episodes(
    first: float, last: float, attack: str, generator: np.random.Generator
) -> list[tuple[float, float]]:
    """Draw when an attack goes on: 2 to 5 episodes per started minute, benign in between.

    Args:
        first: First timestamp of the capture, s.
        last: Last timestamp, s.
        attack: One of `ATTACKS`, sets the share of time attacked.
        generator: Source of randomness.

    Returns:
        Start and end of each episode, s, ascending; the first begins after `LEAD_SHARE` of the
        capture at the earliest, and a benign stretch follows the last.
    """
    least, most = EPISODES_PER_MINUTE
    minutes = max(1, int(np.ceil((last - first) / 60.0)))
    number = int(generator.integers(least, most + 1, size=minutes).sum())
    attacked = generator.uniform(*ATTACK_SHARE[attack])
    lengths = generator.uniform(0.5, 1.5, number)
    pauses = generator.uniform(0.5, 1.5, number + 1)
    lengths *= attacked / lengths.sum()
    pauses *= (1.0 - LEAD_SHARE - attacked) / pauses.sum()
    ends = LEAD_SHARE + np.cumsum(pauses[:-1]) + np.cumsum(lengths)
    starts = ends - lengths
    span = last - first
    return [
        (first + span * float(start), first + span * float(end))
        for start, end in zip(starts, ends, strict=True)
    ]


def merge(recording: Recording, added: Added) -> pd.DataFrame:
    """Send recorded and added frames over one bus (see the head of this module).

    Returns:
        Frame table in the order of the bus; label 1 on the added frames.
    """
    # In ns, so that frames with equal timestamps stay in recorded order.
    time = 1000 * recording.time + _place_among_equals(recording.time)
    longest = _duration(recording.arbitration_id, recording.dlc, recording.payload, recording)
    duration = np.minimum(longest, np.diff(time, prepend=time[0] - longest[0]))
    added_duration = np.minimum(
        _duration(added.arbitration_id, added.dlc, added.payload, recording),
        _longest_added(recording),
    )
    ready = np.concatenate([time - duration, 1000 * added.ready])
    durations = np.concatenate([duration, added_duration])
    arbitration_id = np.concatenate([recording.arbitration_id, added.arbitration_id])
    by_time = np.argsort(ready, kind="stable")
    order, end = arbitrate(ready[by_time], durations[by_time], priority(arbitration_id)[by_time])
    source = by_time[order]
    return frame_table(
        timestamp=np.rint(end / 1000) / 1e6,
        arbitration_id=arbitration_id[source],
        dlc=np.concatenate([recording.dlc + recording.requested, added.dlc])[source],
        payload=np.concatenate([recording.payload, added.payload])[source],
        attack=(source >= len(time)).astype(np.uint8),
        channel=merged_channel(recording, len(added.ready))[source],
        is_extended=np.concatenate(
            [recording.is_extended, added.arbitration_id >= STANDARD_IDS],
        )[source],
        is_remote=np.concatenate([recording.is_remote, np.zeros(len(added.ready), bool)])[source],
    )


def _add(
    recording: Recording, attack: str, bounds: Bounds, generator: np.random.Generator
) -> Injection:
    """Add the frames of one of the attacks of `ADDERS`."""
    parts = [(bound, ADDERS[attack](recording, *bound, generator)) for bound in bounds]
    parts = [(bound, added) for bound, added in parts if len(added.ready)]
    _check_effect(attack, parts)
    columns = zip(*(added for _, added in parts), strict=True)
    frames = merge(recording, Added(*(np.concatenate(column) for column in columns)))
    attacked = frames["attack"].to_numpy() == 1
    sent = np.rint(frames["timestamp"].to_numpy()[attacked] * 1e6).astype(np.int64)
    episode = np.zeros(len(frames), np.int32)
    episode[attacked] = np.searchsorted([start for (start, _), _ in parts], sent, side="right")
    rows = []
    for place, ((start, end), added) in enumerate(parts):
        # A frame that had to wait may be sent after the attacker has stopped.
        following = parts[place + 1][0][0] if place + 1 < len(parts) else sent[-1] + 1
        last = sent[np.searchsorted(sent, following) - 1]
        ids = "any" if attack == "fuzzing" else _id_list(added.arbitration_id)
        rows.append((attack, start / 1e6, max(end, last) / 1e6, ids))
    return Injection(frames.assign(episode=episode), _episode_table(rows))


def _suppress(recording: Recording, bounds: Bounds, generator: np.random.Generator) -> Injection:
    """Silence one of the car's IDs in each episode."""
    silenced = np.zeros(len(recording.time), bool)
    rows = []
    for start, end in bounds:
        target, own = _target_frames(recording, start, end, generator)
        if len(own):
            silenced[own] = True
            rows.append(("suppress", start / 1e6, end / 1e6, _id_list(target)))
    _check_effect("suppress", rows)
    frames = _frames(recording, recording.payload, np.zeros(len(silenced), np.int32))
    return Injection(frames[~silenced].reset_index(drop=True), _episode_table(rows))


def _masquerade(recording: Recording, bounds: Bounds, generator: np.random.Generator) -> Injection:
    """Silence one of the car's IDs and send it in its own rhythm, with some bytes forged."""
    episode = np.zeros(len(recording.time), np.int32)
    data = recording.payload.copy()
    rows = []
    for start, end in bounds:
        target, own = _target_frames(recording, start, end, generator)
        if len(own):
            episode[own] = len(rows) + 1
            data[own] = forge(data[own], recording.dlc[own], MASQUERADE_SHARE, generator)
            rows.append(("masquerade", start / 1e6, end / 1e6, _id_list(target)))
    _check_effect("masquerade", rows)
    return Injection(_frames(recording, data, episode), _episode_table(rows))


def _target_frames(
    recording: Recording, start: int, end: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw an ID: the ID, int64 `[1]`, and the rows it sends from start to end, both included."""
    target = draw_target(recording, generator)
    first, last = np.searchsorted(recording.time, [start, end + 1])
    is_own = (recording.arbitration_id == target) & ~recording.is_remote
    own = first + np.flatnonzero(is_own[first:last])
    return np.array([target]), own


def _frames(recording: Recording, data: np.ndarray, episode: np.ndarray) -> pd.DataFrame:
    return frame_table(
        timestamp=recording.time / 1e6,
        arbitration_id=recording.arbitration_id,
        dlc=recording.dlc + recording.requested,
        payload=data,
        attack=episode > 0,
        channel=recording.channel,
        is_extended=recording.is_extended,
        is_remote=recording.is_remote,
        episode=episode,
    )


def _id_list(arbitration_id: np.ndarray) -> str:
    return " ".join(f"{number:#05x}" for number in np.unique(arbitration_id))


def _episode_table(rows: list[tuple[str, float, float, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(EPISODE_COLUMNS))


def _check_effect(attack: str, effects: list) -> None:
    if not effects:
        raise DataError(f"The recording is too short for {attack}: no frame would be attacked.")


def _check_benign(frames: pd.DataFrame) -> None:
    if frames.empty:
        raise DataError("An attack needs a recording with at least one frame, found none.")
    num_attack = int(frames["attack"].sum())
    if num_attack:
        raise DataError(f"An attack needs a benign recording, found {num_attack} attack frames.")
    steps = np.diff(frames["timestamp"].to_numpy())
    if (steps < 0).any():
        frame = int(np.argmax(steps < 0)) + 1
        raise DataError(
            f"An attack needs timestamps that never step back, frame {frame} is "
            f"{-steps[frame - 1]:.6f} s before the one it follows."
        )


def _place_among_equals(time: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2, ... within each run of equal times."""
    place = np.arange(len(time))
    begins = np.diff(time, prepend=time[0] - 1) > 0
    return place - np.maximum.accumulate(np.where(begins, place, 0))


def _duration(arbitration_id, dlc, data, recording: Recording) -> np.ndarray:
    """Return times on the bus, int64, ns."""
    return 1000 * frame_time(arbitration_id, dlc, data, recording.bitrate)


def _longest_added(recording: Recording) -> int:
    """Return the longest time an added frame may take, ns.

    A logger that hands over frames in batches stamps them closer together than any bus could
    send them. Added frames of full length would stand out there: they get the recording's median
    gap instead.
    """
    full = round(1e9 * LONGEST_FRAME / recording.bitrate)
    if len(recording.time) < 2:
        return full
    median_gap = float(np.median(np.diff(recording.time)))
    return int(1000 * median_gap) if median_gap * recording.bitrate < 1e6 * SHORTEST_FRAME else full
