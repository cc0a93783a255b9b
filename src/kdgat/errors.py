"""Errors meant for the person at the terminal: one sentence each, no traceback."""


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
    return " ".join(str(error).split()) or type(error).__name__
