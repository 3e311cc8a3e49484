"""What runs the pumps: one step after the other, until told to stop."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import ReportbusError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

_log: Final = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0


class Pump:
    """Runs `step` again and again; it says how much it moved, in items.

    After a step that moved less than `full`, `wait` waits for a sign of more or for its own time to pass. A
    step or wait that fails is logged and the next step comes later, twice as late each time up to half a
    minute: what was not moved stands where it stood, so the next step finds it.
    """

    def __init__(
        self, name: str, step: Callable[[], int], wait: Callable[[Event], object], *, full: int = 1
    ) -> None:
        self.name = name
        self._step = step
        self._wait = wait
        self._full = full

    def run(self, stop: Event) -> None:
        """Pump until `stop` is set; returns after the step under way."""
        pause = _FIRST_PAUSE
        while not stop.is_set():
            try:
                if self._step() < self._full:
                    self._wait(stop)
            except ReportbusError as error:
                _log.warning("%s: %s; next step in %.1f s", self.name, error, pause)
                stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE


def every(seconds: float) -> Callable[[Event], object]:
    """A wait of so many seconds, cut short by the stop."""
    return lambda stop: stop.wait(seconds)


def no_wait(stop: Event) -> None:
    """For steps that wait by themselves."""
