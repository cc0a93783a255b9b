"""The frame table: one row per CAN frame, the same columns whatever format it was read from."""

import numpy as np
import pandas as pd
from numba import njit

from kdgat.can.clock import bus_time
from kdgat.errors import DataError

MAX_DLC = 8
"""Data bytes of a classical CAN frame, at most (ISO 11898-1); features read no more."""

MAX_FD_DLC = 64
"""Data bytes of a CAN FD frame, at most (ISO 11898-1)."""

STANDARD_IDS = 2**11
"""Standard arbitration IDs, of 11 bits, lie below this (ISO 11898-1)."""

ID_LIMIT = 2**29
"""Arbitration IDs, extended ones included, lie below this (ISO 11898-1)."""

ABSENT = -1
"""Stands in `byte_0` to `byte_63` for a byte that the frame does not have: absent is not zero."""

EPISODE_PAUSE = 2.0
"""Seconds between attack frames from which on they belong to different episodes.

In the public captures attack frames of one episode lie at most 1.0 s apart (sparse spoofing), and
those of different episodes at least 5.0 s.
"""

BYTE_COLUMNS = tuple(f"byte_{position}" for position in range(MAX_DLC))
FD_BYTE_COLUMNS = tuple(f"byte_{position}" for position in range(MAX_FD_DLC))

_BEFORE_PAYLOAD = {
    "timestamp": "float64",
    "channel": "category",
    "arbitration_id": "uint32",
    "is_extended": "bool",
    "is_remote": "bool",
    "dlc": "uint8",
}
_AFTER_PAYLOAD = {"attack": "uint8", "episode": "int32"}

FRAME_COLUMNS = {**_BEFORE_PAYLOAD, **dict.fromkeys(BYTE_COLUMNS, "int16"), **_AFTER_PAYLOAD}
"""Columns of a frame table and their types.

| column | means |
|---|---|
| `timestamp` | bus time, s |
| `channel` | name of the bus as the log gives it, empty if it gives none |
| `arbitration_id` | identifier, below 2**11, extended ones below 2**29 |
| `is_extended` | the identifier has 29 bits |
| `is_remote` | the frame asks for data and has none |
| `dlc` | number of data bytes, 0 to 8, CAN FD to 64; of a remote frame the number it asks for |
| `byte_0` ... `byte_7` | data, `ABSENT` where the frame has no such byte |
| `attack` | 1 if the frame is part of an attack |
| `episode` | 0 for a benign frame, k for one of the capture's k-th episode |
"""

FD_FRAME_COLUMNS = {**_BEFORE_PAYLOAD, **dict.fromkeys(FD_BYTE_COLUMNS, "int16"), **_AFTER_PAYLOAD}
"""Columns of a capture that holds a frame of more than 8 bytes: `byte_0` to `byte_63`."""

_BYTES_ALLOWED = "0 to 255 below dlc, ABSENT from dlc on"

_KINDS = {
    "timestamp": ("iuf", "numbers"),
    "arbitration_id": ("iu", "integers"),
    "is_extended": ("b", "booleans"),
    "is_remote": ("b", "booleans"),
    "dlc": ("iu", "integers"),
    "payload": ("iu", "integers"),
}


def frame_table(
    timestamp: np.ndarray,
    arbitration_id: np.ndarray,
    dlc: np.ndarray,
    payload: np.ndarray,
    attack: np.ndarray,
    *,
    channel: str | pd.Categorical = "",
    is_extended: np.ndarray | None = None,
    is_remote: np.ndarray | None = None,
    episode: np.ndarray | None = None,
) -> pd.DataFrame:
    """Build a frame table from arrays, in the order given.

    Args:
        timestamp: float `[num_frames]`, bus time in s; may step back.
        arbitration_id: integer `[num_frames]`, below 2**29.
        dlc: integer `[num_frames]`, 0 to 64.
        payload: int16 `[num_frames, 8]`, or 64 columns with CAN FD; 0 to 255, `ABSENT` from
            position `dlc` on and in remote frames.
        attack: integer `[num_frames]`, 1 where the frame is part of an attack.
        channel: name of the bus, one for all or one a frame.
        is_extended: bool `[num_frames]`; if not given, IDs that need 29 bits are extended.
        is_remote: bool `[num_frames]`; if not given, no frame is.
        episode: integer `[num_frames]`, 0 exactly where `attack` is; if not given,
            `number_episodes` counts.

    Returns:
        Frame table with `FRAME_COLUMNS`, with `FD_FRAME_COLUMNS` if a frame has over 8 bytes.

    Raises:
        DataError: An array has the wrong length or a value out of range.
    """
    columns = {
        "timestamp": np.asarray(timestamp),
        "channel": as_channel(channel, len(timestamp)),
        "arbitration_id": np.asarray(arbitration_id),
        "is_extended": np.asarray(arbitration_id) >= STANDARD_IDS
        if is_extended is None
        else is_extended,
        "is_remote": np.zeros(len(timestamp), bool) if is_remote is None else is_remote,
        "dlc": np.asarray(dlc),
        "payload": np.asarray(payload),
        "attack": np.asarray(attack),
    }
    _check_shapes(columns)
    columns["payload"] = _as_bytes(columns["payload"])
    _check_ranges(columns)
    columns["episode"] = number_episodes(timestamp, attack) if episode is None else episode
    _check_episodes(columns["attack"], columns["episode"])
    return assemble_frames({name: values.copy() for name, values in columns.items()})


def unlabelled_frames(frames: pd.DataFrame) -> pd.DataFrame:
    """Check a frame table that somebody else has made, and complete it.

    Args:
        frames: `timestamp`, `arbitration_id`, `dlc`, `byte_0` to `byte_7` (CAN FD: to `byte_63`);
            without `channel` there is one bus, without `is_extended` IDs that need 29 bits are
            extended, without `is_remote` no frame is remote. Other columns are not looked at.

    Returns:
        Frame table of the same frames, all of them benign.

    Raises:
        DataError: A column is missing, of another kind, or has a value out of range.
    """
    data = byte_columns(frames)
    for name in ("timestamp", "arbitration_id", "dlc", *data):
        if name not in frames:
            raise DataError(f"the frame table has no column {name}, which is needed.")
    columns = {name: frames[name].to_numpy() for name in _KINDS if name in frames}
    columns["payload"] = frames[list(data)].to_numpy()
    for name, values in columns.items():
        kinds, allowed = _KINDS[name]
        if values.dtype.kind not in kinds:
            raise DataError(f"{name} is of type {values.dtype}; allowed: {allowed}.")
    benign = np.zeros(len(frames), np.uint8)
    channel = frames.get("channel", "")
    return frame_table(**columns, channel=channel, attack=benign, episode=benign)


def number_episodes(
    timestamp: np.ndarray, attack: np.ndarray, pause: float = EPISODE_PAUSE
) -> np.ndarray:
    """Number the episodes of a capture from the labels of its frames.

    Args:
        timestamp: float `[num_frames]`, s.
        attack: integer `[num_frames]`, 0 or 1.
        pause: bus time between two attack frames from which on they are of different episodes, s.

    Returns:
        int32 `[num_frames]`: 0 for benign frames, 1, 2, ... for attack frames.
    """
    episode = np.zeros(len(attack), np.int32)
    attacked = np.flatnonzero(attack)
    if len(attacked):
        steps = np.diff(bus_time(np.asarray(timestamp))[attacked])
        episode[attacked] = 1 + np.concatenate([[0], np.cumsum(steps > pause)])
    return episode


def payload(frames: pd.DataFrame) -> np.ndarray:
    """Return the first 8 bytes as contiguous int16 `[num_frames, 8]`, `ABSENT` where absent."""
    return np.ascontiguousarray(frames[list(BYTE_COLUMNS)].to_numpy())


def long_payload(frames: pd.DataFrame) -> np.ndarray:
    """Return all bytes as contiguous int16, `[num_frames, 8]`, with CAN FD `[num_frames, 64]`."""
    return np.ascontiguousarray(frames[list(byte_columns(frames))].to_numpy())


def byte_columns(frames: pd.DataFrame) -> tuple[str, ...]:
    """Name the byte columns that a frame table has: 8, or 64 with CAN FD."""
    return FD_BYTE_COLUMNS if FD_BYTE_COLUMNS[-1] in frames else BYTE_COLUMNS


def as_channel(channel: str | pd.Categorical, num_frames: int) -> pd.Categorical:
    """Return the name of each frame's bus."""
    if isinstance(channel, str):
        return pd.Categorical.from_codes(np.zeros(num_frames, np.int8), [channel])
    return pd.Categorical(channel)


def assemble_frames(columns: dict) -> pd.DataFrame:
    """Build a frame table from columns that have been checked, around the arrays given.

    Args:
        columns: name -> array, and `payload`, as `frame_table` takes them; all are given. Nobody
            else writes into them: what has the right type and may be written to is not copied.
    """
    is_fd = bool((columns["dlc"] > MAX_DLC).any())
    names = FD_BYTE_COLUMNS if is_fd else BYTE_COLUMNS
    # One block of all bytes: `payload` of the table then costs a copy, not a gather.
    data = pd.DataFrame(columns["payload"][:, : len(names)], columns=list(names), copy=False)
    before, after = (
        pd.DataFrame({name: _as_type(columns[name], group[name]) for name in group}, copy=False)
        for group in (_BEFORE_PAYLOAD, _AFTER_PAYLOAD)
    )
    return pd.concat([before, data, after], axis=1)


def _as_type(values: np.ndarray | pd.Categorical, dtype: str) -> np.ndarray | pd.Categorical:
    return values if dtype == "category" else np.require(values, dtype, "W")


def _check_shapes(columns: dict) -> None:
    num_frames = len(columns["timestamp"])
    width = MAX_FD_DLC if columns["payload"].shape[1:] == (MAX_FD_DLC,) else MAX_DLC
    for name, values in columns.items():
        shape = (num_frames, width) if name == "payload" else (num_frames,)
        if values.shape != shape:
            raise DataError(f"{name} has shape {values.shape}, {shape} is needed.")


def _as_bytes(payload: np.ndarray) -> np.ndarray:
    values = payload.astype(np.int16, copy=False)
    if values is not payload:
        _require("payload", payload, (values == payload).all(axis=1), _BYTES_ALLOWED)
    return values


def _check_ranges(columns: dict) -> None:
    width = columns["payload"].shape[1]
    for name, low, high, allowed in (
        ("arbitration_id", 0, ID_LIMIT - 1, "0 to 2**29 - 1"),
        ("dlc", 0, width, f"0 to {width}"),
        ("attack", 0, 1, "0 or 1"),
    ):
        values = columns[name]
        _require(name, values, (values >= low) & (values <= high), allowed)
    _require(
        "timestamp", columns["timestamp"], np.isfinite(columns["timestamp"]), "a finite number"
    )
    short = columns["is_extended"] | (columns["arbitration_id"] < STANDARD_IDS)
    _require("arbitration_id", columns["arbitration_id"], short, "below 2**11 unless is_extended")
    length = np.where(columns["is_remote"], 0, columns["dlc"]).astype(np.int64)
    fine = payload_fits(columns["payload"], length)
    _require("payload", columns["payload"], fine, _BYTES_ALLOWED)


def _check_episodes(attack: np.ndarray, episode: np.ndarray) -> None:
    if episode.shape != attack.shape:
        raise DataError(f"episode has shape {episode.shape}, {attack.shape} is needed.")
    fine = (episode >= 0) & ((episode > 0) == (attack > 0))
    _require("episode", episode, fine, "0 in benign frames, above 0 in attack frames")


def _require(name: str, values: np.ndarray, fine: np.ndarray, allowed: str) -> None:
    if not fine.all():
        frame = int(np.argmin(fine))
        raise DataError(f"{name} of frame {frame} is {values[frame].tolist()}; allowed: {allowed}.")


@njit(cache=True, nogil=True)
def payload_fits(payload, length):
    """Tell for each frame whether it has bytes up to its length and none beyond."""
    fine = np.ones(len(payload), np.bool_)
    for frame in range(len(payload)):
        fine[frame] = bytes_fit(payload, frame, length[frame])
    return fine


@njit(cache=True, nogil=True)
def bytes_fit(payload, frame, length):
    """Tell whether one frame has bytes up to its length and none beyond."""
    fine = True
    for position in range(payload.shape[1]):
        value = payload[frame, position]
        # Without a branch: lengths change from frame to frame.
        fine &= ((value >= 0) & (value <= 255)) if position < length else value == ABSENT
    return fine
