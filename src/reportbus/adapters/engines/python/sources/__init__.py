"""Where the data of exports comes from: one file per kind of database, loaded with its first query."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, assert_never

from reportbus.adapters.engines.python.one_query import refuse_change, require_query
from reportbus.adapters.engines.python.settings import (
    AdbcSettings,
    ConnectionSettings,
    DuckDbSettings,
    PostgresSettings,
    SqlAlchemySettings,
    SqliteSettings,
)

if TYPE_CHECKING:
    from reportbus.adapters.engines.python.sources.source import Source
    from reportbus.adapters.engines.python.statement import Statement
    from reportbus.ports import Secrets


def source_of(settings: ConnectionSettings, secrets: Secrets | None = None) -> Source:
    """The source a connection's settings describe; nothing is opened yet."""
    source: Source
    match settings:
        case DuckDbSettings():
            source = resolve_name(f"{__name__}.duckdb:DuckDbSource")(settings)
        case SqliteSettings():
            source = resolve_name(f"{__name__}.sqlite:SqliteSource")(settings)
        case PostgresSettings():
            source = resolve_name(f"{__name__}.postgresql:PostgresSource")(settings, secrets)
        case AdbcSettings():
            source = resolve_name(f"{__name__}.adbc:AdbcSource")(settings, secrets)
        case SqlAlchemySettings():
            source = resolve_name(f"{__name__}.sqlalchemy:SqlAlchemySource")(settings, secrets)
        case _:
            assert_never(settings)
    return source


def judge(settings: ConnectionSettings, statement: Statement) -> None:
    """Raise what running the statement would, as far as that can be told without opening the database."""
    match settings:
        case DuckDbSettings():
            resolve_name(f"{__name__}.duckdb:judge")(settings.name, statement)
        case SqliteSettings() | PostgresSettings():
            require_query(statement)
        case AdbcSettings() | SqlAlchemySettings():
            refuse_change(statement)
        case _:
            assert_never(settings)
