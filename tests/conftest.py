"""Fixtures that several folders share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_captures() -> Path:
    """Raw root with real captures; skips, visibly, where there are none."""
    folder = Path(os.environ.get("KDGAT_REAL_CAPTURES", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real captures at {folder}: set KDGAT_REAL_CAPTURES to their raw root")
    return folder
