"""Looking at the worktable's file without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.adapters.sqlite.database import timestamp
from reportbus.adapters.sqlite.look import has_table, looked_at, require_columns
from reportbus.adapters.worktable import sqlite_tables as tables
from reportbus.adapters.worktable.sqlite import CODE

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def waiting(path: Path, now: datetime) -> bool | None:
    """Whether requests wait in it; None where its tables are not made yet.

    Raises Permanent SYS_WORKTABLE, SYS_WORKTABLE_SCHEMA, Transient.
    """
    with looked_at(path, CODE) as connection:
        for table, columns in tables.COLUMNS.items():
            if not has_table(connection, table):
                return None
            require_columns(connection, table, columns, path=path, code=CODE)
        due = {"limit": 1, "before": timestamp(now)}
        return any(connection.execute(find, due).fetchone() for find in (tables.FIND_NEW, tables.FIND_AGAIN))
