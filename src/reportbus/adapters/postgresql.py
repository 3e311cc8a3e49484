"""Sessions with PostgreSQL that wait for nothing for ever."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg.abc import RV, PQGen

_LOOK_SECONDS: Final = 0.1
_CANCEL_SECONDS: Final = 5.0
"""How long the server may take to hear that a query shall end, and as long to end it."""

_NETWORK: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class Session(psycopg.Connection[Any]):
    """A connection that is given up where a statement is not answered within `reply_seconds`, if it has them.

    The system finds out by itself that a host is gone, but not that a server, or what stands between, takes
    what is sent and never answers. Whether the statement was done is not known then.
    """

    reply_seconds: float | None = None

    @classmethod
    def opened(
        cls,
        place: Sequence[Any],
        options: Mapping[str, Any],
        *,
        reply_seconds: float | None,
        settings: Mapping[str, int],
    ) -> Self:
        """A connection made with psycopg's arguments and options, with these settings of the server's."""
        session = cls.connect(*place, **{**options, "autocommit": True})
        session.reply_seconds = reply_seconds
        try:
            for name, value in settings.items():
                session.execute("SELECT set_config(%s, %s, false)", (name, str(value)))
            session.set_autocommit(bool(options.get("autocommit")))
        except BaseException:
            session.close()
            raise
        return session

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """Within the block replies may take as long as they like: somebody else sees to their end."""
        limit, self.reply_seconds = self.reply_seconds, None
        try:
            yield
        finally:
            self.reply_seconds = limit

    def wait(self, gen: PQGen[RV], interval: float = _LOOK_SECONDS, timeout: float | None = None) -> RV:
        """See psycopg; each reply is waited for here."""
        if timeout is not None:  # for notifications, in a thread that no signal interrupts: one long look
            return super().wait(gen, timeout, timeout)
        try:
            return super().wait(gen, interval, self.reply_seconds)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()
            text = f"the server has not answered within {self.reply_seconds:.0f} seconds"
            raise psycopg.OperationalError(text) from None


class Interrupt:
    """Breaks into what a session is doing, as often as it is called, from another thread.

    The server is asked to end it. Where it cannot be asked, or does not end it, the session's socket is shut
    down: over a network that swallows what is sent the session would wait for ever.
    """

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session = session
        self._first: float | None = None

    def __call__(self) -> None:
        """Break in; up to 5 seconds."""
        if self._first is None:
            self._first = time.monotonic()
        try:
            self._session.cancel_safe(timeout=_CANCEL_SECONDS)
        except psycopg.Error:
            _shut_down(self._session)
        else:
            if time.monotonic() - self._first > _CANCEL_SECONDS:
                _shut_down(self._session)


def _shut_down(session: psycopg.Connection[Any]) -> None:
    with (
        suppress(OSError, psycopg.Error),  # gone already
        socket.socket(fileno=os.dup(session.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


def network(given: Mapping[str, object]) -> dict[str, int]:
    """How soon a server that is cut off is noticed: within half a minute, but for what is `given` already."""
    return {name: value for name, value in _NETWORK.items() if name not in given}
