"""Secrets, and the redactor that knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.config.connections import AdbcConnection, PostgresqlConnection, SqlAlchemyConnection
from reportbus.config.engines import PythonSettings
from reportbus.config.secrecy import looks_secret, secret_named
from reportbus.core.errors import Permanent, PlacedProblem
from reportbus.core.redact import Redactor
from reportbus.core.secret_values import passwords_in, secret_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.config.connections import ConnectionSettings
    from reportbus.config.settings import Settings
    from reportbus.ports import Clock, Secrets


def redactor_of(settings: Settings) -> Redactor:
    """A redactor that knows what the settings hold of secrets: in variables and within URLs."""
    redactor = Redactor()
    redactor.register(*secret_values(settings.secrets_given), *passwords_in(settings.ledger.url))
    for engine in settings.engines.values():
        if isinstance(engine, PythonSettings):
            for connection in engine.connections.values():
                redactor.register(*_written(connection))
    return redactor


def secrets(settings: Settings, clock: Clock, redactor: Redactor) -> Secrets:
    """Secrets by name: a variable's before a file's. `redactor` knows each before it is handed out."""
    from reportbus.adapters.secrets.env import EnvSecrets
    from reportbus.adapters.secrets.file import FileSecrets
    from reportbus.adapters.secrets.first_of import FirstOf

    return FirstOf(
        [
            EnvSecrets(settings.secrets_given, clock, redactor),
            FileSecrets(settings.secrets.folder, clock, redactor),
        ]
    )


def _written(connection: ConnectionSettings) -> Iterator[str]:
    """What variables put into a connection's settings."""
    match connection:
        case PostgresqlConnection() | SqlAlchemyConnection():
            yield from passwords_in(connection.url)
        case AdbcConnection():
            written = {k: v for k, v in connection.options.items() if secret_named(v) is None}
            yield from secret_values({k: v for k, v in written.items() if looks_secret(k)})
            for value in written.values():
                yield from passwords_in(value)


def secrets_missing(settings: Settings, secrets: Secrets) -> Iterator[PlacedProblem]:
    """What is wrong with the secrets that the engines' connections name, with the option that names each."""
    places = {each.name: each.where for each in settings.effective}
    for type_, engine in settings.engines.items():
        if not engine.enabled or not isinstance(engine, PythonSettings):
            continue
        for connection in engine.connections.values():
            for option, name in _named(connection):
                field = f"engines.{type_.lower()}.connections.{connection.name}.{option}"
                try:
                    secrets.get(name)
                except Permanent as error:
                    yield PlacedProblem(error.code, error.text, field, places.get(field))


def _named(connection: ConnectionSettings) -> Iterator[tuple[str, str]]:
    """The names of the secrets that a connection is opened with, each behind the option that has it."""
    match connection:
        case PostgresqlConnection() | SqlAlchemyConnection() | AdbcConnection() if connection.secret:
            yield "secret", connection.secret
    if isinstance(connection, AdbcConnection):
        for name in filter(None, map(secret_named, connection.options.values())):
            yield "options", name
