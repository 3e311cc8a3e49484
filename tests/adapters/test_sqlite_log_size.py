"""A program that reads one state of a SQLite file for long keeps its write-ahead log from being used anew."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.database import Database as LedgerDatabase
from reportbus.adapters.sqlite.database import LOG_BYTES, Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1024 * 1024


class Opened(Protocol):
    """What both kinds of database have."""

    def write(self) -> AbstractContextManager[Any]: ...

    def close(self) -> None: ...


KINDS: dict[str, Callable[[Path], Opened]] = {
    "worktable and bus": lambda path: Database(path, synchronous="NORMAL", code="SYS_SOME"),
    "ledger": lambda path: LedgerDatabase(f"sqlite:///{path}", SystemClock()),
}


def insert(database: Opened, mib: int) -> None:
    with database.write() as connection:
        execute = getattr(connection, "exec_driver_sql", connection.execute)
        for _ in range(mib):
            execute("INSERT INTO t VALUES (zeroblob(1048576))")


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_grew_behind_a_reader_is_cut_once_the_reader_is_gone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "some.db"
    log = tmp_path / "some.db-wal"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
        closing(KINDS[kind](path)) as database,
    ):
        reader.execute("CREATE TABLE t (x)")
        insert(database, 1)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM t").fetchone()
        insert(database, LOG_BYTES // MIB + 4)
        assert log.stat().st_size > LOG_BYTES
        reader.execute("COMMIT")
        insert(database, 1)  # this commit finds all of the log copied into the file
        insert(database, 1)  # and this one begins it anew

        assert log.stat().st_size <= LOG_BYTES
