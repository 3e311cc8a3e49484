"""Looking at an SQLite file without changing it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from reportbus.adapters.sqlite.errors import our_errors
from reportbus.core.errors import Permanent
from reportbus.core.text import have

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOK_SECONDS: Final = 5.0
"""How long a look waits for another program that holds the file's lock."""

_IN_USE: Final = ("-wal", "-journal")


@contextmanager
def looked_at(path: Path, code: str) -> Iterator[sqlite3.Connection]:
    """A connection that reads the file, which is not made where it is missing; errors as of `Database`.

    Of a file in WAL mode even a reader would make the log and its index, and leave them. Where no log is
    there, nobody has the file open, and it is read as one that does not change.
    """
    in_use = any(path.with_name(f"{path.name}{ending}").exists() for ending in _IN_USE)
    address = f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"
    with our_errors(path, code):
        connection = sqlite3.connect(address, uri=True, timeout=LOOK_SECONDS, isolation_level=None)
        with closing(connection):
            connection.execute("PRAGMA query_only=ON")
            yield connection


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Whether the file has a table of this name, in any case."""
    find = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
    return connection.execute(find, (table,)).fetchone() is not None


def require_columns(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], *, path: Path, code: str
) -> None:
    """Permanent `<code>_SCHEMA` where the table lacks one of these columns, which are in capitals."""
    there = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    missing = set(columns).difference(name.upper() for name in there)
    if missing:
        text = f"{path}: table {table} has no column {', '.join(sorted(missing))}; {have(there)}"
        raise Permanent(f"{code}_SCHEMA", text)
