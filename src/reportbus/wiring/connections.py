"""Connections of the Python engine, each for the kind of database its settings have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.config.connections import (
    AdbcConnection,
    ConnectionSettings,
    DuckDbConnection,
    PostgresqlConnection,
    SqlAlchemyConnection,
    SqliteConnection,
)
from reportbus.config.secrecy import secret_named

if TYPE_CHECKING:
    from reportbus.adapters.engines.python import settings as python


def connection_settings(connection: ConnectionSettings) -> python.ConnectionSettings:
    """The settings as the engine takes them."""
    from reportbus.adapters.engines.python import settings as python

    match connection:
        case DuckDbConnection():
            return python.DuckDbSettings(
                connection.name,
                connection.path,
                connection.views,
                connection.paths,
                connection.threads,
                connection.memory_mb,
                connection.temp_mb,
            )
        case SqliteConnection():
            return python.SqliteSettings(connection.name, connection.path, connection.kept)
        case PostgresqlConnection():
            return python.PostgresSettings(
                connection.name, connection.url, connection.secret or "", connection.kept
            )
        case SqlAlchemyConnection():
            return python.SqlAlchemySettings(
                connection.name, connection.url, connection.secret or "", connection.kept
            )
        case AdbcConnection():
            return python.AdbcSettings(
                connection.name,
                connection.driver,
                {
                    option: text if (name := secret_named(text)) is None else python.FromSecret(name)
                    for option, text in connection.options.items()
                },
                connection.secret or "",
                connection.parameters,
                connection.kept,
            )
        case _:
            raise AssertionError(connection.kind)
