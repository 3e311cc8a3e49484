"""DuckDB: a database file, or an empty database with views over Parquet, CSV and JSON files."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa

from reportbus.adapters.engines.python.one_query import no_query
from reportbus.adapters.engines.python.scratch import ScratchFolder
from reportbus.adapters.engines.python.sources.source import Stream, unopened
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.adapters.engines.python.settings import DuckDbSettings
    from reportbus.adapters.engines.python.sources.source import Query
    from reportbus.adapters.engines.python.statement import Bound, Statement
    from reportbus.adapters.engines.python.watch import Watch

BATCH_ROWS: Final = 65_536

_READERS: Final = {
    ".parquet": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".json": "read_json",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
}
_ABOUT_THE_SQL: Final = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


class DuckDbSource:
    """One DuckDB database, opened at its first query; each query runs on a cursor of its own.

    Files are opened read-only. SQL reaches no file but the database and those the settings name, loads no
    extension and changes no setting.
    """

    def __init__(self, settings: DuckDbSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._cursors: set[duckdb.DuckDBPyConnection] = set()
        self._scratch: ScratchFolder | None = None

    @contextmanager
    def run(self, query: Query, watch: Watch) -> Iterator[Stream]:
        with (
            _our_errors(self._settings.name, watch),
            self._cursor() as cursor,
            watch.guarding(cursor.interrupt),
        ):
            reader = _reader(cursor, query.statement.bind(query.values))
            yield Stream(reader.schema, _batches(reader, self._settings.name, watch))

    def test(self) -> Verdict:
        name = self._settings.name
        try:
            with self._cursor() as cursor:
                cursor.execute("SELECT 1").fetchall()
        except (duckdb.Error, ReportbusError) as error:
            return unopened(name, error)
        return Verdict(ok=True, text=f"connection {name!r}: answers")

    def close(self) -> None:
        with self._lock:
            for cursor in self._cursors:
                cursor.interrupt()
            if self._connection is not None:
                # It refuses while a query is still on its way out; then it closes with the last cursor.
                with suppress(duckdb.Error):
                    self._connection.close()
            if self._scratch is not None:
                self._scratch.remove()
            self._connection = self._scratch = None

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for the block, of the database that is opened where it is not."""
        with self._lock:
            connection = self._open() if self._connection is None else self._connection
            cursor = connection.cursor()
            self._cursors.add(cursor)
        try:
            yield cursor
        finally:
            with self._lock:
                self._cursors.discard(cursor)
            cursor.close()

    def _open(self) -> duckdb.DuckDBPyConnection:
        scratch = ScratchFolder("reportbus-duckdb-")
        try:
            self._connection = connection = self._connect(str(scratch.path))
        except BaseException:
            scratch.remove()
            raise
        self._scratch = scratch
        return connection

    def _connect(self, scratch: str) -> duckdb.DuckDBPyConnection:
        settings = self._settings
        options: dict[str, str | bool | int | float | list[str]] = {
            "threads": settings.threads,
            "memory_limit": f"{settings.memory_mb}MiB",
            "temp_directory": scratch,
            "max_temp_directory_size": f"{settings.temp_mb}MiB",
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        in_memory = settings.path == ":memory:"
        connection = duckdb.connect(settings.path, read_only=not in_memory, config=options)
        try:
            for name, path in settings.views.items():
                connection.execute(
                    f"CREATE VIEW {_quoted(name)} AS FROM {_reader_of(path)}({_literal(path)})"
                )
            _lock_down(connection, settings)
        except BaseException:
            connection.close()
            raise
        return connection


def _lock_down(connection: duckdb.DuckDBPyConnection, settings: DuckDbSettings) -> None:
    """From here on, SQL reaches the named files and no other, and no setting can be changed."""
    connection.execute("SET TimeZone = 'UTC'")
    folders = [path for path in settings.paths if path.endswith("/")]
    files = [*settings.views.values(), *(path for path in settings.paths if not path.endswith("/"))]
    patterns = [path for path in files if "*" in path]
    folders += [path[: path.index("*")].rpartition("/")[0] + "/" for path in patterns]
    connection.execute("SET allowed_directories = ?", [folders])
    connection.execute("SET allowed_paths = ?", [[path for path in files if path not in patterns]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _reader(cursor: duckdb.DuckDBPyConnection, bound: Bound) -> pa.RecordBatchReader:
    _require_query(cursor, bound.sql)
    return cursor.sql(bound.sql, params=bound.values).to_arrow_reader(BATCH_ROWS)


def _require_query(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = cursor.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise no_query()


def judge(name: str, statement: Statement) -> None:
    """Ask DuckDB's parser, without the database of the connection called `name`.

    Raises Permanent PY_SQL for what is not one query, PY_QUERY for what cannot be parsed.
    """
    with duckdb.connect(":memory:") as parser:
        try:
            _require_query(parser, statement.sql)
        except duckdb.ParserException as error:
            raise _refused(name, error) from None


def _refused(name: str, error: duckdb.Error) -> Permanent:
    text = f"connection {name!r}: DuckDB refuses the query: {str(error).splitlines()[0]}"
    return Permanent("PY_QUERY", text)


def _batches(reader: pa.RecordBatchReader, name: str, watch: Watch) -> Iterator[pa.RecordBatch]:
    with _our_errors(name, watch):
        try:
            yield from reader
        except (OSError, pa.ArrowException) as error:  # what DuckDB says once the rows are on their way
            watch.check()
            kind = str(error).partition(" Error")[0].splitlines()[0][:40]
            raise Permanent("PY_QUERY", f"connection {name!r}: the query failed in DuckDB: {kind}") from None


@contextmanager
def _our_errors(name: str, watch: Watch) -> Iterator[None]:
    """DuckDB's errors as ours. What it says of the SQL is kept; what may hold a row's values is not."""
    try:
        yield
    except duckdb.InterruptException:
        watch.check()
        raise Transient("TemporaryFailure", f"connection {name!r}: the query was interrupted") from None
    except (duckdb.IOException, duckdb.ConnectionException) as error:
        text = f"connection {name!r}: DuckDB cannot read its database or files ({type(error).__name__})"
        raise Transient("ServiceUnavailable", text) from None
    except _ABOUT_THE_SQL as error:
        raise _refused(name, error) from None
    except duckdb.Error as error:
        watch.check()
        text = f"connection {name!r}: the query failed in DuckDB with {type(error).__name__}"
        raise Permanent("PY_QUERY", text) from None


def _reader_of(path: str) -> str:
    for ending, function in _READERS.items():
        if path.removesuffix(".gz").endswith(ending):
            return function
    raise Permanent("PY_CONNECTION", f"no way to read {path!r}; files end in {', '.join(_READERS)}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
