"""PostgreSQL, by psycopg: a server-side cursor in a read-only transaction."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pyarrow as pa
from psycopg.conninfo import conninfo_to_dict

from reportbus.adapters.engines.python.one_query import require_query
from reportbus.adapters.engines.python.sources.login import LogIn
from reportbus.adapters.engines.python.sources.pool import Pool
from reportbus.adapters.engines.python.sources.rows import BATCH_ROWS, stream_rows
from reportbus.adapters.engines.python.sources.source import unopened
from reportbus.adapters.postgresql import Interrupt, Session, network
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.adapters.engines.python.settings import PostgresSettings
    from reportbus.adapters.engines.python.sources.login import Found
    from reportbus.adapters.engines.python.sources.source import Query, Stream
    from reportbus.adapters.engines.python.watch import Watch
    from reportbus.ports import Secrets

_REPLY_SECONDS: Final = 30.0
"""How long the server may take for what is no query, such as the end of a transaction."""

_TYPES: Final = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "text": pa.string(),
    "varchar": pa.string(),
    "bpchar": pa.string(),
    "uuid": pa.string(),
    "json": pa.string(),
    "jsonb": pa.string(),
    "bytea": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
_MOST_DIGITS: Final = 38
_ABOUT_THE_SQL: Final = (
    psycopg.errors.SyntaxErrorOrAccessRuleViolation,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.FeatureNotSupported,
)


class PostgresSource:
    """One PostgreSQL database. A connection is lent to one query at a time; sessions are read-only."""

    def __init__(self, settings: PostgresSettings, secrets: Secrets | None = None) -> None:
        self._settings = settings
        self._login = LogIn(secrets, settings.secret)
        self._pool = Pool(self._connect, settings.kept)

    @contextmanager
    def run(self, query: Query, watch: Watch) -> Iterator[Stream]:
        require_query(query.statement)
        bound = query.statement.bind(query.values, "pyformat")
        name = self._settings.name
        with (
            _our_errors(name, watch),
            self._pool.lent() as session,
            watch.guarding(Interrupt(session)),
            session.unhurried(),
            session.transaction(),
            session.cursor("reportbus", binary=True) as cursor,
        ):
            cursor.execute(bound.sql.encode(), bound.values)
            columns = cursor.description or ()
            types = {column.name: known for column in columns if (known := _type(column))}
            names = [column.name for column in columns]
            yield stream_rows(names, _chunks(cursor, name, watch), {**types, **query.types})

    def test(self) -> Verdict:
        name = self._settings.name
        try:
            with self._pool.lent() as session:
                session.execute("SELECT 1")
                session.rollback()
        except (psycopg.Error, ReportbusError) as error:
            return unopened(name, error)
        return Verdict(ok=True, text=f"connection {name!r}: answers")

    def close(self) -> None:
        self._pool.close()

    def _connect(self) -> Session:
        return self._login.opened(self._session, (psycopg.OperationalError,))

    def _session(self, secrets: Found) -> Session:
        secret = secrets.get(self._settings.secret, {})
        address = self._settings.url.replace("postgresql+psycopg://", "postgresql://", 1)
        options = {
            **network(conninfo_to_dict(address)),
            "options": "-c TimeZone=UTC -c default_transaction_read_only=on",
            "application_name": "reportbus",
            **{key: secret[key] for key in ("user", "password") if key in secret},
        }
        session = Session.opened((address,), options, reply_seconds=_REPLY_SECONDS, settings={})
        session.read_only = True
        return session


def _type(column: psycopg.Column) -> pa.DataType | None:
    """The Arrow type of a column; None where only its values can tell."""
    info = psycopg.adapters.types.get(column.type_code)
    if info is None or info.oid != column.type_code:  # an array's number leads to its items' type
        return None
    if info.name == "numeric" and column.precision is not None and column.precision <= _MOST_DIGITS:
        return pa.decimal128(column.precision, max(column.scale or 0, 0))
    return _TYPES.get(info.name)


def _chunks(
    cursor: psycopg.ServerCursor[tuple[Any, ...]], name: str, watch: Watch
) -> Iterator[Sequence[Sequence[Any]]]:
    with _our_errors(name, watch):
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield rows


@contextmanager
def _our_errors(name: str, watch: Watch) -> Iterator[None]:
    """Psycopg's errors as ours. What is said of the SQL is kept; what may hold a row's values is not."""
    try:
        yield
    except psycopg.errors.QueryCanceled:
        watch.check()
        raise Transient("TemporaryFailure", f"connection {name!r}: the server ended the query") from None
    except _ABOUT_THE_SQL as error:
        text = f"connection {name!r}: PostgreSQL refuses the query: {error.diag.message_primary}"
        raise Permanent("PY_QUERY", text) from None
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        watch.check()
        text = f"connection {name!r}: PostgreSQL cannot be reached or went away ({type(error).__name__})"
        raise Transient("ServiceUnavailable", text) from None
    except psycopg.Error as error:
        watch.check()
        text = f"connection {name!r}: the query failed in PostgreSQL with {type(error).__name__}"
        raise Permanent("PY_QUERY", text) from None
