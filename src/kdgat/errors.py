"""Errors meant for the person at the terminal: one sentence each, no traceback."""

import errno
from typing import TypeGuard

DISK_TROUBLE = {
    *(errno.ENOSPC, errno.EDQUOT),  # full, over quota
    *(errno.EROFS, errno.EACCES, errno.EPERM),  # read-only, somebody else's
    *(errno.ENOTDIR, errno.EIO, errno.ESTALE),  # a file where a folder should be, broken, gone
}
"""What a disk answers that will not take or give something."""


class KdgatError(Exception):
    """What went wrong, where, what was found and what is allowed, in one sentence."""


class DataError(KdgatError):
    """A capture, a dataset folder or a stored file cannot be used."""


class ParameterError(KdgatError):
    """A parameter is unknown, has the wrong type or lies out of range."""


class MissingInputError(KdgatError):
    """A pipeline needs something that no earlier run has left."""


def sentence_of(error: BaseException) -> str:
    """Say in one line what went wrong; what a library wrapped says it best."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KdgatError):
            return str(cause)
        cause = cause.__cause__
    if is_disk_trouble(error):
        return f"{error.filename or 'the disk'}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def is_disk_trouble(error: BaseException) -> TypeGuard[OSError]:
    """Say whether the disk would not take or give something: no fault of the code."""
    return isinstance(error, OSError) and error.errno in DISK_TROUBLE
