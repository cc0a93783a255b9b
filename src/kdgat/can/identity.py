"""What a graph store was made from, as one number: an unchanged store is not built again."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

CAN = Path(__file__).resolve().parent


def store_identity(captures: Iterable[tuple[str, ...]], configuration: dict) -> str:
    """Return the identity of the stores that captures become: 64 hexadecimal digits.

    It covers everything that a store depends on, and nothing else: neither file names on disk nor
    formats nor times.

    Args:
        captures: For each capture, in the order of the store, its name, the hash of its frames
            and whatever else of it enters.
        configuration: The parameters that enter; JSON.
    """
    content = {
        "captures": list(captures),
        "configuration": configuration,
        "code": code_version(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def code_version() -> str:
    """Return the hash of every source file of `kdgat.can`, which turns captures into graphs."""
    return version_of(sorted(CAN.rglob("*.py")))


def version_of(files: Iterable[Path]) -> str:
    """Return the hash of the names and the text of source files below `kdgat/can`."""
    digest = hashlib.sha256()
    for path in files:
        text = path.read_bytes()
        name = path.relative_to(CAN).as_posix() if path.is_relative_to(CAN) else path.name
        digest.update(f"{name} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()
