"""Engines, each adapter by the type its settings have."""

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
from reportbus.config.engines import PythonSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python import settings as python
    from reportbus.config.reports import ReportFile
    from reportbus.config.settings import Settings
    from reportbus.core.redact import Redactor
    from reportbus.ports import Engine, Secrets


def engines(settings: Settings, secrets: Secrets, redactor: Redactor) -> dict[str, Engine]:
    """The enabled engines that there is an adapter for, by report type. Raises Refused for bad definitions."""
    return {
        name: _python(engine, settings.reports.get(name, ()), secrets, redactor)
        for name, engine in settings.engines.items()
        if engine.enabled and isinstance(engine, PythonSettings)
    }


def _python(
    engine: PythonSettings, files: Sequence[ReportFile], secrets: Secrets, redactor: Redactor
) -> Engine:
    from reportbus.adapters.engines.python.engine import PythonEngine
    from reportbus.adapters.engines.python.exports import Connection

    connections = {
        name: Connection(_connection(connection), secrets) for name, connection in engine.connections.items()
    }
    return PythonEngine({}, connections.values())


def _connection(connection: ConnectionSettings) -> python.ConnectionSettings:
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
                connection.options,
                connection.secret or "",
                connection.parameters,
                connection.kept,
            )
        case _:
            raise AssertionError(connection.kind)
