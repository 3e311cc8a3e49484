"""The line with all its roles in this process."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from reportbus.entry.cli.context import Failure
from reportbus.entry.demo.home import shown
from reportbus.wiring import line
from reportbus.wiring.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportbus.wiring.parts import Parts

_MARGIN_SECONDS: Final = 5.0
"""After the grace, what is left of a stop takes no longer."""


class Running:
    """A line that works beside whoever watches it."""

    def __init__(self, parts: Parts, log: Path) -> None:
        self._parts = parts
        self._log = log
        self._stop = Event()
        self._thread = Thread(target=self._run, name="reportbus-demo", daemon=True)

    def check(self) -> None:
        """End the command where the line has ended by itself, as it does when a role dies."""
        if not self._thread.is_alive():
            raise Failure([f"the line has stopped by itself; {shown(self._log)} says why"])

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End: what is in hand is finished, or handed back within the grace."""
        self._stop.set()
        self._thread.join(self._parts.settings.stop.grace_seconds + _MARGIN_SECONDS)

    def _run(self) -> None:
        line.run(line.loops(self._parts, ROLES), self._stop)


@contextmanager
def running(parts: Parts, log: Path) -> Iterator[Running]:
    """The line, at work until the block is left; its log is written to `log` by others."""
    found = Running(parts, log)
    found.start()
    try:
        yield found
    finally:
        found.end()
