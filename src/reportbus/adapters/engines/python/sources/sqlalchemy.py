"""Any database SQLAlchemy has a dialect for."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError

from reportbus.adapters.engines.python.one_query import no_query, refuse_change
from reportbus.adapters.engines.python.sources.login import LogIn
from reportbus.adapters.engines.python.sources.rows import BATCH_ROWS, stream_rows
from reportbus.adapters.engines.python.sources.source import unopened
from reportbus.adapters.sqlite.errors import primary_code
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, CursorResult, Dialect, Engine, ExceptionContext, TextClause

    from reportbus.adapters.engines.python.settings import SqlAlchemySettings
    from reportbus.adapters.engines.python.sources.source import Query, Stream
    from reportbus.adapters.engines.python.statement import Bound
    from reportbus.adapters.engines.python.watch import Watch
    from reportbus.ports import Secrets

_REPLY_SECONDS: Final = 30.0
"""How long PostgreSQL may take for what is no query, such as the end of a transaction."""

_LIBPQ: Final = frozenset({"psycopg", "psycopg2"})
_PASSING_SQLITE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
    }
)
_PASSING_STATES: Final = frozenset({"08", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE: connection, rollback, resources, locks, an operator, the system."""


class SqlAlchemySource:
    """One database behind a SQLAlchemy URL. A connection of its pool is lent to one query at a time.

    A driver with `cancel` or `interrupt` is broken into that way; else its connection is closed. With psycopg
    nothing is waited for without an end.
    """

    def __init__(self, settings: SqlAlchemySettings, secrets: Secrets | None = None) -> None:
        self._name = settings.name
        self._engine = _engine(settings, secrets)

    @contextmanager
    def run(self, query: Query, watch: Watch) -> Iterator[Stream]:
        refuse_change(query.statement)
        bound = query.statement.bind(query.values, "escaped_named")
        with (
            _our_errors(self._name, watch),
            self._engine.connect() as connection,
            watch.guarding(_interrupt(connection)),
            _unhurried(connection),
        ):
            streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
            result = streaming.execute(_typed(bound))
            if not result.returns_rows:
                raise no_query()
            yield stream_rows(list(result.keys()), _chunks(result, self._name, watch), query.types)

    def test(self) -> Verdict:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except (SQLAlchemyError, ReportbusError) as error:
            return unopened(self._name, error)
        return Verdict(ok=True, text=f"connection {self._name!r}: answers")

    def close(self) -> None:
        self._engine.dispose()


def _engine(settings: SqlAlchemySettings, secrets: Secrets | None) -> Engine:
    url = make_url(settings.url)
    login = LogIn(secrets, settings.secret)
    try:
        engine = create_engine(url, pool_size=settings.kept, max_overflow=-1, pool_pre_ping=True)
    except (NoSuchModuleError, ImportError) as error:
        text = f"connection {settings.name!r}: nothing that is installed speaks {url.drivername!r}"
        raise Permanent("PY_CONNECTION", text) from error

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Dialect, record: object, args: object, keywords: object) -> Any:  # noqa: ARG001, ANN401 - SQLAlchemy's signature
        return login.opened(
            lambda found: _opened(dialect, _with(url, found.get(settings.secret, {}))),
            (dialect.loaded_dbapi.Error,),
        )

    @event.listens_for(engine, "handle_error")
    def _close(context: ExceptionContext) -> None:
        """SQLAlchemy leaves the cursor of a connection that is gone as it is."""
        if context.is_disconnect and context.execution_context is not None:
            with suppress(context.dialect.loaded_dbapi.Error):
                context.execution_context.cursor.close()

    return engine


def _with(url: URL, secret: Mapping[str, str]) -> URL:
    return url.set(username=secret.get("user", url.username), password=secret.get("password"))


def _opened(dialect: Dialect, url: URL) -> Any:  # noqa: ANN401 - a driver's connection
    args, keywords = dialect.create_connect_args(url)
    if dialect.driver not in _LIBPQ:
        return dialect.connect(*args, **keywords)
    from reportbus.adapters.postgresql import Session, network  # noqa: PLC0415 - psycopg is an extra

    options = {**network(url.query), **keywords}
    if dialect.driver != "psycopg":
        return dialect.connect(*args, **options)
    return Session.opened(args, options, reply_seconds=_REPLY_SECONDS, settings={})


def _typed(bound: Bound) -> TextClause:
    """The statement, its values with types: so the dialect hands them to its driver as that likes them."""
    statement = text(bound.sql)
    return statement.bindparams(**bound.values) if isinstance(bound.values, dict) else statement


def _interrupt(connection: Connection) -> Callable[[], None]:
    """What breaks into a query on the connection."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.driver == "psycopg":
        from reportbus.adapters.postgresql import Interrupt  # noqa: PLC0415 - psycopg is an extra

        return Interrupt(driver)
    names = ("cancel", "interrupt", "close")
    end: Callable[[], None] = getattr(driver, next(name for name in names if hasattr(driver, name)))
    return end


def _unhurried(connection: Connection) -> AbstractContextManager[None]:
    driver: Any = connection.connection.dbapi_connection
    return driver.unhurried() if connection.dialect.driver == "psycopg" else nullcontext()


def _chunks(result: CursorResult[Any], name: str, watch: Watch) -> Iterator[Sequence[Sequence[Any]]]:
    with _our_errors(name, watch):
        yield from result.partitions(BATCH_ROWS)


@contextmanager
def _our_errors(name: str, watch: Watch) -> Iterator[None]:
    """The driver's errors as ours; their texts may hold a row's values and are left out."""
    try:
        yield
    except DBAPIError as error:
        watch.check()
        if _passes(error):
            said = f"connection {name!r}: the database cannot be reached or is busy ({type(error).__name__})"
            raise Transient("ServiceUnavailable", said) from None
        said = f"connection {name!r}: the database refuses the query ({type(error.orig).__name__})"
        raise Permanent("PY_QUERY", said) from None
    except SQLAlchemyError as error:
        watch.check()
        raise Permanent(
            "PY_QUERY", f"connection {name!r}: the query failed ({type(error).__name__})"
        ) from None


def _passes(error: DBAPIError) -> bool:
    """Whether the same query may work later: by the database's own code, else by the error's class."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return primary_code(cause) in _PASSING_SQLITE
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state:
        return str(state)[:2] in _PASSING_STATES
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
