"""Telling the log that the ledger is away, without filling it."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reportbus.core.errors import ReportbusError
    from reportbus.ports import Clock

_log: Final = logging.getLogger(__name__)

_FIRST_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 300.0


class Absence:
    """Says that the ledger is away: at once, then less and less often, and once when it is back.

    For several threads.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._since: float | None = None
        self._due = 0.0
        self._pause = _FIRST_SECONDS

    def away(self, error: ReportbusError) -> None:
        """It does not answer, for this reason."""
        with self._lock:
            now = self._clock.monotonic()
            if self._since is None:
                self._since, self._pause = now, _FIRST_SECONDS
            elif now < self._due:
                return
            self._due = now + self._pause
            self._pause = min(2 * self._pause, _LONGEST_SECONDS)
            seconds = now - self._since
        _log.warning("the ledger does not answer, for %.0f s by now: %s", seconds, error.text)

    def back(self) -> None:
        """It has answered."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            _log.info("the ledger answers again, after %.0f s", self._clock.monotonic() - since)
