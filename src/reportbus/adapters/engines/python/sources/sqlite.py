"""SQLite: a database file, opened read-only."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reportbus.adapters.engines.python.one_query import no_query, require_query
from reportbus.adapters.engines.python.sources.pool import Pool
from reportbus.adapters.engines.python.sources.rows import BATCH_ROWS, stream_rows
from reportbus.adapters.sqlite.look import looked_at
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.adapters.engines.python.settings import SqliteSettings
    from reportbus.adapters.engines.python.sources.source import Query, Stream
    from reportbus.adapters.engines.python.watch import Watch

_BUSY_SECONDS: Final = 5.0
_READS: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


class SqliteSource:
    """One SQLite file. A connection is lent to one query at a time.

    SQL may read the file's tables and nothing else: no other file can be attached, nothing can be changed.
    """

    def __init__(self, settings: SqliteSettings) -> None:
        self._name = settings.name
        self._path = Path(settings.path)
        self._pool = Pool(self._connect, settings.kept)

    @contextmanager
    def run(self, query: Query, watch: Watch) -> Iterator[Stream]:
        require_query(query.statement)
        bound = query.statement.bind(query.values, adapt=_adapted)
        with (
            _our_errors(self._name, watch),
            self._pool.lent() as connection,
            watch.guarding(connection.interrupt),
            closing(connection.execute(bound.sql, bound.values)) as cursor,
        ):
            names = [column[0] for column in cursor.description]
            yield stream_rows(names, _chunks(cursor, self._name, watch), query.types)

    def test(self) -> Verdict:
        try:
            self._require_file()
            with looked_at(self._path, "PY_CONNECTION") as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except ReportbusError as error:
            return Verdict(ok=False, text=f"connection {self._name!r}: {error.text}")
        return Verdict(ok=True, text=f"connection {self._name!r}: answers")

    def close(self) -> None:
        self._pool.close()

    def _require_file(self) -> None:
        if not self._path.is_file():
            raise Permanent("PY_CONNECTION", f"connection {self._name!r}: there is no file {self._path}")

    def _connect(self) -> sqlite3.Connection:
        self._require_file()
        address = self._path.absolute().as_uri() + "?mode=ro"
        connection = sqlite3.connect(
            address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.set_authorizer(_authorize)
        return connection


def _authorize(action: int, *_details: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def _adapted(value: Any) -> Any:  # noqa: ANN401 - SQLite takes values of several kinds
    """SQLite has no days, times and decimals: they are compared as ISO text and as numbers."""
    match value:
        case datetime():
            return value.isoformat(" ")
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case _:
            return value


def _chunks(cursor: sqlite3.Cursor, name: str, watch: Watch) -> Iterator[Sequence[Sequence[Any]]]:
    with _our_errors(name, watch):
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield rows


@contextmanager
def _our_errors(name: str, watch: Watch) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        watch.check()
        if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT}:
            raise Transient("TemporaryFailure", f"connection {name!r}: {error}") from None
        if error.sqlite_errorcode in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}:
            raise Transient("ServiceUnavailable", f"connection {name!r}: {error}") from None
        raise Permanent("PY_QUERY", f"connection {name!r}: SQLite refuses the query: {error}") from None
    except sqlite3.ProgrammingError:
        raise no_query() from None
    except sqlite3.DatabaseError as error:
        raise Permanent("PY_QUERY", f"connection {name!r}: SQLite refuses the query: {error}") from None
