"""A ledger with a long past: finished requests multiplied inside the database, with all their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from reportbus.adapters.ledger import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reportbus.adapters.ledger.database import Database

STEP: Final = 20
"""Copies made by one statement."""

_SHIFTED: Final = {"request_key", "job_key"}
_NAMED: Final = {"request_id", "log_id", "error_id"}


def multiply(database: Database, times: int) -> int:
    """Copy every request of the ledger, all of them finished, `times` times; how many there are then.

    Identifiers, which are UUIDs, get another beginning (request ids a random one, the ledger's own an early
    one), keys move up: the tables and their indexes look as if those requests had gone through the line.
    Their audit chains are copies and do not verify.
    """
    with database.write() as connection:
        span = int(connection.execute(text("SELECT max(request_key) FROM requests")).scalar_one())
    for first in range(1, times + 1, STEP):
        with database.write() as connection:
            for table in tables.METADATA.sorted_tables:
                if "request_key" in table.c:
                    _copy(connection, table.name, span, range(first, min(first + STEP, times + 1)))
    with database.write() as connection:
        if database.dialect.name == "postgresql":
            newest = "(SELECT max(request_key) FROM requests)"
            connection.execute(text(f"SELECT setval('requests_request_key_seq', {newest})"))
        count = int(connection.execute(text("SELECT count(*) FROM requests")).scalar_one())
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return count


def _copy(connection: Connection, name: str, span: int, copies: range) -> None:
    table = tables.METADATA.tables[name]
    spread = "(CAST(n AS BIGINT) * 2654435761 & 4294967295)"
    if connection.dialect.name == "sqlite":
        early, anywhere = "printf('%08x', n)", f"printf('%08x', {spread})"
    else:
        early, anywhere = "lpad(to_hex(n), 8, '0')", f"lpad(to_hex({spread}), 8, '0')"
    values = []
    for column in table.c:
        if column.name == "job_key":
            values.append(f"job_key + CAST(n AS BIGINT) * {span} * {tables.JOBS_PER_REQUEST}")
        elif column.name in _SHIFTED:
            values.append(f"request_key + CAST(n AS BIGINT) * {span}")
        elif column.name in _NAMED:
            beginning = anywhere if column.name == "request_id" else early
            values.append(f"{beginning} || substr({column.name}, 9)")
        else:
            values.append(column.name)
    numbers = ", ".join(f"({n})" for n in copies)
    names = ", ".join(column.name for column in table.c)
    connection.exec_driver_sql(
        f"WITH copies(n) AS (VALUES {numbers}) INSERT INTO {name} ({names})"  # noqa: S608 - names of our own tables
        f" SELECT {', '.join(values)} FROM {name} CROSS JOIN copies WHERE request_key <= {span}"
    )
