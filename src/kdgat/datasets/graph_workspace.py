"""The folder of a dataset's graphs: stores of earlier runs, and room to build others."""

import json
import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from kdgat.can.graph_store import GraphStore, read_identity
from kdgat.errors import DataError
from kdgat.tracking.journal import write_whole
from kdgat.tracking.owners import Owner

LOGGER = logging.getLogger(__name__)

BUILDING, OWNER = ".building-", "owner.json"

Build = Callable[[Mapping[str, Path]], Mapping[str, GraphStore]]
"""Writes the stores of all splits to the files given and maps them."""


class GraphWorkspace:
    """Hands out the stores of an identity: those of an earlier run, else newly built ones.

    Args:
        folder: Of the dataset's graphs, with versions at `<file>/<version>/<file>`.
        files: Split -> file name.
    """

    def __init__(self, folder: Path, files: Mapping[str, str]):
        self._folder = folder
        self._files = files

    def provide(self, identity: str, build: Build) -> dict[str, GraphStore]:
        """Find the stores of an identity, or build them; the log says which.

        Built files lie in this folder until the stores are gone; saving a store links its file
        into a version, so nothing is written twice. What processes that were killed have left
        there is removed.

        Args:
            identity: What the stores are made from.
            build: Makes them.
        """
        found = {split: self._find(file, identity) for split, file in self._files.items()}
        if all(found.values()):
            versions = ", ".join(dict.fromkeys(path.parent.name for path in found.values()))
            LOGGER.info("graphs unchanged (identity %.12s): taken from %s", identity, versions)
            return {split: GraphStore.load(path) for split, path in found.items()}
        LOGGER.info("building graphs (identity %.12s): no earlier run has them", identity)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._clear()
        room = Path(tempfile.mkdtemp(dir=self._folder, prefix=BUILDING))
        write_whole(room / OWNER, Owner.this_process().to_dict())
        try:
            stores = build({split: room / file for split, file in self._files.items()})
        except BaseException:
            shutil.rmtree(room)
            raise
        for store in stores.values():
            weakref.finalize(store, _discard, store.file.path)
        return dict(stores)

    def _clear(self) -> None:
        """Remove what was built by processes that are known to be gone."""
        for note in self._folder.glob(f"{BUILDING}*/{OWNER}"):
            with suppress(FileNotFoundError):  # another process clears it as well
                if Owner.from_dict(json.loads(note.read_text())).is_alive() is False:
                    shutil.rmtree(note.parent)

    def _find(self, file: str, identity: str) -> Path | None:
        """Return the newest version of a file that has the identity."""
        for path in sorted((self._folder / file).glob(f"*/{file}"), reverse=True):
            try:
                if read_identity(path) == identity:
                    return path
            except DataError as error:
                LOGGER.warning("passing over a version: %s", error)
        return None


class GraphWorkspaceDataset(AbstractDataset[None, GraphWorkspace]):
    """The graphs of a dataset, asked for by what they are made from.

    Args:
        filepath: the folder of the dataset's graphs.
        files: split -> file name.
    """

    def __init__(
        self, *, filepath: str, files: dict[str, str], metadata: dict[str, Any] | None = None
    ):
        self._workspace = GraphWorkspace(Path(filepath), files)
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> GraphWorkspace:
        """Give access to the folder; nothing is read or written yet."""
        return self._workspace

    def save(self, data: None) -> None:
        """Refuse: stores are saved as the graphs of a split."""
        raise NotImplementedError("graphs are saved split by split")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)
    if {file.name for file in path.parent.glob("*")} <= {OWNER}:  # all splits are gone
        shutil.rmtree(path.parent, ignore_errors=True)
