"""Signals that end a run: the run says so, then the process exits with 128 + the signal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)  # USR1: the time limit of a job is near


class Received:
    """The signal that has ended a run, if one has."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def take(self, number: int, frame: FrameType | None) -> None:
        """Unwind the program, whatever it is doing."""
        self.signal = signal.Signals(number)
        raise SystemExit(128 + number)


_listeners: list[Received] = []


def end_if_received() -> None:
    """End a run whose signal was lost: Python lets no exit out of a destructor or a callback.

    Raises:
        SystemExit: 128 + the signal, if one has been received.
    """
    for received in _listeners:
        if received.signal is not None:
            raise SystemExit(128 + received.signal)


@contextmanager
def listening() -> Iterator[Received]:
    """Turn the signals that end a run into an exit that unwinds it.

    Lightning may turn that exit into another one, so the signal is kept. Outside the main
    thread, where Python knows no handlers, signals do what they always do.

    Yields:
        What has been received.

    Raises:
        SystemExit: 128 + the signal, if one ended the block.
    """
    received = Received()
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.signal(number, received.take) for number in ENDING}
    _listeners.append(received)
    try:
        yield received
    finally:
        _listeners.remove(received)
        for number, handler in before.items():
            signal.signal(number, handler)
        if received.signal is not None:
            raise SystemExit(128 + received.signal)
