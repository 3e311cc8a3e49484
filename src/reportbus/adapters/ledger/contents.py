"""What requests ask for, kept in memory while they are under way, since it never changes."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.rows import utc_of
from reportbus.core.codec import VERSION, request_from_text
from reportbus.core.model import Request

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.dialects import Dialect

KEPT: Final = 10_000
"""At most this many requests are kept in memory."""

KEPT_CHARACTERS: Final = 16 * 1024 * 1024
"""And at most so many characters of what they ask for, each of which may have a few hundred thousand."""


@dataclass(frozen=True, slots=True)
class Unreadable(Request):
    """Stands for a request whose content cannot be read, so that it can fail like any other; `why` says why.

    It has no targets and nobody to tell.
    """

    why: str = ""


def readable(text: str) -> Request | None:
    """The request a content stands for; None where this version cannot read it."""
    try:
        return request_from_text(text)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


class Contents:
    """Requests by their key: from memory, else from the database in one statement for all."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._kept: OrderedDict[int, Request] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self._size = 0
        self._lock = Lock()
        self._load = select(tables.contents.c.request_key, tables.contents.c.content).where(
            dialect.among(tables.contents.c.request_key, "keys")
        )

    def offer(self, key: int, request: Request, size: int) -> None:
        """Keep a request of so many characters that was just taken in, while there is room.

        What waits longest is worked on first.
        """
        with self._lock:
            if len(self._kept) < KEPT and self._size + size <= KEPT_CHARACTERS:
                self._keep(key, request, size)

    def get(self, connection: Connection, keys: Collection[int]) -> dict[int, Request]:
        """The requests with these keys, each of them; Unreadable where that is so."""
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = [key for key in keys if key not in found]
        if missing:
            rows = connection.execute(self._load, {"keys": self._dialect.keys(missing)}).all()
            texts: dict[int, str] = {row.request_key: row.content for row in rows}
            read = {key: readable(text) for key, text in texts.items()}
            loaded = {key: request for key, request in read.items() if request is not None}
            found |= loaded
            with self._lock:
                for key, request in loaded.items():
                    self._keep(key, request, len(texts[key]))
                while len(self._kept) > KEPT or self._size > KEPT_CHARACTERS:
                    self._forget(next(iter(self._kept)))
            if len(loaded) < len(missing):
                found |= self._stand_ins(
                    connection, {key: texts.get(key) for key in missing if key not in loaded}
                )
        return found

    def _stand_ins(self, connection: Connection, texts: Mapping[int, str | None]) -> dict[int, Request]:
        """What stands for the requests with these contents, none of which can be read."""
        statement = select(tables.requests).where(self._dialect.among(tables.requests.c.request_key, "keys"))
        return {
            row.request_key: Unreadable(
                request_id=row.request_id,
                report_type=row.report_type,
                report_name=row.report_name,
                format="",
                file_name="",
                requested_at=utc_of(row.requested_at),
                expires_at=datetime.fromtimestamp(row.expires_at, UTC),
                priority=row.priority,
                requested_by=row.requested_by,
                why=_why(texts[row.request_key]),
            )
            for row in connection.execute(statement, {"keys": self._dialect.keys(texts)})
        }

    def drop(self, key: int) -> None:
        """Forget a request that has ended."""
        with self._lock:
            self._forget(key)

    def _keep(self, key: int, request: Request, size: int) -> None:
        self._forget(key)
        self._kept[key] = request
        self._sizes[key] = size
        self._size += size

    def _forget(self, key: int) -> None:
        if self._kept.pop(key, None) is not None:
            self._size -= self._sizes.pop(key)


def _why(text: str | None) -> str:
    """Why a content cannot be read."""
    if text is None:
        return "the ledger does not have what the request asks for"
    try:
        version = json.loads(text)["v"]
    except (ValueError, LookupError, TypeError):
        return "what the ledger has of the request is damaged"
    if version == VERSION:
        return "what the ledger has of the request is not complete"
    return f"the request was written in version {version!r:.20}, this version of reportbus reads {VERSION}"
