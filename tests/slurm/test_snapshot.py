"""A snapshot holds the commit, the changes, `conf/local`, and nothing ignored."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kdgat.errors import KdgatError
from kdgat.slurm.snapshot import take_snapshot
from kdgat.slurm.submission import Settings, Submission
from kdgat.sweep.plan import Plan


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.check_output(["git", *identity, *arguments], cwd=folder, text=True).strip()


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "a project"
    (folder / "conf" / "local").mkdir(parents=True)
    for name in ("kept", "changed", "removed"):
        (folder / name).write_text("old")
    (folder / ".gitignore").write_text("data\nconf/local/*\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "x")
    return folder


def test_snapshot_is_the_working_tree_at_its_commit(repository, tmp_path):
    (repository / "changed").write_text("new")
    (repository / "removed").unlink()
    (repository / "added ü").write_text("new")
    (repository / "data").write_text("large")
    (repository / "conf" / "local" / "globals.yml").write_text("seed: 5")
    copy = tmp_path / "snapshots" / "1"
    take_snapshot(repository, copy)
    (repository / "kept").write_text("later")

    files = sorted(str(p.relative_to(copy)) for p in copy.rglob("*") if p.is_file())
    files = [name for name in files if not name.startswith(".git/")]
    assert files == [".gitignore", "added ü", "changed", "conf/local/globals.yml", "kept"]
    assert (copy / "changed").read_text() == "new"
    assert (copy / "kept").read_text() == "old"
    describe = ("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    assert git(copy, *describe) == git(repository, "rev-parse", "--short=12", "HEAD") + "-dirty"
    assert "-old" in git(copy, "diff")


def test_a_snapshot_that_cannot_be_finished_is_none(repository, tmp_path):
    copy = tmp_path / "snapshots" / "2"
    os.mkfifo(repository / "conf" / "local" / "pipe")
    with pytest.raises(OSError, match="named pipe"):
        take_snapshot(repository, copy)
    assert not copy.exists()
    submission = Submission(tmp_path, Plan.model_construct(), Settings({}, None, None))
    assert submission.snapshot.name == "1"
    (repository / "conf" / "local" / "pipe").unlink()
    take_snapshot(repository, copy)
    assert [path.name for path in copy.parent.iterdir()] == ["2"]
    assert submission.snapshot == copy


KERNEL = """
from numba import njit

@njit(cache=True)
def double(x):
    return 2 * x

print(double(4), sum(double.stats.cache_hits.values()))
"""


def compiled_before(checkout: Path) -> str:
    """Run a kernel; give its result, and how often it was there already."""
    script = checkout / "src" / "kernel.py"
    return subprocess.check_output([sys.executable, script], text=True).strip()


def test_compiled_kernels_are_taken_along_and_old_ones_are_not_used(repository, tmp_path):
    script = repository / "src" / "kernel.py"
    script.parent.mkdir()
    script.write_text(KERNEL)
    (repository / ".gitignore").write_text("__pycache__")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "kernel")
    os.utime(script, (1e9, 1e9))
    assert compiled_before(repository) == "8 0"
    take_snapshot(repository, tmp_path / "same")
    assert compiled_before(tmp_path / "same") == "8 1"

    script.write_text(KERNEL.replace("2 * x", "3 * x"))
    take_snapshot(repository, tmp_path / "changed")
    assert compiled_before(tmp_path / "changed") == "12 0"


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(KdgatError, match="git rev-parse"):
        take_snapshot(tmp_path, tmp_path / "copy")
