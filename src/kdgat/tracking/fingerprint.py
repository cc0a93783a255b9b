"""The identity of a dataset: one hash over all its files."""

import hashlib
import json
from pathlib import Path
from typing import Any

from kdgat import locations
from kdgat.tracking.journal import write_whole


def fingerprint(dataset: str, folder: Path) -> dict[str, Any]:
    """Hash a dataset's files: names and contents, whatever their dates and place.

    A file that has kept its size and date since it was last read is not read again.

    Args:
        dataset: its name.
        folder: its folder.

    Returns:
        sha256 (None where the folder is missing), files, bytes.
    """
    if not folder.is_dir():
        return {"sha256": None, "files": 0, "bytes": 0}
    place = Path(locations.run_records()).parent / "fingerprints" / f"{dataset}.json"
    known = json.loads(place.read_text()) if place.is_file() else {}
    now = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        seen = path.stat()
        key, stamp = str(path), [seen.st_size, seen.st_mtime_ns]
        was = known.get(key)
        now[key] = was if was and was[:2] == stamp else [*stamp, _hash(path)]
    if now != known:
        write_whole(place, now)
    whole = hashlib.sha256()
    for key, (_, _, content) in now.items():
        whole.update(f"{Path(key).relative_to(folder)} {content}\n".encode())
    return {
        "sha256": whole.hexdigest(),
        "files": len(now),
        "bytes": sum(size for size, _, _ in now.values()),
    }


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
