"""Where SQLite and PostgreSQL must differ, each difference with its name.

* `insert` and `update` move many rows in one statement: PostgreSQL takes one array per column, SQLite a list
  of rows.
* `among` asks for many keys with one bound value.
* `now` is the database's clock.
* `locked` and `one_at_a_time` keep others out: on SQLite whoever writes holds its one write lock already.
* `ring` tells listeners in other processes about ready jobs; SQLite's see it by themselves.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import ARRAY, Column, ColumnElement, Select, Table, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql.base import PGDialect

from reportbus.adapters.sqlite.many import execute_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from reportbus.ports import Clock

CHANNEL: Final = "reportbus_jobs"
_POSTGRESQL: Final = PGDialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


def utc(at: float) -> datetime:
    """Seconds since 1970 as a timestamp without zone, in UTC, as the tables hold it."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


class Dialect(Protocol):
    """What the statements need to know about the database they run on."""

    name: str

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows that have all of the table's columns, in order."""

    def update(
        self,
        connection: Connection,
        table: Table,
        keys: Sequence[str],
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> int:
        """Set `columns` where `keys` are equal.

        Each row has the keys' values, then the columns'. How many changed.
        """

    def among(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        """`column` is one of the values bound to `name`."""

    def keys(self, values: Iterable[int] | Iterable[str]) -> object:
        """Values to be bound to the name given to `among`."""

    def now(self, connection: Connection) -> float:
        """Seconds since 1970, by the database's clock."""

    def stamp(self, at: float) -> object:
        """Seconds since 1970 as a value for a timestamp column, where statements bypass type conversion."""

    def new_keys(self, connection: Connection, table: Table, count: int) -> list[int]:
        """`count` fresh values of the table's first column."""

    def locked(self, statement: Select[Any], *, skip: bool = False) -> Select[Any]:
        """The rows selected, locked until the transaction ends; with `skip` those nobody else has locked."""

    def one_at_a_time(self, connection: Connection, purpose: int) -> None:
        """Until the transaction ends nobody else passes this point for the same purpose."""

    def ring(self, connection: Connection) -> None:
        """Tell listeners, once this transaction is committed."""

    def take_your_time(self, connection: Connection) -> None:
        """This transaction may stand still for as long as somebody reads what it gives."""


class Postgresql:
    """PostgreSQL by psycopg."""

    name = "postgresql"

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            connection.exec_driver_sql(_array_insert(table), _arrays(rows))

    def update(
        self,
        connection: Connection,
        table: Table,
        keys: Sequence[str],
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> int:
        if not rows:
            return 0
        return connection.exec_driver_sql(
            _array_update(table, tuple(keys), tuple(columns)), _arrays(rows)
        ).rowcount

    def among(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        return column == any_(bindparam(name, type_=ARRAY(column.type)))

    def keys(self, values: Iterable[int] | Iterable[str]) -> object:
        return list(values)

    def now(self, connection: Connection) -> float:
        return float(connection.execute(_POSTGRESQL_NOW).scalar_one())

    def stamp(self, at: float) -> object:
        return utc(at)

    def new_keys(self, connection: Connection, table: Table, count: int) -> list[int]:
        sequence = f"{table.name}_{table.columns[0].name}_seq"
        series = func.generate_series(1, bindparam("count", count)).table_valued("n")
        return list(connection.execute(select(func.nextval(sequence)).select_from(series)).scalars())

    def locked(self, statement: Select[Any], *, skip: bool = False) -> Select[Any]:
        return statement.with_for_update(skip_locked=skip)

    def one_at_a_time(self, connection: Connection, purpose: int) -> None:
        connection.execute(select(func.pg_advisory_xact_lock(purpose)))

    def ring(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    def take_your_time(self, connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


_POSTGRESQL_NOW: Final = select(func.extract("epoch", func.clock_timestamp()))


class Sqlite:
    """SQLite by the standard library. Its clock is this host's, and so is `clock`."""

    name = "sqlite"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        execute_rows(connection.exec_driver_sql, _row_insert(table), rows)

    def update(
        self,
        connection: Connection,
        table: Table,
        keys: Sequence[str],
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> int:
        return execute_rows(connection.exec_driver_sql, _row_update(table, tuple(keys), tuple(columns)), rows)

    def among(self, column: Column[Any], name: str) -> ColumnElement[bool]:
        values = func.json_each(bindparam(name)).table_valued("value")
        return column.in_(select(values.c.value))

    def keys(self, values: Iterable[int] | Iterable[str]) -> object:
        return json.dumps(list(values))

    def now(self, connection: Connection) -> float:
        return self._clock.now().timestamp()

    def stamp(self, at: float) -> object:
        return utc(at).isoformat(" ", "microseconds")

    def new_keys(self, connection: Connection, table: Table, count: int) -> list[int]:
        column = table.columns[0]
        last = connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
        return list(range(last + 1, last + 1 + count))

    def locked(self, statement: Select[Any], *, skip: bool = False) -> Select[Any]:
        return statement

    def one_at_a_time(self, connection: Connection, purpose: int) -> None:
        """The write lock is held already."""

    def ring(self, connection: Connection) -> None:
        """Readers see each commit in the file's data version."""

    def take_your_time(self, connection: Connection) -> None:
        """Nobody is in a hurry here."""


def _arrays(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    return tuple([list(column) for column in zip(*rows, strict=True)])


def _unnested(table: Table, names: Sequence[str]) -> str:
    """One array per column; `%b` has psycopg send them in binary, a sixth of the cost of text."""
    types = [table.c[name].type.compile(_POSTGRESQL) for name in names]
    return "unnest(" + ", ".join(f"%b::{type_.split('(')[0]}[]" for type_ in types) + ")"


@cache
def _array_insert(table: Table) -> str:
    names = [column.name for column in table.columns]
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM {_unnested(table, names)}"  # noqa: S608 - names of our own tables


@cache
def _array_update(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    names = (*keys, *columns)
    sets = ", ".join(f"{name} = v.{name}" for name in columns)
    where = " AND ".join(f"{table.name}.{name} = v.{name}" for name in keys)
    values = f"{_unnested(table, names)} AS v({', '.join(names)})"
    return f"UPDATE {table.name} SET {sets} FROM {values} WHERE {where}"  # noqa: S608 - names of our own tables


@cache
def _row_insert(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES {{rows}}"  # noqa: S608 - names of our own tables


@cache
def _row_update(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    value = {name: f"v.column{number}" for number, name in enumerate((*keys, *columns), 1)}
    sets = ", ".join(f"{name} = {value[name]}" for name in columns)
    where = " AND ".join(f"{table.name}.{name} = {value[name]}" for name in keys)
    return f"UPDATE {table.name} SET {sets} FROM (VALUES {{rows}}) AS v WHERE {where}"  # noqa: S608 - names of our own tables
