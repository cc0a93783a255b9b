"""Code and configuration as they are at submission, in a folder of their own."""

import filecmp
import os
import shutil
import subprocess
from pathlib import Path

from kdgat.errors import KdgatError

IGNORED_BUT_NEEDED = "conf/local"
COMPILED = "src/**/__pycache__/*.nb[ic]"
"""What numba has compiled; it takes it for a source of the same time and size."""


def take_snapshot(project: Path, folder: Path) -> None:
    """Copy a checkout: its commit, what was changed or added since, and `conf/local`.

    The copy is a git repository at the same commit, so that `git describe` and `git diff` say
    there what they say in the checkout. Ignored files, data among them, stay behind, but for what
    numba has compiled: jobs need not compile it again.

    Args:
        project: the checkout.
        folder: of the copy; must not exist, and is there whole or not at all.

    Raises:
        KdgatError: `project` is no git checkout with a commit, or cannot be read.
    """
    source = project.resolve()
    if Path(_git(source, "rev-parse", "--show-toplevel").strip()).resolve() != source:
        raise KdgatError(f"{source} is not the top of a git checkout: nothing to snapshot")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    _fill(source, partial)
    partial.rename(folder)


def _fill(source: Path, folder: Path) -> None:
    _git(folder.parent, "clone", "--quiet", "--depth=1", f"file://{source}", str(folder))
    changed = _git(source, "diff", "--name-only", "--no-renames", "-z", "HEAD")
    added = _git(source, "ls-files", "--others", "--exclude-standard", "-z")
    for name in filter(None, (changed + added).split("\0")):
        _copy(source / name, folder / name)
    local = source / IGNORED_BUT_NEEDED
    if local.is_dir():
        shutil.copytree(local, folder / IGNORED_BUT_NEEDED, dirs_exist_ok=True)
    for path in source.glob(COMPILED):
        _copy(path, folder / path.relative_to(source))
    for path in folder.glob("src/**/*.py"):
        original = source / path.relative_to(folder)
        if original.is_file() and filecmp.cmp(original, path, shallow=False):
            shutil.copystat(original, path)


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    if source.is_symlink() or source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def _git(folder: Path, *arguments: str) -> str:
    # Inside a git hook these variables would lead git to another repository.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    answer = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        reason = " ".join(answer.stderr.split())
        raise KdgatError(f"git {arguments[0]} in {folder} failed: {reason}")
    return answer.stdout
