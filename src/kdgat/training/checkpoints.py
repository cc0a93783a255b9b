"""What a stage keeps after every epoch, so that a later life of the run goes on from there."""

import io
import os
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import nn

from kdgat.errors import DataError

State = dict[str, Any]


@dataclass(frozen=True)
class RunMemory:
    """What the stages of a run know of earlier runs and of the run's earlier lives.

    Attributes:
        folder: of this run's checkpoints; None keeps none.
        dataset: of the run.
        last_budget: stage, kind -> budget of the last run like this one, nodes.
    """

    folder: Path | None = None
    dataset: str = ""
    last_budget: Callable[[str, str], int | None] = lambda stage, kind: None


_MEMORY: ContextVar[RunMemory] = ContextVar("run_memory", default=RunMemory())  # noqa: B039


@contextmanager
def remembering(memory: RunMemory) -> Iterator[None]:
    """Let the stages inside belong to a run."""
    token = _MEMORY.set(memory)
    try:
        yield
    finally:
        _MEMORY.reset(token)


def run_memory() -> RunMemory:
    """Give the memory of the run that this stage belongs to."""
    return _MEMORY.get()


@dataclass(frozen=True)
class Checkpoint:
    """One file, replaced whole after every epoch, and room kept free for the next one.

    Attributes:
        path: the file; None keeps nothing.
        is_ours: whether this process writes it.
    """

    path: Path | None
    is_ours: bool = True

    @classmethod
    def of(cls, stage: str) -> "Checkpoint":
        """Name the checkpoint of a stage of the present run."""
        folder = run_memory().folder
        return cls(folder / f"{stage}.checkpoint" if folder else None)

    def read_only(self) -> "Checkpoint":
        """Give the checkpoint to a process that takes part."""
        return replace(self, is_ours=False)

    def reserve(self, size: int) -> None:
        """Take the disk space of a checkpoint before there is one, so that the last one fits.

        Args:
            size: bytes.

        Raises:
            DataError: there is no room, or nothing may be written there.
        """
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._room.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            self._room.unlink(missing_ok=True)
            raise DataError(
                f"no checkpoint can be kept in {self.path.parent} ({error.strerror}; "
                f"{size / 1e6:.1f} MB are needed): stopped before training"
            ) from error

    def save(self, state: State) -> None:
        """Write a state: the file holds the one before or this one, never a part.

        Raises:
            DataError: the disk is full; the state is kept all the same, in the room reserved.
        """
        if self.path is None or not self.is_ours:
            return
        content = io.BytesIO()
        torch.save(state, content)
        try:
            self._write(content.getbuffer())
        except OSError as error:
            self._room.unlink(missing_ok=True)
            try:
                self._write(content.getbuffer())
            except OSError as second:
                raise DataError(
                    f"cannot write the checkpoint {self.path} ({second.strerror}): the epochs "
                    "before this one are kept, and the same command goes on from them"
                ) from second
            raise DataError(
                f"cannot write another checkpoint in {self.path.parent} ({error.strerror}): "
                "stopped, every epoch is kept, and the same command goes on from here"
            ) from error

    def load(self) -> State | None:
        """Read the state, None if there is none; nothing in the file is executed.

        Raises:
            DataError: the file is not a checkpoint.
        """
        if self.path is None or not self.path.is_file():
            return None
        try:
            if not zipfile.is_zipfile(self.path):
                raise ValueError("not a file that torch has written")
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, ValueError, UnpicklingError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(
                f"{self.path} is not a checkpoint ({reason}): delete it to begin the stage anew"
            ) from error

    @property
    def _room(self) -> Path:
        return self.path.with_suffix(".reserved")

    def _write(self, content: memoryview) -> None:
        handle, partial = tempfile.mkstemp(dir=self.path.parent, prefix=".partial-")
        try:
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self.path)
        finally:
            Path(partial).unlink(missing_ok=True)


def checkpoint_size(model: nn.Module) -> int:
    """Estimate a checkpoint, bytes: weights, best weights, two moments, generators, history."""
    return 4 * sum(tensor.nbytes for tensor in model.state_dict().values()) + 2**20


def random_state() -> State:
    """Take down the state of every random generator of this process."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()
    version, words, following = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "python": [version, list(words), following],
    }


def set_random_state(state: State) -> None:
    """Put every random generator of this process back to a state."""
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    version, words, following = state["python"]
    random.setstate((version, tuple(words), following))
