"""SIGTERM and Ctrl-C as a wish to stop that any thread may wait for."""

from __future__ import annotations

import os
import signal
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)

_BY_SIGNAL: Final = 128


class StopSignals:
    """The wish to stop; a second signal ends the process where it stands.

    `asked` is set by the first signal, and by whoever else wishes for the end. `number` is the signal's, from
    the moment it is heard, and 0 before.
    """

    def __init__(self) -> None:
        self.asked = Event()
        self.number = 0
        self._numbers: SimpleQueue[int] = SimpleQueue()
        Thread(target=self._pass_on, daemon=True).start()

    @property
    def exit_code(self) -> int:
        """How a process ends that a signal has ended, as shells tell it."""
        return _BY_SIGNAL + self.number

    def hear(self, number: int, _frame: FrameType | None = None) -> None:
        """Handle a signal.

        It comes between any two steps of the main thread, also within `asked.wait`, which holds the lock that
        `asked.set` takes: so another thread sets it, and only what needs no lock is done here.
        """
        if self.number:
            os._exit(self.exit_code)
        self.number = number
        self._numbers.put(number)

    def _pass_on(self) -> None:
        self._numbers.get()
        self.asked.set()
