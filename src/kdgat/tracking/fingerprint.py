"""The identity of a dataset: one hash over all its files, and one of its declaration."""

import hashlib
import json
from pathlib import Path
from typing import Any

from kdgat import locations
from kdgat.tracking.journal import write_whole


def fingerprint(dataset: str) -> dict[str, Any]:
    """Hash a dataset's files, names and contents, whatever their dates and place; its declaration.

    A file that has kept its size and date since it was last read is not read again.

    Args:
        dataset: its name.

    Returns:
        name, sha256 (None where the folder is missing), files, bytes, declaration (SHA-256, None
        where there is none).
    """
    declared = locations.declarations(locations.declaration_folders()).get(dataset)
    return {
        "name": dataset,
        **_of_files(dataset, Path(locations.raw_folder(dataset))),
        "declaration": _hash(declared) if declared else None,
    }


def _of_files(dataset: str, folder: Path) -> dict[str, Any]:
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
