"""A signal ends a run, wherever it finds it."""

import os
import signal

import pytest

from kdgat.signals import end_if_received, listening


def run(*nodes) -> list[str]:
    """Run nodes as a pipeline does, each after a look at the signals; return those that ended."""
    ended = []

    def pipeline() -> None:
        with listening():
            for node in nodes:
                end_if_received()
                node()
                ended.append(node.__name__)

    with pytest.raises(SystemExit, match="143"):
        pipeline()
    return ended


def signalled() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def signalled_in_a_destructor() -> None:
    class Short:
        def __del__(self):
            signalled()

    Short()


def quiet() -> None:
    pass


def test_a_signal_ends_the_node_that_it_finds():
    assert run(quiet, signalled, quiet) == ["quiet"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_that_a_destructor_has_swallowed_ends_the_run_before_the_next_node():
    assert run(signalled_in_a_destructor, quiet) == ["signalled_in_a_destructor"]


def test_without_a_signal_nothing_ends():
    with listening():
        end_if_received()
    end_if_received()
