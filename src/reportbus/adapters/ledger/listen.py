"""PostgreSQL's LISTEN, so that workers of every process hear at once that there is work."""

from __future__ import annotations

import select
from threading import Lock
from typing import TYPE_CHECKING, Final

import psycopg

from reportbus.adapters.bell import Bell
from reportbus.adapters.ledger.database import REPLY_SECONDS
from reportbus.adapters.ledger.dialects import CHANNEL
from reportbus.adapters.postgresql import Session, network

if TYPE_CHECKING:
    from reportbus.adapters.ledger.database import Database

_CLOSING_SECONDS: Final = 1.0


class Listen:
    """A doorbell on a connection of its own; one thread waits at a time.

    A connection that is lost is made anew by the next call; meanwhile `wait` waits for rings in this process.
    """

    def __init__(self, database: Database) -> None:
        url = database.url.set(drivername="postgresql")
        self._place = (url.render_as_string(hide_password=False),)
        self._options = {"autocommit": True, **network(url.query)}
        self._connection: Session | None = None
        self._waiting = Lock()
        self._bell = Bell()
        self._closed = False

    def ring(self) -> None:
        self._bell.ring()

    def wait(self, timeout: float) -> bool:
        if not self._waiting.acquire(timeout=timeout):
            return False
        try:
            return not self._closed and self._rung(timeout) and not self._closed
        finally:
            if self._closed:
                self._let_go()
            self._waiting.release()

    def close(self) -> None:
        self._closed = True
        self._bell.ring()
        if self._waiting.acquire(timeout=_CLOSING_SECONDS):  # else whoever is just connecting lets go
            self._let_go()
            self._waiting.release()

    def _rung(self, timeout: float) -> bool:
        try:
            connection = self._listening()
            _readable(timeout, self._bell, connection)
            told = bool(list(connection.notifies(timeout=0)))
        except psycopg.Error:
            self._drop()
            _readable(timeout, self._bell)
            told = False
        return self._bell.heard() or told

    def _listening(self) -> Session:
        if self._connection is None:
            self._connection = Session.opened(
                self._place, self._options, reply_seconds=REPLY_SECONDS, settings={}
            )
            self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection

    def _let_go(self) -> None:
        self._drop()
        self._bell.close()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _readable(timeout: float, *handles: Bell | Session) -> None:
    """Wait until one of the handles can be read, up to `timeout` seconds."""
    waiting = select.poll()
    for handle in handles:
        waiting.register(handle.fileno(), select.POLLIN)
    waiting.poll(timeout * 1000)
