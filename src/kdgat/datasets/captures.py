"""The raw captures of a dataset."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from kdgat import locations
from kdgat.can.captures import CaptureFile, open_captures
from kdgat.can.declarations import read_declaration


class CaptureFolderDataset(AbstractDataset[None, dict[str, CaptureFile]]):
    """A folder of captures, laid out as its declaration says, read one capture at a time.

    Loading gives capture name -> file; `file(bad_row_share=...)` reads the capture.

    Args:
        filepath: the dataset's folder, of the dataset's name.
        declarations: folders of declarations `<dataset>.yml`, the first that has one counts;
            if not given, your own in `conf/local/datasets`, then the shipped ones. Without a
            declaration the layout is `<scenario>/<capture>.csv` and the like.
    """

    def __init__(
        self,
        *,
        filepath: str,
        declarations: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
    ):
        self._filepath = Path(filepath)
        self._declarations = (
            locations.declaration_folders() if declarations is None else declarations
        )
        self.metadata = metadata

    def load(self) -> dict[str, CaptureFile]:
        """List the captures; nothing is read yet."""
        files = locations.declarations(self._declarations)
        own = files.get(self._filepath.name)
        declaration = read_declaration(own) if own else None
        return open_captures(self._filepath, declaration, tuple(sorted(files)))

    def save(self, data: None) -> None:
        """Refuse: captures come from a car, or from the simulator."""
        raise NotImplementedError("raw captures are read, never written, by a pipeline")

    def _exists(self) -> bool:
        return self._filepath.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
