"""The connections of the Python engine, as its configuration names them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


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
class FromSecret:
    """What stands for a field of the secret `name`: the one with the option's own name, else `value`."""

    name: str


@dataclass(frozen=True, slots=True)
class AdbcSettings:
    """Any ADBC driver: a Python package or shared library, its options, and how it spells parameters.

    The fields of the secret that `secret` names are further options.
    """

    name: str
    driver: str
    options: Mapping[str, str | FromSecret] = field(default_factory=dict)
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
