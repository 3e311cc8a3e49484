"""Ctrl-C: a wish that is looked at between two steps, so that no step is ever left half done."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reportbus.entry.stop_signals import NUMBERS, StopSignals

if TYPE_CHECKING:
    from collections.abc import Iterator


class Interrupted(Exception):
    """Somebody wants the demo to end."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Stop(StopSignals):
    """Whether somebody wants the demo to end."""

    def check(self) -> None:
        """Raise Interrupted where the end was wished for."""
        if self.number:
            raise Interrupted(self.exit_code)

    def wait(self, seconds: float) -> None:
        """Wait so long. Raises Interrupted where the end is wished for meanwhile."""
        self.asked.wait(seconds)
        self.check()


@contextmanager
def interruptible() -> Iterator[Stop]:
    """The wish as Ctrl-C and SIGTERM utter it, which otherwise do nothing any more."""
    stop = Stop()
    before = [signal.signal(number, stop.hear) for number in NUMBERS]
    try:
        yield stop
    finally:
        for number, handler in zip(NUMBERS, before, strict=True):
            signal.signal(number, handler)
