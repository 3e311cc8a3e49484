"""The bus as a file, `bus.db`: topics, consumer groups of any number of processes on one host.

The bus carries hints, the ledger has the truth: so a commit waits for no disk (`synchronous=NORMAL`). A
process that dies loses nothing; a machine that loses its power may lose the last messages and commits. A file
that is removed takes its messages along, and all processes go on with a new one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from reportbus.adapters.bus import sqlite_tables as tables
from reportbus.adapters.bus.sqlite_consumer import CODE, SqliteConsumer
from reportbus.adapters.sqlite.database import Database, timestamp
from reportbus.adapters.sqlite.many import execute_rows
from reportbus.core.errors import Permanent
from reportbus.core.intake.message import MAX_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from reportbus.ports import Clock, Message

_TRIM_STEP: Final = 10_000  # messages removed in one transaction, for which the others wait


class SqliteBus:
    """The bus in the SQLite file `path`, made where it is missing; its members' lock files lie beside it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._consumers: list[SqliteConsumer] = []
        self._database = Database(path, synchronous="NORMAL", code=CODE, remake=True)
        try:
            self._database.create(tables.TABLES)
            for table, columns in tables.COLUMNS.items():
                self._database.require(table, columns)
        except BaseException:
            self._database.close()
            raise

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        for message in messages:
            _check(message)
        with self._database.write() as connection:
            at = timestamp(self._clock.now())
            rows = [(topic, at, message.key, message.body) for message in messages]
            execute_rows(connection.execute, tables.PUBLISH, rows)

    def subscribe(self, topic: str, group: str) -> SqliteConsumer:
        with self._database.write() as connection:
            connection.execute(tables.ADD_GROUP, {"topic": topic, "name": group})
        consumer = SqliteConsumer(self._database, self._clock, topic, group)
        with self._lock:
            self._consumers = [*(open_ for open_ in self._consumers if not open_.closed), consumer]
        return consumer

    def depth(self, topic: str, group: str) -> int:
        with self._database.read() as connection:
            count: int = connection.execute(tables.DEPTH, {"topic": topic, "name": group}).fetchone()[0]
        return count

    def trim(self, topic: str, before: datetime) -> int:
        step = {"topic": topic, "before": timestamp(before), "limit": _TRIM_STEP}
        trimmed = 0
        while True:
            with self._database.write() as connection:
                removed = connection.execute(tables.TRIM, step).rowcount
            trimmed += removed
            if removed < _TRIM_STEP:
                return trimmed

    def close(self) -> None:
        with self._lock:
            for consumer in self._consumers:
                consumer.close()
        self._database.close()


def _check(message: Message) -> None:
    try:
        size = len(message.body.encode())
        message.key.encode()
    except UnicodeEncodeError:
        raise Permanent("SYS_MESSAGE", "a message is no UTF-8 text: it holds half a character") from None
    if size > MAX_MESSAGE:
        raise Permanent("SYS_MESSAGE", f"a message has {size:,} bytes; the bus takes at most {MAX_MESSAGE:,}")
