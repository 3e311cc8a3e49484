"""Which schema the ledger's database has, and which one this version works with; read without Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import column, inspect, select, table

from reportbus.adapters.sqlite.look import has_table, looked_at
from reportbus.core.errors import Permanent

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.adapters.ledger.database import Database

REVISION: Final = "0001"
"""The newest of the migrations."""

_VERSIONS: Final = table("alembic_version", column("version_num"))


def current(database: Database) -> str | None:
    """The revision the database has; None for an empty one."""
    with database.read() as connection:
        if not inspect(connection).has_table(_VERSIONS.name):
            return None
        found = connection.execute(select(_VERSIONS.c.version_num)).scalar_one_or_none()
    return None if found is None else str(found)


def looked_up(path: Path) -> str | None:
    """The revision of the SQLite file, which is not changed; None for an empty one."""
    with looked_at(path, "SYS_LEDGER") as connection:
        found = None
        if has_table(connection, _VERSIONS.name):
            found = connection.execute(f"SELECT * FROM {_VERSIONS.name}").fetchone()  # noqa: S608 - a constant
    return None if found is None else str(found[0])


def require_current(database: Database) -> None:
    """Raise Permanent SYS_SCHEMA where the database does not have this version's schema."""
    if wrong := misfit(current(database)):
        raise Permanent("SYS_SCHEMA", f"the ledger's {wrong}")


def misfit(have: str | None) -> str:
    """Why a schema is not the one that this version works with, and what to do; empty for that one."""
    if have == REVISION:
        return ""
    if have and have > REVISION:
        text = f"schema is none that this version knows: {have}, and not {REVISION}"
        return f"{text}; start the version that made it"
    return f"schema is {have or 'empty'}, this version's is {REVISION}; run: reportbus db upgrade"
