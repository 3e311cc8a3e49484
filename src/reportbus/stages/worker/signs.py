"""What a worker hears of while it works: its lease, due tasks, the wish to stop."""

from __future__ import annotations

import logging
from threading import Thread
from typing import TYPE_CHECKING, Final, Protocol

from reportbus.core.errors import ReportbusError

if TYPE_CHECKING:
    from threading import Event

    from reportbus.ports import Clock, WorkLedger
    from reportbus.stages.worker.absence import Absence
    from reportbus.stages.worker.terms import Hold, Rhythm

_log: Final = logging.getLogger(__name__)

_LISTEN_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.5


class Signal(Protocol):
    """What wakes the worker."""

    def __call__(self, *, lost: bool = False) -> None:
        """Something has come, or the lease is lost."""


class Signs:
    """Threads that renew the lease, listen for due tasks, and hear of a stop."""

    def __init__(
        self,
        ledger: WorkLedger,
        grip: Hold,
        clock: Clock,
        rhythm: Rhythm,
        absence: Absence,
        signal: Signal,
    ) -> None:
        self._ledger = ledger
        self._grip = grip
        self._clock = clock
        self._rhythm = rhythm
        self._absence = absence
        self._signal = signal

    def watch(self, stop: Event, over: Event) -> None:
        """Begin; until `over` is set."""
        Thread(target=self._beat, args=(over,), daemon=True).start()
        Thread(target=self._listen, args=(over,), daemon=True).start()
        Thread(target=self._hear, args=(stop, over), daemon=True).start()

    def _beat(self, over: Event) -> None:
        """Renew the lease.

        Hear which tasks shall stop. A lease that cannot be renewed is let go before it lapses.
        """
        held = self._clock.monotonic()
        while not over.wait(self._rhythm.heartbeat):
            asked = self._clock.monotonic()
            try:
                pulse = self._ledger.renew()
            except Exception as error:  # noqa: BLE001 - without a heartbeat the worker would idle for ever
                self._tell(error)
                if asked - held < self._rhythm.lease:
                    continue
                pulse = None
            if pulse is None or not pulse.alive:
                if over.is_set():  # it was retired meanwhile
                    return
                _log.warning("worker %s has lost its lease: its jobs go to others", self._ledger.name)
                self._grip.let_go()
                self._signal(lost=True)
                return
            held = asked
            self._grip.renewed(asked + self._rhythm.lease, pulse.stop)

    def _tell(self, error: Exception) -> None:
        if isinstance(error, ReportbusError):
            self._absence.away(error)
        else:
            _log.error("the lease is not renewed", exc_info=error)

    def _listen(self, over: Event) -> None:
        while not over.is_set():
            try:
                rung = self._ledger.wait(_LISTEN_SECONDS)
            except ReportbusError:
                over.wait(_PAUSE_SECONDS)
                continue
            if rung:
                self._signal()

    def _hear(self, stop: Event, over: Event) -> None:
        while not over.is_set():
            if stop.wait(_LISTEN_SECONDS):
                self._signal()
                return
