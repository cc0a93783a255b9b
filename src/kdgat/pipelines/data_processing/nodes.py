"""Captures to graphs."""

import logging

import pandas as pd

from kdgat.can.frames import drop_repeated
from kdgat.can.graph_store import GraphStore, feature_scaling
from kdgat.can.splits import build_splits
from kdgat.datasets.captures import CaptureReader
from kdgat.parameters import DataProcessing

LOGGER = logging.getLogger(__name__)


def read_captures(
    readers: dict[str, CaptureReader], parameters: DataProcessing
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame]:
    """Read every capture and drop those that repeat another.

    Args:
        readers: capture name -> reader.
        parameters: of this stage.

    Returns:
        Capture name -> frame table; a table of the captures kept and dropped; the malformed
        rows left out.
    """
    read = {
        name: reader(bad_row_share=parameters.bad_row_share) for name, reader in readers.items()
    }
    captures, repeated = drop_repeated({name: frames for name, (frames, _) in read.items()})
    for dropped, kept in repeated:
        LOGGER.info("dropped %s: the same frames as %s", dropped, kept)
    bad_rows = pd.concat([rows.assign(capture=name) for name, (_, rows) in read.items()])
    return captures, summarise(captures, dict(repeated), parameters.window), bad_rows


def summarise(
    captures: dict[str, pd.DataFrame], repeated: dict[str, str], window: int
) -> pd.DataFrame:
    """Describe each capture in a row: frames, windows, seconds, IDs, attacks, what it repeats."""
    rows = [
        {
            "capture": name,
            "frames": len(frames),
            "seconds": frames["timestamp"].max() - frames["timestamp"].min(),
            "arbitration_ids": frames["arbitration_id"].nunique(),
            "attack_frames": int(frames["attack"].sum()),
        }
        for name, frames in captures.items()
    ]
    return pd.DataFrame(rows)
