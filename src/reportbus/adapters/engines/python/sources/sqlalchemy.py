"""Any database SQLAlchemy has a dialect for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from reportbus.adapters.engines.python.one_query import no_query, refuse_change
from reportbus.adapters.engines.python.sources.rows import BATCH_ROWS, stream_rows
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, CursorResult, Engine, TextClause

    from reportbus.adapters.engines.python.settings import SqlAlchemySettings
    from reportbus.adapters.engines.python.sources.source import Query, Stream
    from reportbus.adapters.engines.python.statement import Bound
    from reportbus.adapters.engines.python.watch import Watch
    from reportbus.ports import Secrets


class SqlAlchemySource:
    """One database behind a SQLAlchemy URL. A connection of its pool is lent to one query at a time.

    A driver with `cancel` or `interrupt` is broken into that way; else its connection is closed.
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
            watch.guarding(lambda: _break_into(connection)),
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
            return Verdict(
                ok=False, text=f"connection {self._name!r}: cannot be opened ({type(error).__name__})"
            )
        return Verdict(ok=True, text=f"connection {self._name!r}: answers")

    def close(self) -> None:
        self._engine.dispose()


def _engine(settings: SqlAlchemySettings, secrets: Secrets | None) -> Engine:
    url = make_url(settings.url)
    if settings.secret and secrets is not None:
        secret = secrets.get(settings.secret)
        url = url.set(username=secret.get("user", url.username), password=secret.get("password"))
    return create_engine(url, pool_size=settings.kept, max_overflow=-1, pool_pre_ping=True)


def _typed(bound: Bound) -> TextClause:
    """The statement, its values with types: so the dialect hands them to its driver as that likes them."""
    statement = text(bound.sql)
    return statement.bindparams(**bound.values) if isinstance(bound.values, dict) else statement


def _break_into(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    for name in ("cancel", "interrupt", "close"):
        if (end := getattr(driver, name, None)) is not None:
            end()
            return


def _chunks(result: CursorResult[Any], name: str, watch: Watch) -> Iterator[Sequence[Sequence[Any]]]:
    with _our_errors(name, watch):
        yield from result.partitions(BATCH_ROWS)


@contextmanager
def _our_errors(name: str, watch: Watch) -> Iterator[None]:
    """The driver's errors as ours; their texts may hold a row's values and are left out."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        watch.check()
        said = f"connection {name!r}: the database cannot be reached or is busy ({type(error).__name__})"
        raise Transient("ServiceUnavailable", said) from None
    except DBAPIError as error:
        watch.check()
        said = f"connection {name!r}: the database refuses the query ({type(error.orig).__name__})"
        raise Permanent("PY_QUERY", said) from None
    except SQLAlchemyError as error:
        watch.check()
        raise Permanent(
            "PY_QUERY", f"connection {name!r}: the query failed ({type(error).__name__})"
        ) from None
