"""A thread that brings a run's journal to the store while the run goes on."""

import logging
import threading
from pathlib import Path

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from kdgat import locations
from kdgat.tracking.delivery import deliver, deliver_others

LOGGER = logging.getLogger(__name__)
STORE_TROUBLE = (MlflowException, SQLAlchemyError, OSError)
INTERVAL_SECONDS = 2.0
LONGEST_INTERVAL_SECONDS = 60.0  # between two tries, while the store is away


class Courier(threading.Thread):
    """Delivers one journal every few seconds, and once what dead runs left behind.

    It never ends because the store is away: it says so once, and tries again.

    Args:
        path: the run's journal.
    """

    def __init__(self, path: Path):
        super().__init__(name="kdgat courier", daemon=True)
        self.path = path
        self.run_id: str | None = None
        self._first_try = threading.Event()
        self._wanted_end = threading.Event()
        self._is_away = False

    def start_and_wait(self, seconds: float) -> None:
        """Start, and wait a while for the run's id.

        Args:
            seconds: the longest wait.
        """
        self.start()
        self._first_try.wait(seconds)

    def finish(self, seconds: float) -> None:
        """Deliver the rest and stop; the log says where the store does not have everything.

        Args:
            seconds: the longest wait.
        """
        self._wanted_end.set()
        self.join(seconds)
        if self.path.exists():
            LOGGER.warning(
                "%s does not have all of this run yet: the rest waits in %s; "
                "`kedro tracking deliver` or the next run brings it in",
                locations.tracking_uri(),
                self.path,
            )

    def run(self) -> None:
        """Deliver until told to stop, and then once more."""
        interval = INTERVAL_SECONDS
        looked_for_others = False
        while True:
            is_last = self._wanted_end.is_set()
            if self._try():
                interval = INTERVAL_SECONDS
                if not looked_for_others:
                    looked_for_others = True
                    self._bring_in_others()
            else:
                interval = min(2 * interval, LONGEST_INTERVAL_SECONDS)
            self._first_try.set()
            if is_last:
                return
            self._wanted_end.wait(interval)

    def _try(self) -> bool:
        try:
            self.run_id = deliver(self.path)
        except STORE_TROUBLE as error:
            if not self._is_away:
                LOGGER.warning(
                    "the tracking store does not answer (%s): the run goes on, its records wait",
                    " ".join(str(error).split())[:300],
                )
            self._is_away = True
        else:
            self._is_away = False
        return not self._is_away

    def _bring_in_others(self) -> None:
        try:
            for version in deliver_others(self.path):
                LOGGER.info("brought run %s into the tracking store", version)
        except STORE_TROUBLE as error:
            LOGGER.warning("runs left behind stay so for now: %s", " ".join(str(error).split()))
