"""A process that stands still keeps no locks on PostgreSQL, wherever in a transaction it does."""

from __future__ import annotations

from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema, tables
from reportbus.adapters.ledger.database import Database
from reportbus.core.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

PURPOSE = 7
LIMIT_SECONDS = 30.0


class Stalling(list[tuple[Any, ...]]):
    """Rows, the second of which is a long time coming: the process stands still while it sends them."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        super().__init__(rows)
        self.stands = Event()
        self.go_on = Event()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        first, *rest = list.__iter__(self)
        yield first
        self.stands.set()
        assert self.go_on.wait(LIMIT_SECONDS)
        yield from rest


def test_a_process_that_stands_still_while_it_sends_rows_loses_its_locks(postgres_url: str) -> None:
    """While the server waits for rows in the middle of a statement no timeout of its own counts."""
    schema.upgrade_url(postgres_url, SystemClock())
    rows = Stalling([(1, "one"), (2, "two")])
    refused: list[Transient] = []

    def stand_still(database: Database) -> None:
        try:
            with database.write() as connection:
                database.dialect.one_at_a_time(connection, PURPOSE)
                database.dialect.insert(connection, tables.contents, rows)
        except Transient as error:
            refused.append(error)

    with (
        closing(Database(postgres_url, SystemClock(), pool=1, idle=0.5)) as stopped,
        closing(Database(postgres_url, SystemClock(), pool=1)) as other,
    ):
        thread = Thread(target=stand_still, args=(stopped,))
        thread.start()
        try:
            assert rows.stands.wait(LIMIT_SECONDS)
            with other.write() as connection:
                other.dialect.one_at_a_time(connection, PURPOSE)
        finally:
            rows.go_on.set()
            thread.join(LIMIT_SECONDS)

    assert len(refused) == 1
