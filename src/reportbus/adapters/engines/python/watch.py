"""The end of an attempt, seen to from outside: a query that runs past it is interrupted.

A database call does not look at clocks. So a thread does, for as long as the attempt takes, and breaks into
whatever runs at that moment. It goes on doing so until the attempt gives up, since an interrupt that comes
just before the call it is meant for is lost.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self

from reportbus.core.errors import Permanent, ReportbusError, Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from reportbus.ports import Work

_LOOK: Final = 0.2  # seconds between two looks
_AGAIN: Final = 0.05  # seconds between two interrupts


class Watch:
    """Watches one attempt while its `with` block runs. The block's thread calls everything else."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._interrupt: Callable[[], None] | None = None
        self._reason: ReportbusError | None = None
        self._thread = threading.Thread(target=self._run, name="export-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @contextmanager
    def guarding(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """While the block runs, `interrupt` is what breaks into it; it is never called afterwards."""
        self.check()
        with self._lock:
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None

    def check(self) -> None:
        """Raise Transient ConnectionTimeout past the deadline, Permanent RUN_CANCELLED once cancelled."""
        reason = self._reason or self._look()
        if reason is not None:
            raise reason

    def _run(self) -> None:
        while not self._over.wait(self._pause()):
            self._reason = self._reason or self._look()
            with self._lock:
                if self._reason is not None and self._interrupt is not None:
                    self._interrupt()

    def _pause(self) -> float:
        return _AGAIN if self._reason else min(_LOOK, self._work.deadline.remaining() + 0.001)

    def _look(self) -> ReportbusError | None:
        if self._work.deadline.passed():
            return Transient(
                "ConnectionTimeout", "the report was not ready by its deadline; its query was ended"
            )
        if self._work.cancelled():
            return Permanent("RUN_CANCELLED", "the request was cancelled; its query was ended")
        return None
