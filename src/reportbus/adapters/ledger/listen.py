"""PostgreSQL's LISTEN, so that workers of every process hear at once that there is work."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Final

import psycopg

from reportbus.adapters.ledger.dialects import CHANNEL

if TYPE_CHECKING:
    from reportbus.adapters.ledger.database import Database

CONNECT_SECONDS: Final = 10


class Listen:
    """A doorbell on a connection of its own; one thread waits at a time.

    A connection that is lost is made anew by the next call; meanwhile `wait` only waits.
    """

    def __init__(self, database: Database) -> None:
        url = database.url.set(drivername="postgresql")
        self._conninfo = url.render_as_string(hide_password=False)
        self._connection: psycopg.Connection | None = None
        self._closed = Event()

    def ring(self) -> None:
        """The transaction's NOTIFY has rung already, in this process too."""

    def wait(self, timeout: float) -> bool:
        if self._closed.is_set():
            return False
        try:
            for _ in self._listening().notifies(timeout=timeout, stop_after=1):
                return True
        except psycopg.Error:
            self._drop()
            self._closed.wait(timeout)
        return False

    def close(self) -> None:
        self._closed.set()
        self._drop()

    def _listening(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS
            )
            self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
