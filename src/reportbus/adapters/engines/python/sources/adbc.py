"""Any database with an ADBC driver: it gives Arrow by itself."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from adbc_driver_manager import Error as AdbcError
from adbc_driver_manager import InterfaceError, OperationalError, dbapi

from reportbus.adapters.engines.python.one_query import refuse_change
from reportbus.adapters.engines.python.settings import FromSecret
from reportbus.adapters.engines.python.sources.login import LogIn
from reportbus.adapters.engines.python.sources.pool import Pool
from reportbus.adapters.engines.python.sources.source import Stream, unopened
from reportbus.core.errors import Permanent, ReportbusError, Transient
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.adapters.engines.python.settings import AdbcSettings
    from reportbus.adapters.engines.python.sources.login import Found
    from reportbus.adapters.engines.python.sources.source import Query
    from reportbus.adapters.engines.python.watch import Watch
    from reportbus.ports import Secrets


class AdbcSource:
    """One database behind an ADBC driver. A connection is lent to one query at a time.

    Whether a query can be broken into is the driver's business; one that cannot ends with its next batch.
    """

    def __init__(self, settings: AdbcSettings, secrets: Secrets | None = None) -> None:
        self._settings = settings
        named = [option.name for option in settings.options.values() if isinstance(option, FromSecret)]
        self._login = LogIn(secrets, settings.secret, *named)
        self._pool = Pool(self._connect, settings.kept)

    @contextmanager
    def run(self, query: Query, watch: Watch) -> Iterator[Stream]:
        refuse_change(query.statement)
        bound = query.statement.bind(query.values, self._settings.parameters)
        name = self._settings.name
        with (
            _our_errors(name, watch),
            self._pool.lent() as connection,
            connection.cursor() as cursor,
            watch.guarding(lambda: _cancel(cursor)),
        ):
            cursor.execute(bound.sql, bound.values or None)
            reader = cursor.fetch_record_batch()
            yield Stream(reader.schema, _batches(reader, name, watch))

    def test(self) -> Verdict:
        name = self._settings.name
        try:
            with self._pool.lent() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchall()
        except (AdbcError, ReportbusError) as error:
            return unopened(name, error)
        return Verdict(ok=True, text=f"connection {name!r}: answers")

    def close(self) -> None:
        self._pool.close()

    def _connect(self) -> dbapi.Connection:
        return self._login.opened(self._opened, (AdbcError,))

    def _opened(self, secrets: Found) -> dbapi.Connection:
        settings = self._settings
        options = {name: _resolved(name, option, secrets) for name, option in settings.options.items()}
        options |= secrets.get(settings.secret, {})
        return dbapi.connect(_library(settings.driver), db_kwargs=options, autocommit=True)


def _resolved(name: str, option: str | FromSecret, secrets: Found) -> str:
    if isinstance(option, str):
        return option
    secret = secrets[option.name]
    return secret[name if name in secret else "value"]


def _library(driver: str) -> str:
    """The driver's shared library: that of a Python package of this name, else what the name itself says."""
    if driver.isidentifier() and find_spec(driver) is not None:
        path: str = resolve_name(f"{driver}:_driver_path")()
        return path
    return driver


def _cancel(cursor: dbapi.Cursor) -> None:
    with suppress(AdbcError):
        cursor.adbc_cancel()


def _batches(reader: pa.RecordBatchReader, name: str, watch: Watch) -> Iterator[Any]:
    with _our_errors(name, watch):
        yield from reader


@contextmanager
def _our_errors(name: str, watch: Watch) -> Iterator[None]:
    """The driver's errors as ours; their texts may hold a row's values and are left out."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        watch.check()
        text = f"connection {name!r}: the database cannot be reached or went away ({type(error).__name__})"
        raise Transient("ServiceUnavailable", text) from None
    except (AdbcError, pa.ArrowException, OSError) as error:
        watch.check()
        text = f"connection {name!r}: the query failed in the database with {type(error).__name__}"
        raise Permanent("PY_QUERY", text) from None
