"""PostgreSQL's LISTEN, so that workers of every process hear at once that there is work."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import psycopg

from reportbus.adapters.ledger.database import REPLY_SECONDS
from reportbus.adapters.ledger.dialects import CHANNEL
from reportbus.adapters.ledger.session import Session, network

if TYPE_CHECKING:
    from reportbus.adapters.ledger.database import Database


class Listen:
    """A doorbell on a connection of its own; one thread waits at a time.

    A connection that is lost is made anew by the next call; meanwhile `wait` only waits.
    """

    def __init__(self, database: Database) -> None:
        url = database.url.set(drivername="postgresql")
        self._place = (url.render_as_string(hide_password=False),)
        self._options = {"autocommit": True, **network(url.query)}
        self._connection: Session | None = None
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

    def _listening(self) -> Session:
        if self._connection is None:
            self._connection = Session.opened(
                self._place, self._options, reply_seconds=REPLY_SECONDS, settings={}
            )
            self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
