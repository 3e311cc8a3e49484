"""Ctrl-C: a wish that is looked at between two steps, so that no step is ever left half done."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_BY_SIGNAL: Final = 128


class Interrupted(Exception):
    """Somebody wants the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = _BY_SIGNAL + number


class Stop:
    """Whether somebody wants the demo to end, by the number of the signal."""

    def __init__(self) -> None:
        self._asked = Event()
        self._number = 0

    def ask(self, number: int) -> None:
        """Wish for the end; a second wish ends the process where it stands."""
        if self._asked.is_set():
            os._exit(_BY_SIGNAL + number)
        self._number = number
        self._asked.set()

    def check(self) -> None:
        """Raise Interrupted where the end was wished for."""
        if self._asked.is_set():
            raise Interrupted(self._number)

    def wait(self, seconds: float) -> None:
        """Wait so long. Raises Interrupted where the end is wished for meanwhile."""
        self._asked.wait(seconds)
        self.check()


@contextmanager
def interruptible() -> Iterator[Stop]:
    """The wish as Ctrl-C and SIGTERM utter it, which otherwise do nothing any more."""
    stop = Stop()

    def hear(number: int, _frame: FrameType | None) -> None:
        stop.ask(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, hear) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
