from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.sqlite.changes import Changes
from reportbus.adapters.sqlite.database import Database, timestamp
from reportbus.adapters.sqlite.errors import our_errors
from reportbus.adapters.sqlite.file_writes import FileWrites
from reportbus.core.errors import Permanent, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = {"t": "CREATE TABLE IF NOT EXISTS t (x NOT NULL)"}
INSERT = "INSERT INTO t VALUES (1)"
WAIT_SECONDS = 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(path, synchronous="NORMAL", code="SYS_SOME", lock_seconds=0.05)) as database:
        database.create(TABLE)
        yield database


@pytest.fixture
def other(path: Path, database: Database) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def count(database: Database) -> int:
    with database.read() as connection:
        found: int = connection.execute("SELECT COUNT(*) FROM t").fetchone()[0]
    return found


def test_what_an_exception_ends_is_undone(database: Database) -> None:
    def insert_and_fail() -> None:
        with database.write() as connection:
            connection.execute(INSERT)
            raise LookupError

    with pytest.raises(LookupError):
        insert_and_fail()
    assert count(database) == 0


def test_one_state_is_read_whatever_others_commit(database: Database, other: sqlite3.Connection) -> None:
    with database.read() as connection:
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == (0,)
        other.execute(INSERT)
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == (0,)
    assert count(database) == 1


def test_a_lock_that_another_program_keeps_may_pass(database: Database, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient, match="another program") as locked, database.write():
        raise AssertionError
    assert locked.value.code == "TemporaryFailure"
    other.execute("ROLLBACK")
    with database.write() as connection:
        connection.execute(INSERT)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT y FROM t", "SYS_SOME_SCHEMA"),
        ("SELECT x FROM u", "SYS_SOME_SCHEMA"),
        ("INSERT INTO t VALUES (NULL)", "SYS_SOME_SCHEMA"),
    ],
)
def test_what_does_not_fit_the_tables_never_passes(database: Database, statement: str, code: str) -> None:
    with pytest.raises(Permanent) as refused, database.write() as connection:
        connection.execute(statement)
    assert refused.value.code == code


def test_a_log_that_was_cut_off_is_damage_and_no_fault_that_passes(path: Path) -> None:
    """SQLite calls it an I/O error: its index still leads behind the end of the log."""
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("CREATE TABLE texts (text)")
        writer.executemany("INSERT INTO texts VALUES (?)", [("x" * 2_000,)] * 50)
        log = path.with_name(f"{path.name}-wal")
        os.truncate(log, log.stat().st_size // 2)
        with pytest.raises(Permanent, match=r"SYS_BUS: .*damaged"), our_errors(path, "SYS_BUS"):
            reader.execute("SELECT sum(length(text)) FROM texts").fetchall()


def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=str(tmp_path)) as refused:
        Database(tmp_path, synchronous="FULL", code="SYS_SOME")
    assert refused.value.code == "SYS_SOME"


def test_a_file_can_be_opened_for_the_first_time_while_somebody_writes_to_it(path: Path) -> None:
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("CREATE TABLE u (x)")
        other.execute("BEGIN IMMEDIATE")
        opening = pool.submit(Database, path, synchronous="FULL", code="SYS_SOME", lock_seconds=WAIT_SECONDS)
        with pytest.raises(TimeoutError):
            opening.result(0.1)
        other.execute("COMMIT")
        opening.result(WAIT_SECONDS).close()


def test_threads_take_turns(database: Database) -> None:
    def insert(_: int) -> None:
        with database.write() as connection:
            before = connection.execute("SELECT COUNT(*) FROM t").fetchone()[0]
            connection.execute(INSERT)
            assert connection.execute("SELECT COUNT(*) FROM t").fetchone()[0] == before + 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(100)))
    assert count(database) == 100


def test_times_are_written_in_utc_and_sort_as_text() -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert timestamp(noon) == "2026-11-01 12:00:00.000000"
    assert timestamp(noon.astimezone(timezone(timedelta(hours=5)))) == timestamp(noon)
    assert (
        timestamp(noon) < timestamp(noon + timedelta(microseconds=1)) < timestamp(noon + timedelta(days=365))
    )


def test_a_time_without_a_zone_is_not_taken_for_one_of_this_host() -> None:
    with pytest.raises(ValueError, match="2026-11-01T12:00:00 has no time zone"):
        timestamp(datetime(2026, 11, 1, 12))  # noqa: DTZ001 - that is what it is about


@pytest.fixture(params=["told", "not told"])
def changes(request: pytest.FixtureRequest, path: Path, database: Database) -> Iterator[Changes]:
    """With and without a kernel that tells of writes."""
    writes = None if request.param == "told" else FileWrites(path / "nothing there")
    with closing(Changes(path, "SYS_SOME", writes)) as changes:
        yield changes


def test_commits_of_others_are_heard_while_one_waits(changes: Changes, other: sqlite3.Connection) -> None:
    with ThreadPoolExecutor(1) as pool:
        for _ in range(5):
            waiting = pool.submit(changes.wait, WAIT_SECONDS)
            other.execute(INSERT)
            assert waiting.result(WAIT_SECONDS / 2)


def test_a_commit_between_two_waits_is_heard_once(changes: Changes, database: Database) -> None:
    with database.write() as connection:
        connection.execute(INSERT)
    assert [changes.wait(0), changes.wait(0)] == [True, False]


def test_a_transaction_is_heard_when_it_is_committed_and_not_before(
    changes: Changes, other: sqlite3.Connection
) -> None:
    other.execute("PRAGMA cache_size = 1")  # so that pages are written before the commit
    other.execute("BEGIN")
    other.executemany("INSERT INTO t VALUES (?)", [("x" * 2_000,)] * 500)
    assert not changes.wait(0.05)
    other.execute("COMMIT")
    assert changes.wait(WAIT_SECONDS)


def test_of_two_threads_that_wait_each_comes_back_in_time(changes: Changes) -> None:
    with ThreadPoolExecutor(2) as pool:
        long = pool.submit(changes.wait, WAIT_SECONDS)
        short = pool.submit(changes.wait, 0.05)
        assert not short.result(WAIT_SECONDS / 2)
        changes.close()
        assert not long.result(WAIT_SECONDS / 2)


def test_closing_sends_away_who_waits_and_may_be_done_twice(changes: Changes) -> None:
    started = threading.Event()

    def wait() -> bool:
        started.set()
        return changes.wait(WAIT_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        assert started.wait(WAIT_SECONDS)
        changes.close()
        changes.close()
        assert not waiting.result(WAIT_SECONDS / 2)
    assert not changes.wait(0)
