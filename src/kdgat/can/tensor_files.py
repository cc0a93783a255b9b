"""Safetensors files that are written piece by piece: no large tensor is ever whole in memory."""

import json
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

NAMES = {
    np.dtype(np.float32): "F32",
    np.dtype(np.float64): "F64",
    np.dtype(np.uint8): "U8",
    np.dtype(np.int32): "I32",
    np.dtype(np.int64): "I64",
}
"""What the format calls the types of numpy."""

HEAD = 2**16
"""Bytes kept free for the file's head; a longer head costs one more copy of the file."""

BUFFER = 2**20
"""Bytes copied at once when the pieces are put together."""

KEPT = 2**24
"""Bytes of a tensor that wait in memory; a larger one waits in a file of its own."""

PADDING = "padding"
"""A tensor of up to 7 bytes: what follows begins at a multiple of 8."""


class _Waiting:
    """Bytes that wait: as the arrays they came in, from `KEPT` bytes on in a file.

    Args:
        stack: Closes the file.
        folder: Where the file lies.
    """

    def __init__(self, stack: ExitStack, folder: Path):
        self._stack = stack
        self._folder = folder
        self._pieces: list[memoryview | bytes] = []
        self._num_bytes = 0
        self._file: IO[bytes] | None = None

    def tell(self) -> int:
        """Return how many bytes wait."""
        return self._num_bytes

    def write(self, piece: memoryview | bytes) -> None:
        """Append bytes."""
        self._pieces.append(piece)
        self._num_bytes += len(piece)
        if self._num_bytes > KEPT:
            self._file = self._file or self._open()
            self._move_pieces(self._file)

    def move_to(self, target: IO[bytes]) -> None:
        """Append all that waits to a file, and give its room on the disk back."""
        if self._file is not None:
            self._file.seek(0)
            shutil.copyfileobj(self._file, target, BUFFER)
            self._file.close()
        self._move_pieces(target)

    def _open(self) -> IO[bytes]:
        return self._stack.enter_context(tempfile.TemporaryFile(dir=self._folder))

    def _move_pieces(self, target: IO[bytes]) -> None:
        target.writelines(self._pieces)
        self._pieces.clear()


class TensorFileWriter:
    """Write tensors that grow along their first dimension into one safetensors file.

    The format keeps each tensor contiguous and names its length in the file's head. The first
    tensor, which should be the largest, is written into its final place; the others wait, in
    memory or from `KEPT` bytes on in a file each, and are put behind it at the end. The file
    appears whole or not at all, and leaving the `with` block without `finish` leaves nothing
    behind.

    Args:
        path: The file, in a folder that exists; an existing one is replaced.
        tensors: Name -> type and the shape of one row.
        rows: Name -> number of rows, of tensors that grow along their second dimension.
    """

    def __init__(
        self,
        path: Path,
        tensors: dict[str, tuple[np.dtype, tuple[int, ...]]],
        *,
        rows: dict[str, int] | None = None,
    ):
        self.path = path
        self._tensors = tensors
        self._rows = rows or {}
        self._first, *others = tensors
        # Wider types first: all of them then begin at a multiple of their own width.
        self._others = sorted(others, key=lambda name: -tensors[name][0].itemsize)
        self._stack = ExitStack()
        folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-")
        self._folder = Path(self._stack.enter_context(folder))
        self._whole = self._stack.enter_context((self._folder / "whole").open("w+b"))
        self._whole.seek(HEAD)
        self._parts = {self._first: [self._whole]} | {
            name: [_Waiting(self._stack, self._folder) for _ in range(self._rows.get(name, 1))]
            for name in self._others
        }

    def __enter__(self) -> "TensorFileWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def append(self, name: str, values: np.ndarray) -> None:
        """Append to one tensor.

        Args:
            name: Which one.
            values: `[num_rows, *row]`, or `[rows, num_columns]` where `rows` names the tensor;
                nobody writes into them before `finish`.
        """
        dtype, _ = self._tensors[name]
        if values.dtype != dtype:
            raise ValueError(f"{name} is {values.dtype}, {dtype} is needed")
        pieces = values if name in self._rows else [values]
        for part, piece in zip(self._parts[name], pieces, strict=True):
            part.write(np.ascontiguousarray(piece).data.cast("B") if piece.size else b"")

    def finish(self, metadata: dict[str, str]) -> None:
        """Put the pieces together.

        Args:
            metadata: Text for the file's head.
        """
        end = self._whole.tell() - HEAD
        head = {"__metadata__": metadata, self._first: self._entry(self._first, 0, end)}
        padding = -end % 8
        self._whole.write(bytes(padding))
        head[PADDING] = {"dtype": "U8", "shape": [padding], "data_offsets": [end, end + padding]}
        end += padding
        for name in self._others:
            begin = end
            for part in self._parts[name]:
                end += part.tell()
                part.move_to(self._whole)
            head[name] = self._entry(name, begin, end)
        self._write_head(json.dumps(head).encode())
        self._whole.close()
        os.replace(self._whole.name, self.path)

    def _entry(self, name: str, begin: int, end: int) -> dict:
        dtype, row = self._tensors[name]
        number = (end - begin) // dtype.itemsize
        if name in self._rows:
            shape = [self._rows[name], number // self._rows[name]]
        else:
            shape = [number // int(np.prod(row)), *row]
        return {"dtype": NAMES[dtype], "shape": shape, "data_offsets": [begin, end]}

    def _write_head(self, text: bytes) -> None:
        """Write the head into the room kept for it; without enough room, move the rest."""
        room = HEAD - 8
        if len(text) > room:
            room = len(text) + -len(text) % 8
            longer = self._folder / "longer"
            with longer.open("wb") as target:
                target.seek(8 + room)
                self._whole.seek(HEAD)
                shutil.copyfileobj(self._whole, target, BUFFER)
            self._whole = self._stack.enter_context(longer.open("r+b"))
        self._whole.seek(0)
        self._whole.write(room.to_bytes(8, "little") + text.ljust(room))
