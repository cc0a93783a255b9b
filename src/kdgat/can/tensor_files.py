"""Safetensors files that are written piece by piece: no tensor is ever whole in memory."""

import json
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

NAMES = {
    np.dtype(np.float32): "F32",
    np.dtype(np.float64): "F64",
    np.dtype(np.uint8): "U8",
    np.dtype(np.int32): "I32",
    np.dtype(np.int64): "I64",
}
"""What the format calls the types of numpy."""

BUFFER = 2**22
"""Bytes copied at once when the pieces are put together."""


class TensorFileWriter:
    """Write tensors that grow along their first dimension into one safetensors file.

    The format keeps each tensor contiguous and names its length in the file's head, so pieces are
    appended to one file a tensor and put together at the end. The file appears whole or not at
    all; leaving the `with` block without `finish` leaves nothing behind.

    Args:
        path: The file, in a folder that exists; an existing one is replaced.
        tensors: Name -> type and the shape of one row; of a tensor that grows along its second
            dimension, `rows` gives the first.
        rows: Name -> number of rows, each of which grows by itself.
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
        self._folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-")
        self._parts = {
            name: [
                (Path(self._folder.name) / f"{name}.{part}").open("wb")
                for part in range(self._rows.get(name, 1))
            ]
            for name in tensors
        }

    def __enter__(self) -> "TensorFileWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in (part for parts in self._parts.values() for part in parts):
            part.close()
        self._folder.cleanup()

    def append(self, name: str, values: np.ndarray) -> None:
        """Append to one tensor.

        Args:
            name: Which one.
            values: `[num_rows, *row]`, or `[rows, num_columns]` where `rows` names the tensor.
        """
        dtype, _ = self._tensors[name]
        if values.dtype != dtype:
            raise ValueError(f"{name} is {values.dtype}, {dtype} is needed")
        pieces = values if name in self._rows else [values]
        for part, piece in zip(self._parts[name], pieces, strict=True):
            part.write(np.ascontiguousarray(piece).data if piece.size else b"")

    def finish(self, metadata: dict[str, str]) -> None:
        """Put the pieces together.

        Args:
            metadata: Text for the file's head.
        """
        for part in (part for parts in self._parts.values() for part in parts):
            part.close()
        head, end = {"__metadata__": metadata}, 0
        # Wider types first, as safetensors has it: every tensor then begins at its own width.
        order = sorted(self._tensors, key=lambda name: -self._tensors[name][0].itemsize)
        for name in order:
            size = sum(Path(part.name).stat().st_size for part in self._parts[name])
            head[name] = {
                "dtype": NAMES[self._tensors[name][0]],
                "shape": self._shape(name, size),
                "data_offsets": [end, end + size],
            }
            end += size
        text = json.dumps(head).encode()
        text += b" " * (-len(text) % 8)
        whole = Path(self._folder.name) / "whole"
        with whole.open("wb") as target:
            target.write(len(text).to_bytes(8, "little") + text)
            for part in (part for name in order for part in self._parts[name]):
                with open(part.name, "rb") as source:
                    shutil.copyfileobj(source, target, BUFFER)
                os.unlink(part.name)
        os.replace(whole, self.path)

    def _shape(self, name: str, size: int) -> list[int]:
        dtype, row = self._tensors[name]
        if name in self._rows:
            return [self._rows[name], size // dtype.itemsize // self._rows[name]]
        return [size // dtype.itemsize // int(np.prod(row)), *row]
