"""The raw captures of any dataset, asked for by name."""

from collections.abc import Callable
from typing import Any

from kedro.io import AbstractDataset

from kdgat import locations
from kdgat.can.captures import CaptureFile
from kdgat.datasets.captures import CaptureFolderDataset

CapturesOf = Callable[[str], dict[str, CaptureFile]]


class RawRootDataset(AbstractDataset[None, CapturesOf]):
    """The folder of all datasets: loading gives dataset name -> capture name -> file."""

    def __init__(self, *, metadata: dict[str, Any] | None = None):
        self.metadata = metadata

    def load(self) -> CapturesOf:
        """Give the function that lists a dataset's captures; nothing is read yet."""
        return _captures_of

    def save(self, data: None) -> None:
        """Refuse: captures come from a car, or from the simulator."""
        raise NotImplementedError("raw captures are read, never written, by a pipeline")

    def _describe(self) -> dict[str, Any]:
        return {"folders": locations.raw_folder("DATASET")}


def _captures_of(dataset: str) -> dict[str, CaptureFile]:
    return CaptureFolderDataset(filepath=locations.raw_folder(dataset)).load()
