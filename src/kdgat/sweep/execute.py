"""Running what is missing of a plan on this machine, n runs at a time."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from kdgat import locations
from kdgat.sweep.status import EXIT_LINE, State, Status, assess, failure_of, lock_of, log_file
from kdgat.sweep.work import Work

# These name one run: a run started from within another must not take them for its own.
RUN_IDENTITY = ("KDGAT_RUN_KEY", "KDGAT_COMPLETION_MARKER")
TERMINATED = 143  # 128 + SIGTERM
GRACE = 30.0  # s between asking a run to end and ending it


class Executor:
    """Runs works, each as a `kedro run` of its own, as soon as what it builds on is done.

    A work that fails stops only what builds on it.

    Args:
        at_a_time: runs side by side.
        say: takes a line whenever a run begins or ends.
    """

    def __init__(self, *, at_a_time: int, say: Callable[[str], None]):
        self._at_a_time = at_a_time
        self._say = say
        self._processes: dict[Work, subprocess.Popen] = {}
        self._stopping = False
        self._starting = threading.Lock()

    def run(self, works: Iterable[Work]) -> dict[Work, Status]:
        """Run what is missing or failed among some works.

        Args:
            works: of one plan.

        Returns:
            Work -> where it stands afterwards.
        """
        works = list(dict.fromkeys(works))
        statuses = assess(works)
        waiting = [w for w in works if statuses[w].state in (State.MISSING, State.FAILED)]
        running: dict[Future, Work] = {}
        with ThreadPoolExecutor(self._at_a_time) as pool:
            try:
                while waiting or running:
                    ready = [w for w in waiting if _is_ready(w, statuses)]
                    for work in ready[: self._at_a_time - len(running)]:
                        waiting.remove(work)
                        running[pool.submit(self._run_one, work, statuses)] = work
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        statuses[running.pop(future)] = future.result()
            finally:
                self._stop()
        return {**assess(works), **{w: s for w, s in statuses.items() if s.state == State.FAILED}}

    def _run_one(self, work: Work, statuses: dict[Work, Status]) -> Status:
        with lock_of(work):
            status = _stands(work, locked=True)
            if status.state == State.DONE:  # another sweep was here first
                return status
            self._say(f"begin   {work.cell.name}")
            begin = time.monotonic()
            code = self._call(work, statuses)
        status = _stands(work)
        if code == 0 and status.state != State.DONE:
            reason = f"it ended well and left no complete run: see {log_file(work)}"
            status = Status(State.FAILED, reason=reason)
        elif code and status.state != State.FAILED:
            status = Status(State.FAILED, reason=failure_of(log_file(work)))
        why = f": {status.reason}" if status.reason else ""
        self._say(f"{status.state:<7} {work.cell.name}  {time.monotonic() - begin:.0f} s{why}")
        return status

    def _call(self, work: Work, statuses: dict[Work, Status]) -> int:
        pinned = {name: statuses[maker].version for name, maker in work.inputs}
        command = [sys.executable, "-m", "kdgat", *work.cell.arguments(pinned)]
        environment = {k: v for k, v in os.environ.items() if k not in RUN_IDENTITY}
        with log_file(work).open("w") as log:
            with self._starting:  # no run starts once the sweep has been told to end
                if self._stopping:
                    return TERMINATED
                process = subprocess.Popen(
                    command,
                    cwd=locations.PROJECT,
                    env=environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                )
                self._processes[work] = process
            code = process.wait()
            del self._processes[work]
            if code:
                log.write(f"\n{EXIT_LINE}{code}\n")
        return code

    def _stop(self) -> None:
        """End what still runs: only when this process is told to end before its work is done."""
        with self._starting:
            self._stopping = True
            processes = list(self._processes.values())
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                process.kill()


def _is_ready(work: Work, statuses: dict[Work, Status]) -> bool:
    return all(statuses[maker].state == State.DONE for maker in work.before)


def _stands(work: Work, locked: bool = False) -> Status:
    everything = [work]
    for one in everything:
        everything += one.before
    return assess(everything, held=work if locked else None)[work]
