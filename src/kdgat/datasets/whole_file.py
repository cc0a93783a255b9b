"""Single files that appear whole or not at all."""

import os
import tempfile
from abc import abstractmethod
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from kedro.io import AbstractVersionedDataset, Version
from safetensors import SafetensorError

from kdgat.errors import DataError

Stored = TypeVar("Stored")


class WholeFileDataset(AbstractVersionedDataset[Stored, Stored]):
    """A versioned file that is written beside its place and then linked into it.

    Linking fails where the file is there already: a version is never overwritten.

    Args:
        filepath: the file; a version lies at `<filepath>/<version>/<file name>`.
        default_filepath: where pipelines look for an input that `filepath` lacks.
        version: versions to load and to save.
    """

    def __init__(
        self,
        *,
        filepath: str,
        default_filepath: str | None = None,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ):
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.default_filepath = default_filepath
        self.metadata = metadata

    def load(self) -> Stored:
        """Read the version that is pinned, else the newest."""
        return self._read(Path(self._get_load_path()))

    def save(self, data: Stored) -> None:
        """Write a new version, whole or not at all."""
        path = Path(self._get_save_path())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
                partial = Path(folder) / path.name
                self._write(data, partial)
                os.link(partial, path)
        except FileExistsError:
            raise DataError(
                f"{path} is there already, and a version is never overwritten"
            ) from None
        except (OSError, SafetensorError) as error:
            raise DataError(f"cannot write {path}: {_reason(error)}") from error

    @abstractmethod
    def _read(self, path: Path) -> Stored: ...

    @abstractmethod
    def _write(self, data: Stored, path: Path) -> None: ...

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}


def _reason(error: Exception) -> str:
    """An empty folder may stay behind where the disk is full; a half-written file never does."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
