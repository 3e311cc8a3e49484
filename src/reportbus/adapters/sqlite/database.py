"""One SQLite file, shared with other programs and by the threads of this one."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from reportbus.adapters.sqlite.errors import our_errors, primary_code
from reportbus.adapters.sqlite.look import require_columns
from reportbus.adapters.sqlite.many import KEPT_STATEMENTS
from reportbus.adapters.sqlite.standing import Standing, alone, identity
from reportbus.core.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

_log: Final = logging.getLogger(__name__)

LOCK_SECONDS: Final = 5.0
"""How long a statement waits for another program that holds the file's lock."""

TURN_SECONDS: Final = 30.0
"""How long a thread waits for the other threads of this process."""

CACHE_KIB: Final = 32_768
CHECKPOINT_PAGES: Final = 4_000
"""With SQLite's own, smaller values a batch reads and writes many of its pages twice."""

LOG_BYTES: Final = 32 * 1024 * 1024
"""What a write-ahead log keeps on the disk, twice its usual size, once nobody reads behind it any more."""

_SWITCH_PAUSE: Final = 0.01
_WITHOUT_ZONE: Final = len("2026-11-01 06:30:00.000000")


class Database:
    """An SQLite file in WAL mode with one connection, which the threads use in turn.

    `synchronous` FULL makes every commit durable; NORMAL may lose the last ones with the machine's power,
    never with the process. Errors have the code `code` where the file is at fault and `<code>_SCHEMA` where
    its tables are. Text that is not UTF-8 is read as lone surrogates, so that a validator can name it.

    A file that is removed or replaced while it is open is let go of at the next transaction, for the one
    that stands under its name by then: whoever starts later has no other one. Where none does, `remake` has
    it made anew; otherwise Transient is raised until somebody has put one there.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: Literal["FULL", "NORMAL"],
        code: str,
        lock_seconds: float = LOCK_SECONDS,
        remake: bool = False,
    ) -> None:
        self.path = path
        self.code = code
        self._turn = threading.Lock()
        self._lock_seconds = lock_seconds
        self._remake = remake
        self._open = partial(_connect, path, synchronous, lock_seconds)
        self._objects: dict[str, str] = {}
        with our_errors(path, code):
            self._connection = self._open()
            self._standing = Standing.at(path)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the file and changes nothing."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that may write: committed at the end of the block, undone by an exception."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def create(self, objects: Mapping[str, str]) -> None:
        """Make the tables and indexes that are missing, all or none; `objects` maps names to statements.

        The statements say IF NOT EXISTS: another process may be quicker.
        """
        self._objects |= objects
        with self.read() as connection:
            have = {name.upper() for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if have.issuperset(name.upper() for name in objects):
            return
        with self.write() as connection:
            for statement in objects.values():
                connection.execute(statement)

    def require(self, table: str, columns: tuple[str, ...]) -> None:
        """Permanent `<code>_SCHEMA` where the table lacks one of these columns."""
        with self.read() as connection:
            require_columns(connection, table, columns, path=self.path, code=self.code)

    def close(self) -> None:
        """Close the connection, once the transaction at work is done."""
        with self._in_turn():
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._in_turn(), our_errors(self.path, self.code):
            connection = self._begun(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite has undone it by itself where the disk is full
                    connection.execute("ROLLBACK")
                raise

    def _begun(self, begin: str) -> sqlite3.Connection:
        """The connection, with a transaction on the file that stands there now.

        Looked at once more behind the wait for the lock: whoever replaces a file may hold it meanwhile.
        """
        if self._standing.file != identity(self.path):
            self._follow()
        self._connection.execute(begin)
        if self._standing.file != identity(self.path):
            self._connection.execute("ROLLBACK")
            self._follow()
            self._connection.execute(begin)
        return self._connection

    def _follow(self) -> None:
        """Open the file that stands there now, with all that was created in the old one."""
        if not self._remake and identity(self.path) is None:
            text = f"{self.path} was removed; put it back, or have a new start make an empty one"
            raise Transient("ServiceUnavailable", text)
        with alone(self.path.parent, self._lock_seconds):
            self._standing.remove_stale_log(self.path)
            connection = self._open()
            try:
                connection.execute("BEGIN IMMEDIATE")
                for statement in self._objects.values():
                    connection.execute(statement)
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
        _log.warning("%s was removed or replaced; what it held is lost", self.path)
        replaced, self._connection = self._connection, connection
        self._standing = Standing.at(self.path)
        replaced.close()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=TURN_SECONDS):
            text = f"{self.path}: the other threads have kept it busy for {TURN_SECONDS:.0f} seconds"
            raise Transient("TemporaryFailure", text)
        try:
            yield
        finally:
            self._turn.release()


def _connect(path: Path, synchronous: str, lock_seconds: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=lock_seconds,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=KEPT_STATEMENTS,
    )
    try:
        connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        _enter_wal(connection, lock_seconds)
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(f"PRAGMA cache_size={-CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")
        connection.execute("SELECT COUNT(*) FROM sqlite_master")  # the log is opened with the first statement
    except BaseException:
        connection.close()
        raise
    return connection


def _enter_wal(connection: sqlite3.Connection, lock_seconds: float) -> None:
    """Switch the file to write-ahead logging. SQLite does not wait for its lock here, so this does."""
    deadline = time.monotonic() + lock_seconds
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_SWITCH_PAUSE)


def timestamp(moment: datetime) -> str:
    """The moment as SQLite writes times, in UTC and microseconds: its order as text is the order in time.

    ValueError for one without a zone: it would be taken for a time of this host.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:_WITHOUT_ZONE]
