"""The connections of the Python engine, as its configuration names them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.adapters.engines.python.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.errors import Problem
    from reportbus.core.model import JsonValue

KINDS: Final = ("duckdb", "sqlite", "postgresql", "adbc", "sqlalchemy")

_MOST_THREADS: Final = 256
_MOST_MB: Final = 1_048_576
_MOST_CONNECTIONS: Final = 100


@dataclass(frozen=True, slots=True)
class DuckDbSettings:
    """A DuckDB file, or ":memory:" with views.

    `views` are names for Parquet, CSV or JSON files (`*` allowed), `paths` further files and folders (ending
    in "/") that SQL may read. Sizes in MiB.
    """

    name: str
    path: str = ":memory:"
    views: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    threads: int = 2
    memory_mb: int = 1_024
    temp_mb: int = 10_240


@dataclass(frozen=True, slots=True)
class SqliteSettings:
    """A SQLite file, opened read-only; `kept` connections stay open."""

    name: str
    path: str
    kept: int = 4


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """A PostgreSQL database. `secret` names a secret whose `user` and `password` complete the URL."""

    name: str
    url: str
    secret: str = ""
    kept: int = 4


@dataclass(frozen=True, slots=True)
class AdbcSettings:
    """Any ADBC driver: a Python package or shared library, its options, and how it spells parameters.

    The fields of the secret that `secret` names are further options.
    """

    name: str
    driver: str
    options: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    parameters: str = "qmark"
    kept: int = 4


@dataclass(frozen=True, slots=True)
class SqlAlchemySettings:
    """Any database SQLAlchemy has a dialect for."""

    name: str
    url: str
    secret: str = ""
    kept: int = 4


ConnectionSettings: TypeAlias = (
    "DuckDbSettings | SqliteSettings | PostgresSettings | AdbcSettings | SqlAlchemySettings"
)


def parse_connections(mapping: Mapping[str, JsonValue], *, where: str) -> dict[str, ConnectionSettings]:
    """The configured connections by name. Raises Refused with every problem found."""
    problems: list[Problem] = []
    root = Fields(dict(mapping), where, problems)
    found = {name: _connection(name, root.within(name, keys)) for name, keys in mapping.items()}
    root.refuse()
    return found


def _connection(name: str, fields: Fields) -> ConnectionSettings:
    kind = fields.choice("kind", KINDS, "duckdb", required=True)
    settings: ConnectionSettings
    match kind:
        case "sqlite":
            settings = SqliteSettings(name, fields.text("path", required=True), kept=_kept(fields))
        case "postgresql":
            url = fields.text("url", required=True)
            settings = PostgresSettings(name, url, secret=fields.text("secret"), kept=_kept(fields))
        case "sqlalchemy":
            url = fields.text("url", required=True)
            settings = SqlAlchemySettings(name, url, secret=fields.text("secret"), kept=_kept(fields))
        case "adbc":
            settings = _adbc(name, fields)
        case _:
            settings = _duckdb(name, fields)
    fields.done()
    return settings


def _kept(fields: Fields) -> int:
    return fields.integer("kept", 4, least=1, most=_MOST_CONNECTIONS)


def _texts_by_name(fields: Fields, key: str) -> dict[str, str]:
    inner = fields.within(key, dict(fields.items(key)))
    return {name: inner.text(name, required=True) for name in fields.items(key)}


def _duckdb(name: str, fields: Fields) -> DuckDbSettings:
    path, views = fields.text("path", ":memory:"), _texts_by_name(fields, "views")
    if views and path != ":memory:":
        fields.note(
            "CFG_INCONSISTENT", "a database file is read-only; keep its views in the file itself", "views"
        )
    return DuckDbSettings(
        name,
        path=path,
        views=views,
        paths=fields.texts("paths"),
        threads=fields.integer("threads", 2, least=1, most=_MOST_THREADS),
        memory_mb=fields.integer("memory_mb", 1_024, least=64, most=_MOST_MB),
        temp_mb=fields.integer("temp_mb", 10_240, least=0, most=_MOST_MB),
    )


def _adbc(name: str, fields: Fields) -> AdbcSettings:
    styles = ("qmark", "numeric_dollar", "named", "dollar")
    return AdbcSettings(
        name,
        driver=fields.text("driver", required=True),
        options=_texts_by_name(fields, "options"),
        secret=fields.text("secret"),
        parameters=fields.choice("parameters", styles, "qmark"),
        kept=_kept(fields),
    )
