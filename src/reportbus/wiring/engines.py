"""Engines, each adapter by the type its settings have."""

from __future__ import annotations

import sys
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
from reportbus.config.secrecy import secret_named
from reportbus.core.errors import Permanent, Problem, Refused
from reportbus.wiring.secrecy import secrets_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportbus.adapters.engines.python import settings as python
    from reportbus.adapters.engines.python.producer import Producer, Resource
    from reportbus.config.reports import ReportFile
    from reportbus.config.settings import Settings
    from reportbus.ports import Engine, Secrets


def engines(settings: Settings, secrets: Secrets) -> dict[str, Engine]:
    """The enabled engines there is an adapter for, by report type.

    Raises Refused with every problem of their report definitions.
    """
    return {
        name: _python(engine, settings.reports.get(name, ()), secrets)
        for name, engine in settings.engines.items()
        if engine.enabled and isinstance(engine, PythonSettings)
    }


def _python(engine: PythonSettings, files: Sequence[ReportFile], secrets: Secrets) -> Engine:
    from reportbus.adapters.engines.python.definition import ReportDefinition
    from reportbus.adapters.engines.python.engine import PythonEngine
    from reportbus.adapters.engines.python.exports import Connection, exports
    from reportbus.adapters.engines.python.sandbox import Sandbox
    from reportbus.adapters.engines.python.script_definition import ScriptDefinition
    from reportbus.adapters.engines.python.scripts import ScriptReport

    rules = engine.scripts
    connections = {
        name: Connection(_connection(connection), secrets) for name, connection in engine.connections.items()
    }
    sandbox = Sandbox(
        rules.scratch, isolation=rules.isolation, interpreter=str(rules.interpreter or sys.executable)
    )
    definitions: list[ReportDefinition] = []
    catalogue: dict[str, Producer] = {}
    problems = _secrets_missing(engine, secrets)
    for file in files:
        try:
            if "script" in file.values:
                script = ScriptDefinition.parse(
                    file.values, where=file.where, folder=rules.folder, hash_required=rules.sha256_required
                )
                _register(catalogue, script.name, ScriptReport(script, sandbox), file, problems)
            else:
                definitions.append(ReportDefinition.parse(file.values, where=file.where))
        except Refused as error:
            problems += error.problems
    try:
        for name, report in exports(definitions, connections).items():
            _register(catalogue, name, report, None, problems)
    except Refused as error:
        problems += error.problems
    if problems:
        raise Refused(problems)
    resources: list[Resource] = [*connections.values()]
    if any("script" in file.values for file in files):
        resources.append(sandbox)
    return PythonEngine(catalogue, resources)


def _secrets_missing(engine: PythonSettings, secrets: Secrets) -> list[Problem]:
    """What is wrong with the secrets that the engine's connections name."""
    problems = []
    for connection in engine.connections.values():
        for name in secrets_named(connection):
            try:
                secrets.get(name)
            except Permanent as error:
                problems.append(Problem(error.code, error.text, f"connection {connection.name!r}"))
    return problems


def _register(
    catalogue: dict[str, Producer],
    name: str,
    report: Producer,
    file: ReportFile | None,
    problems: list[Problem],
) -> None:
    if name in catalogue:
        where = file.where if file else f"report {name!r}"
        problems.append(Problem("CFG_INCONSISTENT", f"two reports have the name {name!r}", where))
    catalogue[name] = report


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
