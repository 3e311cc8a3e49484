"""SQLite: a database file, opened read-only."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reportbus.adapters.engines.python.one_query import no_query, require_query
from reportbus.adapters.engines.python.sources.pool import Pool
from reportbus.adapters.engines.python.sources.rows import BATCH_ROWS, stream_rows
from reportbus.adapters.sqlite.errors import primary_code
from reportbus.adapters.sqlite.look import looked_at
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.adapters.engines.python.settings import SqliteSettings
    from reportbus.adapters.engines.python.sources.source import Query, Stream
    from reportbus.adapters.engines.python.statement import Bound
    from reportbus.adapters.engines.python.watch import Watch

_BUSY_SECONDS: Final = 5.0
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_LOCKED})
_AWAY: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR})
_NOT_THE_SQL: Final = _BUSY | _AWAY | {0}  # 0: Python made the error itself
_NO_UTF_8: Final = re.compile(r"Could not decode to UTF-8 column '(.*?)' with text '", re.DOTALL)
"""What Python says of a text; what follows is the text."""

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
            closing(_executed(connection, bound, self._name)) as cursor,
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


def _executed(connection: sqlite3.Connection, bound: Bound, name: str) -> sqlite3.Cursor:
    """The cursor of the query. Raises Permanent PY_QUERY with what SQLite says of SQL that it cannot compile.

    While it compiles SQLite has seen no row; what it says later may hold values and is left out.
    """
    try:
        return connection.execute(bound.sql, bound.values)
    except sqlite3.DatabaseError as error:
        if primary_code(error) not in _NOT_THE_SQL:
            _compile(connection, bound, name)
        raise


def _compile(connection: sqlite3.Connection, bound: Bound, name: str) -> None:
    try:
        connection.execute(f"EXPLAIN {bound.sql}", bound.values).close()
    except sqlite3.DatabaseError as error:
        if primary_code(error) in _NOT_THE_SQL:
            raise
        text = f"connection {name!r}: SQLite refuses the query: {error}"
        raise Permanent("PY_QUERY", text) from None


def _chunks(cursor: sqlite3.Cursor, name: str, watch: Watch) -> Iterator[Sequence[Sequence[Any]]]:
    with _our_errors(name, watch):
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield rows


@contextmanager
def _our_errors(name: str, watch: Watch) -> Iterator[None]:
    """SQLite's errors as ours; their texts may hold a row's values and are left out."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise no_query() from None
    except sqlite3.Error as error:
        watch.check()
        raise _translated(error, f"connection {name!r}") from None


def _translated(error: sqlite3.Error, where: str) -> ReportbusError:
    if undecoded := _NO_UTF_8.match(str(error)):
        text = (
            f"{where}: column {undecoded[1]!r} has a text that is not UTF-8; select it as a BLOB, or mend it"
        )
        return Permanent("PY_QUERY", text)
    code = primary_code(error)
    if code in _BUSY:
        return Transient("TemporaryFailure", f"{where}: the database is locked, or the query was interrupted")
    if code in _AWAY:
        return Transient("ServiceUnavailable", f"{where}: SQLite cannot open or read the database's file")
    kind = getattr(error, "sqlite_errorname", type(error).__name__)
    return Permanent("PY_QUERY", f"{where}: the query failed in SQLite with {kind}")
