"""Taps on the commits of the ledger: what happens just before one, and just after.

The taps are events of SQLAlchemy, for all engines of the process. A thread says which operation it is about
to do; what a transaction wrote tells apart those of one operation.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from random import Random
from threading import local
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

_WRITES: Final = re.compile(r"\s*(?:INSERT INTO|UPDATE) (\w+)")


class Operation(local):
    """What this thread has the ledger do, the tables that its transaction wrote to, and what it committed."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.wrote: set[str] = set()
        self.committed: list[str] = []

    @contextmanager
    def of(self, *names: str) -> Iterator[None]:
        """The block does this, for several stages at once where there are several names."""
        self.names = names
        try:
            yield
        finally:
            self.names = ()


def tap(operation: Operation, before: Callable[[str], None], after: Callable[[str], None]) -> None:
    """Call `before` and `after` around each commit of an operation, with the name of what is committed."""

    @event.listens_for(Engine, "before_cursor_execute")
    def _notice(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        if found := _WRITES.match(statement):
            operation.wrote.add(found[1])

    @event.listens_for(Engine, "rollback")
    def _forget(_connection: object) -> None:
        operation.wrote.clear()

    @event.listens_for(Engine, "commit")
    def _commits(_connection: object) -> None:
        operation.committed = [found for name in operation.names if (found := _name(name, operation.wrote))]
        operation.wrote.clear()
        for name in operation.committed:
            before(name)

    @event.listens_for(Pool, "checkin")
    def _has_committed(_connection: object, _record: object) -> None:
        committed, operation.committed = operation.committed, []
        for name in committed:
            after(name)


def do_commit(connection: Connection) -> None:
    """Commit, past SQLAlchemy, which does not hear of it."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.commit()


def lose_replies(share: float) -> None:
    """Have so many commits, chosen at random, fail as if the connection were lost, half of them done."""
    chance = Random(4)  # noqa: S311 - not a secret

    @event.listens_for(Engine, "commit")
    def _fails(connection: Connection) -> None:
        drawn = chance.random()
        if drawn < share:
            if drawn < share / 2:
                do_commit(connection)
            raise OperationalError("COMMIT", None, ConnectionResetError("the reply was lost"))


def _name(operation: str, wrote: set[str]) -> str:
    """The name of a transaction; empty for one that found nothing to do."""
    audited = "requests" in wrote  # with each audit row its request gets a new end of the chain
    match operation:
        case "claim":
            return operation if audited else ""
        case "sweep":
            return "take back" if audited else "bury" if "workers" in wrote else ""
        case "retire":
            return "hand back" if audited else "retire" if "workers" in wrote else ""
    return operation
