"""The line with all its roles in this process."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from reportbus.wiring import line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.wiring.parts import Parts

_MARGIN_SECONDS: Final = 5.0
"""After the grace, what is left of a stop takes no longer."""


class Running:
    """A line that works beside whoever watches it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stop = Event()
        self._thread = Thread(target=self._run, name="reportbus-demo", daemon=True)

    @property
    def runs(self) -> bool:
        """Whether it still does: it ends by itself only where a role died."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End: what is in hand is finished, or handed back within the grace."""
        self._stop.set()
        self._thread.join(self._parts.settings.stop.grace_seconds + _MARGIN_SECONDS)

    def _run(self) -> None:
        line.run(self._parts, line.ROLES, self._stop)


@contextmanager
def running(parts: Parts) -> Iterator[Running]:
    """The line, at work until the block is left."""
    found = Running(parts)
    found.start()
    try:
        yield found
    finally:
        found.end()
