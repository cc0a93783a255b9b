"""Which file lies behind tensors that are mapped into memory."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple


class MappedFile(NamedTuple):
    """A file in memory; while it is mapped no other file gets its number."""

    path: Path
    number: tuple[int, int]

    @classmethod
    def at(cls, path: Path) -> "MappedFile":
        """Describe the file that lies at a path now."""
        found = path.stat()
        return cls(path, (found.st_dev, found.st_ino))

    def is_there(self) -> bool:
        """Say whether the path still names this file."""
        return self.path.exists() and MappedFile.at(self.path) == self

    def link_or_copy(self, target: Path) -> None:
        """Give the file a further name, or copy it where the disk takes no link to it.

        Args:
            target: a name that no file has.
        """
        try:
            os.link(self.path, target)
        except OSError:
            shutil.copyfile(self.path, target)
