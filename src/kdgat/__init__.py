"""Intrusion detection on the CAN bus with graph networks."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kdgat.detector import Detector

__version__ = "0.1.0"


def load_detector(path: "str | Path", *, threads: int = 1) -> "Detector":
    """Load a stored model as something that scores frames: see `kdgat.detector`."""
    from kdgat import detector_files  # torch, only for those who score

    return detector_files.load_detector(path, threads=threads)
