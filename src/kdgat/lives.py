"""Lives of a run: one that was interrupted goes on under the version it began with.

`<data root>/checkpoints/<run key>/` belongs to one run from its beginning to its success: who runs
it (`run.json`), what it has saved in full (`saved/`), and the checkpoint of the stage at work.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from kdgat import locations
from kdgat.errors import DataError, KdgatError
from kdgat.lineage import is_versioned
from kdgat.tracking import records
from kdgat.tracking.journal import write_whole
from kdgat.tracking.owners import Owner

RUN_KEY = "KDGAT_RUN_KEY"
NOTE, SAVED = "run.json", "saved"
LONGEST_NAME = 100  # of a run key in a folder's name

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Life:
    """The present life of a run.

    Attributes:
        folder: of its run key.
        version: of the run.
        is_first: whether nothing has gone before.
    """

    folder: Path
    version: str
    is_first: bool

    @classmethod
    def find(cls, command: dict[str, Any], version: str, *, key: str | None = None) -> "Life":
        """Find the run that a command goes on with, or begin one.

        Args:
            command: all that must be equal for a run to be the same.
            version: of the run, should it be a new one.
            key: name of the run given from outside.

        Raises:
            KdgatError: a process is at work under a key that was given.
        """
        digest = hashlib.sha256(json.dumps(command, sort_keys=True).encode()).hexdigest()[:16]
        folder = Path(locations.checkpoints()) / "-".join([*_name(key), digest])
        note = folder / NOTE
        if not note.is_file():
            return cls(folder, version, is_first=True)
        before = json.loads(note.read_text())
        owner = Owner.from_dict(before["owner"])
        may_run = key is None and _ended_with(before["version"]) in (None, "RUNNING")
        if owner.is_in_the_way(when_unknown=may_run):
            if may_run and owner.is_alive() is None:
                LOGGER.warning(
                    "run %s was begun on %s, which cannot be asked whether it still runs there: "
                    "this is a run of its own",
                    *(before["version"], owner.host),
                )
            if key is not None:
                raise KdgatError(
                    f"run {key} is being made by process {before['owner']['pid']} on "
                    f"{before['owner']['host']} right now, as version {before['version']}"
                )
            return cls(folder.with_name(f"{folder.name}-{version}"), version, is_first=True)
        if not records.exists(before["version"]):
            return cls(folder, version, is_first=True)
        return cls(folder, before["version"], is_first=False)

    def claim(self) -> None:
        """Say that this process makes the run now.

        Raises:
            DataError: the folder cannot be written.
        """
        try:
            if self.is_first:
                shutil.rmtree(self.folder, ignore_errors=True)
            (self.folder / SAVED).mkdir(parents=True, exist_ok=True)
            owner = Owner.this_process().to_dict()
            write_whole(self.folder / NOTE, {"version": self.version, "owner": owner})
        except OSError as error:
            raise DataError(
                f"cannot keep checkpoints in {self.folder}: {error.strerror}"
            ) from error

    def note_saved(self, dataset: str) -> None:
        """Remember that an output of the run is there in full."""
        (self.folder / SAVED / dataset).touch()

    def remove_half_saved(self, outputs: Iterable[str], catalog: CatalogProtocol) -> None:
        """Remove what was being saved when the run ended, such as an empty file on a full disk.

        Args:
            outputs: names of all that the run saves in versions.
            catalog: its catalog, in which they have the version of the run.
        """
        for name in outputs:
            # A disk that does not even let go of a file keeps it for `clear_the_way`.
            with suppress(OSError):
                if not (self.folder / SAVED / name).exists():
                    Path(str(catalog.get(name)._get_load_path())).unlink(missing_ok=True)

    def clear_the_way(self, pipeline: Pipeline, catalog: CatalogProtocol) -> list[str]:
        """Remove what an earlier life has saved of nodes that have to run again.

        Args:
            pipeline: that is to run.
            catalog: its catalog, in which outputs have the version of the run.

        Returns:
            Names of the nodes that need not run again.
        """
        saved = {path.name for path in (self.folder / SAVED).iterdir()}
        again: set[str] = set()
        needed: set[str] = set()
        for node in reversed(pipeline.nodes):
            kept = {name for name in node.outputs if is_versioned(catalog.get(name))}
            if kept <= saved and kept and not needed & (set(node.outputs) - kept):
                continue
            if not kept and not needed & set(node.outputs):
                continue
            again.add(node.name)
            needed |= set(node.inputs)
            for name in kept:
                Path(str(catalog.get(name)._get_load_path())).unlink(missing_ok=True)
                (self.folder / SAVED / name).unlink(missing_ok=True)
        return [node.name for node in pipeline.nodes if node.name not in again]

    def end(self) -> None:
        """Remove everything: the run has succeeded."""
        shutil.rmtree(self.folder, ignore_errors=True)


def forget(versions: Iterable[str]) -> None:
    """Let interrupted runs of these versions go on no more: what they had made is gone."""
    gone = set(versions)
    for note in Path(locations.checkpoints()).glob(f"*/{NOTE}"):
        if json.loads(note.read_text())["version"] in gone:
            shutil.rmtree(note.parent, ignore_errors=True)


def command_of(run_params: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Give what makes two commands the same, beside their inputs.

    Args:
        run_params: of Kedro.
        parameters: all of them, resolved.
    """
    asked = ("pipeline_names", "tags", "from_nodes", "to_nodes", "node_names", "from_inputs")
    return {
        "asked": {key: list(run_params[key] or []) for key in (*asked, "to_outputs", "namespaces")},
        "environment": run_params["env"],
        "parameters": {key: value for key, value in parameters.items() if key != "logging"},
        "code": _code(),
    }


def given_key() -> str | None:
    """Give the name of the run that the surroundings dictate, such as a Slurm task."""
    return os.environ.get(RUN_KEY) or None


def _ended_with(version: str) -> str | None:
    return records.read(version).get("status") if records.exists(version) else None


def _code() -> str:
    """Take a digest of the code and of the packages that it uses."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    digest.update(json.dumps(records.packages(), sort_keys=True).encode())
    return digest.hexdigest()


def _name(key: str | None) -> list[str]:
    if key is None:
        return []
    return ["".join(c if c.isalnum() or c in "._" else "-" for c in key)[-LONGEST_NAME:]]
