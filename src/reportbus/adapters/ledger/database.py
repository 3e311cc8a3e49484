"""Connections and transactions of the ledger's database, and the translation of its errors."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from reportbus.adapters.ledger.dialects import Dialect, Postgresql, Sqlite
from reportbus.adapters.sqlite.database import CHECKPOINT_PAGES, LOG_BYTES
from reportbus.adapters.sqlite.many import KEPT_STATEMENTS
from reportbus.core.errors import Permanent, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

    from reportbus.ports import Clock

BUSY_SECONDS: Final = 30
"""How long a SQLite writer waits for another one."""

IDLE_SECONDS: Final = 10.0
"""How long a transaction may stand still between two statements: it holds SQL alone, so some milliseconds."""

_TURN_PAUSE: Final = 0.002
PRIMARY_CODE: Final = 0xFF
"""SQLite's extended error codes have the primary one in their last byte."""

REPLY_SECONDS: Final = 40.0
"""How long PostgreSQL may take to answer a statement: longer than it lets one wait for a lock."""

_LOCK_SECONDS: Final = 15
"""How long PostgreSQL lets a statement wait for a lock: longer than one that stands still may keep it."""

_POOL_SECONDS: Final = 30
_PASSING: Final = frozenset(
    {
        "25006",  # a read-only server: another one has taken over, or is about to
        "25P03",  # a transaction that stood still
        "40001",  # serialization failure
        "40P01",  # deadlock
        "53300",  # too many connections
        "55P03",  # lock timeout
        "57P01",  # shutdown
        "57P02",  # crash
        "57P03",  # start-up
        "57P05",  # a session that stood still
    }
)
"""PostgreSQL's errors after which the same may work."""


class Database:
    """One ledger database, reached by its SQLAlchemy URL (`sqlite:///file` or `postgresql+psycopg://…`).

    `idle` is how long a transaction may stand still, in seconds: PostgreSQL then ends it, so that a process
    that was stopped or cut off in the middle of one does not keep its locks. SQLite cannot do that. `reply`
    is how long PostgreSQL may take to answer a statement; None for as long as it likes.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        pool: int = 8,
        idle: float = IDLE_SECONDS,
        reply: float | None = REPLY_SECONDS,
    ) -> None:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.dialect: Dialect
        self._where = ""
        if parsed.get_backend_name() == "sqlite":
            self._where = f"{parsed.database}: "
            self.dialect = Sqlite(clock)
            self.engine = _sqlite(parsed.render_as_string(hide_password=False), pool)
            self._writer = _sqlite(parsed.render_as_string(hide_password=False), 1, writes=True)
        else:
            self.dialect = Postgresql()
            self.engine = _postgresql(parsed, pool, idle, reply)
            self._writer = self.engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end of the block, rolled back by an exception.

        Raises Transient ServiceUnavailable while the database is away, TemporaryFailure where it asks to try
        again, Permanent SYS_LEDGER for everything else that it refuses.
        """
        with our_errors(self._where), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads: all its statements see the database as it was at the first one."""
        with (
            our_errors(self._where),
            self.engine.connect().execution_options(reportbus_reads=True) as connection,
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._writer.dispose()
        self.engine.dispose()


def _postgresql(url: URL, pool: int, idle: float, reply: float | None) -> Engine:
    from reportbus.adapters.postgresql import Session, network  # noqa: PLC0415 - psycopg is an extra

    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=4,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=False,
        connect_args=network(url.query),
    )

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: object, record: object, args: Any, keywords: Any) -> Session:  # noqa: ARG001, ANN401 - SQLAlchemy's signature
        return Session.opened(
            args,
            keywords,
            reply_seconds=reply,
            settings={
                "idle_in_transaction_session_timeout": round(idle * 1000),
                "lock_timeout": _LOCK_SECONDS * 1000,
            },
        )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if _reads(connection):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def _sqlite(url: str, pool: int, *, writes: bool = False) -> Engine:
    """Connections to a SQLite file.

    A process writes through one of them only: SQLite has one writer at a time anyway, and a connection that
    nobody else writes past keeps its pages in memory.
    """
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        connect_args={
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
            "isolation_level": None,
            "cached_statements": KEPT_STATEMENTS,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: object) -> None:  # noqa: ARG001, ANN401 - SQLAlchemy's signature
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        cursor.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")
        if writes:
            cursor.execute("PRAGMA busy_timeout=0")  # `_take_turn` waits instead
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if _reads(connection):
            connection.exec_driver_sql("BEGIN")
        else:
            _take_turn(connection)

    return engine


def _reads(connection: Connection) -> bool:
    """Whether it was asked for to read only."""
    return bool(connection.get_execution_options().get("reportbus_reads", False))


def _take_turn(connection: Connection) -> None:
    """Begin to write, after those who are at it.

    SQLite's own wait sleeps longer and longer, up to 100 ms: with two busy processes one of them starves.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            code = getattr(error.orig, "sqlite_errorcode", 0) & PRIMARY_CODE
            if code != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_TURN_PAUSE)
        else:
            return


@contextmanager
def our_errors(where: str = "") -> Iterator[None]:
    """Errors of the database as ours, with its file in front of what it says: `where`.

    What SQLAlchemy says of statements that it cannot take is a bug.

    Their text keeps the first line only: the rest shows statements and values.
    """
    try:
        yield
    except (OperationalError, PoolTimeoutError) as error:
        text = f"the ledger's database is not available: {where}{_first_line(error)}"
        raise Transient("ServiceUnavailable", text) from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _PASSING or error.connection_invalidated:
            text = f"the ledger's database asks to try again: {where}{_first_line(error)}"
            raise Transient("TemporaryFailure", text) from error
        text = f"the ledger's database refused: {where}{_first_line(error)}"
        raise Permanent("SYS_LEDGER", text) from error


def _first_line(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).strip().partition("\n")[0]
