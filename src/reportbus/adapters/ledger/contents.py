"""What requests ask for, kept in memory while they are under way, since it never changes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from reportbus.adapters.ledger import tables
from reportbus.core.codec import request_from_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.dialects import Dialect
    from reportbus.core.model import Request

KEPT: Final = 10_000
"""At most this many requests are kept in memory."""


class Contents:
    """Requests by their key: from memory, else from the database in one statement for all."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._kept: OrderedDict[int, Request] = OrderedDict()
        self._lock = Lock()
        self._load = select(tables.contents.c.request_key, tables.contents.c.content).where(
            dialect.among(tables.contents.c.request_key, "keys")
        )

    def offer(self, key: int, request: Request) -> None:
        """Keep a request that was just taken in, while there is room.

        What waits longest is worked on first.
        """
        with self._lock:
            if len(self._kept) < KEPT:
                self._kept[key] = request

    def get(self, connection: Connection, keys: Collection[int]) -> dict[int, Request]:
        """The requests with these keys."""
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = [key for key in keys if key not in found]
        if missing:
            rows = connection.execute(self._load, {"keys": self._dialect.keys(missing)})
            loaded = {row.request_key: request_from_text(row.content) for row in rows}
            found |= loaded
            with self._lock:
                self._kept |= loaded
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found

    def drop(self, key: int) -> None:
        """Forget a request that has ended."""
        with self._lock:
            self._kept.pop(key, None)
