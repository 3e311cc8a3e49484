"""Asking for reports as everybody can: plain INSERTs, by SQLite's own client."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reportbus.core.model import JsonValue
    from reportbus.entry.demo.asked import Asked

INSERT_REQUEST: Final = """\
INSERT INTO REPORT_REQUESTS
  (REQUEST_ID, REPORT_TYPE, REPORT_NAME, PARAMETERS, DISTRIBUTION_CONFIG, PRIORITY, REQUESTED_BY)
VALUES (?, ?, ?, ?, ?, ?, ?)"""

INSERT_TARGET: Final = """\
INSERT INTO DISTRIBUTION_CONFIG (CONFIG_ID, REQUEST_ID, TARGET_TYPE, TARGET_PATH) VALUES (?, ?, ?, ?)"""

_LAST: Final = """
SELECT MAX(CAST(SUBSTR(REQUEST_ID, 6) AS INTEGER)) FROM REPORT_REQUESTS WHERE REQUEST_ID GLOB 'demo-[0-9]*'"""

_STATUSES: Final = """
SELECT STATUS, COUNT(*) FROM REPORT_REQUESTS WHERE REQUEST_ID GLOB ? GROUP BY STATUS ORDER BY STATUS"""

_PATIENCE: Final = 30.0


def demos(path: Path) -> int:
    """How many demos have asked for reports before."""
    with closing(sqlite3.connect(path, timeout=_PATIENCE)) as connection:
        return _last(connection)


def insert(path: Path, asked: Sequence[Asked]) -> list[str]:
    """Ask for the reports, in one transaction; their ids, which nobody had before."""
    with closing(sqlite3.connect(path, timeout=_PATIENCE)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        demo = _last(connection) + 1
        ids = [f"demo-{demo}-{number:03}" for number in range(1, len(asked) + 1)]
        for request_id, each in zip(ids, asked, strict=True):
            targets = enumerate(each.table, start=1)
            rows = [(f"{request_id}-{number}", request_id, type_, path) for number, (type_, path) in targets]
            connection.executemany(INSERT_TARGET, rows)
            connection.execute(INSERT_REQUEST, values(request_id, each))
    return ids


def values(request_id: str, asked: Asked) -> tuple[str | int, ...]:
    """What stands in the columns of a request's row."""
    config: dict[str, JsonValue] = {"format": asked.format, "file_name": asked.file_name}
    if asked.targets:
        config["targets"] = [*asked.targets]
    if asked.notify is not None:
        config["notify"] = [*asked.notify]
    return (
        request_id,
        "PYTHON",
        asked.report,
        json.dumps(asked.parameters),
        json.dumps(config),
        asked.priority,
        asked.by,
    )


def statuses(path: Path, ids: Sequence[str]) -> dict[str, int]:
    """How many of these requests show each status."""
    prefix = ids[0].rpartition("-")[0]
    with closing(sqlite3.connect(path, timeout=_PATIENCE)) as connection:
        return dict(connection.execute(_STATUSES, (f"{prefix}-*",)).fetchall())


def _last(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute(_LAST).fetchone()
    return int(last or 0)
