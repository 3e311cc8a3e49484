"""A member of a consumer group on the SQLite bus."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from reportbus.adapters.bus import sqlite_tables as tables
from reportbus.adapters.bus.member_files import Member, is_gone, remove_gone
from reportbus.adapters.sqlite.changes import Changes
from reportbus.adapters.sqlite.database import timestamp
from reportbus.adapters.sqlite.errors import our_errors
from reportbus.core.errors import Permanent
from reportbus.ports import Batch, Message

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from reportbus.adapters.sqlite.database import Database
    from reportbus.ports import Clock

CODE: Final = "SYS_BUS"

HOLD_SECONDS: Final = 60.0
"""How long a living member may hold a batch."""

MAX_BATCH: Final = 16 * 1024 * 1024
"""Characters of a batch; it ends early with the message that reaches them."""

_LOOK_SECONDS: Final = 1.0  # a member that dies changes nothing in the file: those who wait look for it
_END: Final = 2**63 - 1
_NOTHING: Final = Batch((), "")


class _Hold(NamedTuple):
    id: int
    first: int
    last: int
    member: str
    until: str


class SqliteConsumer:
    """One member of `group` on `topic`, until `close` or the end of its process unlocks its file."""

    def __init__(self, database: Database, clock: Clock, topic: str, group: str) -> None:
        self._database = database
        self._clock = clock
        self._group = {"topic": topic, "name": group}
        self._folder = database.path.with_name(f"{database.path.name}-members")
        self._changes = Changes(database.path, CODE)
        try:
            self._member = _join(self._folder)
        except BaseException:
            self._changes.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether this member has left the group."""
        return self._member.closed

    def poll(self, limit: int, timeout: float) -> Batch:
        deadline = time.monotonic() + timeout
        while True:
            batch = self._take(limit)
            remaining = deadline - time.monotonic()
            if batch.messages or remaining <= 0:
                return batch
            self._changes.wait(min(remaining, _LOOK_SECONDS))

    def commit(self, batch: Batch) -> None:
        with self._database.write() as connection:
            connection.execute(tables.COMMIT, (batch.token, self._member.name))

    def close(self) -> None:
        self._member.close()
        self._changes.close()

    def _take(self, limit: int) -> Batch:
        if self.closed:
            raise Permanent(CODE, f"{self._database.path}: the consumer is closed")
        if limit < 1 or not self._has_some():
            return _NOTHING
        with self._database.write() as connection:
            hold = self._free_hold(connection)
            return self._take_over(connection, hold, limit) if hold else self._take_next(connection, limit)

    def _has_some(self) -> bool:
        """Whether it is worth waiting for those who write."""
        with self._database.read() as connection:
            found = connection.execute(tables.FIND_NEXT, self._group).fetchone()
            return bool(found or self._free_hold(connection))

    def _take_next(self, connection: sqlite3.Connection, limit: int) -> Batch:
        found = connection.execute(tables.FIND_NEXT, self._group).fetchone()
        if not found:
            return _NOTHING
        batch, last = self._hold(connection, found[0], _END, limit)
        connection.execute(tables.SET_NEXT, {**self._group, "next": last + 1})
        return batch

    def _take_over(self, connection: sqlite3.Connection, hold: _Hold, limit: int) -> Batch:
        """What another member held; beyond `limit` it stays free."""
        connection.execute(tables.DROP_HOLD, (hold.id,))
        batch, last = self._hold(connection, hold.first, hold.last, limit)
        if last < hold.last:
            rest = {"first": last + 1, "last": hold.last, "member": "", "until": ""}
            connection.execute(tables.HOLD, {**self._group, **rest})
        return batch

    def _free_hold(self, connection: sqlite3.Connection) -> _Hold | None:
        """The first hold whose time is up or whose member is gone."""
        now = timestamp(self._clock.now())
        for hold in map(_Hold._make, connection.execute(tables.FIND_HOLDS, self._group)):
            if hold.until <= now or is_gone(self._folder, hold.member):
                return hold
        return None

    def _hold(self, connection: sqlite3.Connection, first: int, last: int, limit: int) -> tuple[Batch, int]:
        """The messages from `first` to `last`, up to `limit`, in our hands, and the number where they end."""
        wanted = {**self._group, "first": first, "last": last, "limit": limit}
        messages: list[Message] = []
        size = 0
        end = last
        for number, key, body in connection.execute(tables.READ, wanted):
            messages.append(Message(key, body))
            size += len(body)
            end = number
            if size >= MAX_BATCH:
                break
        if not messages:  # somebody emptied the topic
            return _NOTHING, end
        until = timestamp(self._clock.now() + timedelta(seconds=HOLD_SECONDS))
        hold = {**self._group, "first": first, "last": end, "member": self._member.name, "until": until}
        token = connection.execute(tables.HOLD, hold).lastrowid
        return Batch(tuple(messages), str(token)), end


def _join(folder: Path) -> Member:
    with our_errors(folder, CODE):
        folder.mkdir(exist_ok=True)
        remove_gone(folder)
        return Member(folder)
