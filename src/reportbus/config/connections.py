"""Where the Python engine's exports get their data: `connections` in `config/engines.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.config.addresses import DatabaseUrl, SecretName
from reportbus.config.kinds import Choice, DataPath, Text
from reportbus.config.numbers import Integer
from reportbus.config.options import Entries, option
from reportbus.config.several import ListOf, MapOf, Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_MIB: Final = 1_048_576
_KEPT: Final = "How many connections stay open between queries."
_SECRET: Final = "The secret with `user` and `password`."  # noqa: S105 - a help text


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """What all connections have."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckDbConnection(ConnectionSettings):
    """A DuckDB file, or DuckDB in memory with views over files."""

    path: str = option(
        DataPath(memory=True), "The database file, opened for reading only, or :memory:.", default=":memory:"
    )
    views: Mapping[str, str] = option(
        MapOf(DataPath()),
        "Views over Parquet, CSV or JSON files, each by its name; * is allowed.",
        default={},
    )
    paths: tuple[str, ...] = option(
        ListOf(DataPath()), "Further files, and folders ending in /, that SQL may read.", default=()
    )
    threads: int = option(Integer(1, 256, "threads"), "Threads of the database.", default=2)
    memory_mb: int = option(Integer(64, _MOST_MIB, "MiB"), "Memory of the database.", default=1_024)
    temp_mb: int = option(
        Integer(0, _MOST_MIB, "MiB"), "Disk for what does not fit in memory.", default=10_240
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteConnection(ConnectionSettings):
    """A SQLite file, opened for reading only."""

    path: str = option(DataPath(), "The database file.")
    kept: int = option(Integer(1, 100, "connections"), _KEPT, default=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlConnection(ConnectionSettings):
    """A PostgreSQL database."""

    url: str = option(DatabaseUrl(("postgresql",)), "Where the database is.", secret=True)
    secret: str | None = option(SecretName(), _SECRET, default=None)
    kept: int = option(Integer(1, 100, "connections"), _KEPT, default=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlAlchemyConnection(ConnectionSettings):
    """Any database SQLAlchemy has a dialect for; the dialect's package has to be installed."""

    url: str = option(DatabaseUrl(), "Where the database is, as SQLAlchemy writes it.", secret=True)
    secret: str | None = option(SecretName(), _SECRET, default=None)
    kept: int = option(Integer(1, 100, "connections"), _KEPT, default=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdbcConnection(ConnectionSettings):
    """Any database with an ADBC driver; the driver's package has to be installed."""

    driver: str = option(Text(), "The driver's Python package or shared library.")
    options: Mapping[str, str] = option(
        Parameters(), "The driver's own options, such as uri.", default={}, secret=True
    )
    secret: str | None = option(SecretName(), "The secret whose fields are further options.", default=None)
    parameters: str = option(
        Choice(("qmark", "numeric_dollar", "named", "dollar")),
        "How its SQL writes parameters.",
        default="qmark",
    )
    kept: int = option(Integer(1, 100, "connections"), _KEPT, default=4)


CONNECTIONS: Final = Entries(
    what="connection",
    types={
        "duckdb": DuckDbConnection,
        "sqlite": SqliteConnection,
        "postgresql": PostgresqlConnection,
        "sqlalchemy": SqlAlchemyConnection,
        "adbc": AdbcConnection,
    },
    common=ConnectionSettings,
    default={"local": {"kind": "duckdb"}},
    selector="kind",
)
