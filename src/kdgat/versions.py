"""The versions of a stored file, `<file>/<version>/<file name>`, and two notes beside them.

`pinned.json` names the version that later pipelines take instead of the newest one;
`pruned.json` remembers what has been removed.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from kdgat import locations
from kdgat.tracking.journal import write_whole

PINNED, PRUNED = "pinned.json", "pruned.json"


def stored(path: Path) -> list[str]:
    """List the versions of a file, oldest first.

    Args:
        path: the file; its versions lie below it.
    """
    return sorted(found.parent.name for found in path.glob(f"*/{path.name}"))


def pinned(path: Path) -> str | None:
    """Name the version that is pinned, if one is."""
    note = path / PINNED
    return json.loads(note.read_text())["version"] if note.is_file() else None


def pin(path: Path, version: str) -> None:
    """Make a version the one that later pipelines take."""
    write_whole(path / PINNED, {"version": version, "since": _now()})


def unpin(path: Path) -> None:
    """Let later pipelines take the newest version again."""
    (path / PINNED).unlink(missing_ok=True)


def pruned(path: Path) -> dict[str, str]:
    """Tell which versions have been removed, and when."""
    note = path / PRUNED
    return json.loads(note.read_text()) if note.is_file() else {}


def prune(path: Path, version: str) -> None:
    """Remove a version and remember that it was there."""
    write_whole(path / PRUNED, pruned(path) | {version: _now()})
    (path / version / path.name).unlink()
    (path / version).rmdir()


def lack(path: Path, version: str) -> str:
    """Say, in a sentence, that a version, or one that ends so, is not there; why if known."""
    for whole, when in pruned(path).items():
        if whole.endswith(version):
            return f"version {whole} of {path.stem} was pruned at {when}"
    there = stored(path)
    latest = ", ".join(there[-3:]) if there else "none"
    return f"{path.stem} has no version {version} in {path}; the latest are: {latest}"


def lock() -> FileLock:
    """Give the lock under which versions are chosen and removed."""
    folder = Path(locations.data_root()) / "09_tracking"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "versions.lock")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
