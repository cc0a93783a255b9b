"""The raw captures of a dataset."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import AbstractDataset

from kdgat.can.captures import find_captures, read_capture

CaptureReader = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


class CaptureFolderDataset(AbstractDataset[None, dict[str, CaptureReader]]):
    """A folder `<scenario>/<capture>.csv[.gz]`, read one capture at a time.

    Loading gives capture name -> reader; `reader(bad_row_share=...)` returns the frames and
    the malformed rows of that capture.

    Args:
        filepath: the dataset's folder.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None):
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, CaptureReader]:
        """List the captures; nothing is read yet."""
        return {
            name: partial(read_capture, path)
            for name, path in find_captures(self._filepath).items()
        }

    def save(self, data: None) -> None:
        """Refuse: captures come from a car, or from the simulator."""
        raise NotImplementedError("raw captures are read, never written, by a pipeline")

    def _exists(self) -> bool:
        return self._filepath.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
