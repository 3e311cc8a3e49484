"""Looking at the bus's file without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.adapters.bus import sqlite_tables as tables
from reportbus.adapters.bus.sqlite_consumer import CODE
from reportbus.adapters.sqlite.look import has_table, looked_at, require_columns

if TYPE_CHECKING:
    from pathlib import Path


def depth(path: Path, topic: str, group: str) -> int | None:
    """How many messages the group has still to commit; None where the tables are not made yet.

    Raises Permanent SYS_BUS, SYS_BUS_SCHEMA, Transient.
    """
    with looked_at(path, CODE) as connection:
        for table, columns in tables.COLUMNS.items():
            if not has_table(connection, table):
                return None
            require_columns(connection, table, columns, path=path, code=CODE)
        count: int = connection.execute(tables.DEPTH, {"topic": topic, "name": group}).fetchone()[0]
    return count
