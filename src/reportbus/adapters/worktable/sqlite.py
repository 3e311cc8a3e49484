"""The worktable as a file: the specification's two tables, for any SQLite client to insert into.

* STATUS is PENDING in any letter case and with blanks around it; no other value, nor NULL, is taken up.
* STATUS, PROCESSED_AT and COMPLETED_AT are ours to write, in UTC. Whatever somebody else put into
  PROCESSED_AT, a PENDING row comes up again within a week.
* A request's DISTRIBUTION_CONFIG rows count if they are committed when it is fetched: insert them before the
  request, or in one transaction with it.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from reportbus.adapters.sqlite.changes import Changes
from reportbus.adapters.sqlite.database import Database, timestamp
from reportbus.adapters.sqlite.many import execute_rows
from reportbus.adapters.worktable import sqlite_tables as tables
from reportbus.core.errors import Permanent
from reportbus.core.text import have
from reportbus.ports import WorktableRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from reportbus.core.model import JsonValue
    from reportbus.ports import WriteBack

CODE: Final = "SYS_WORKTABLE"

MAX_FETCH: Final = 32 * 1024 * 1024
"""Characters of one fetch; it ends early with the row that reaches them."""

MAX_TARGETS: Final = 2_000
"""DISTRIBUTION_CONFIG rows read of one request, far more than one may have."""

_NAMED: Final = 20  # ids that an error names


class SqliteWorktable:
    """REPORT_REQUESTS and DISTRIBUTION_CONFIG in the SQLite file `path`, made where they are missing."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, synchronous="FULL", code=CODE)
        try:
            self._prepare()
            self._changes = Changes(path, CODE)
        except BaseException:
            self._database.close()
            raise

    def fetch(self, limit: int, *, again: int, published_before: datetime) -> Sequence[WorktableRow]:
        with self._database.read() as connection:
            rowids = [rowid for (rowid,) in connection.execute(tables.FIND_NEW, {"limit": limit})]
            if again:
                due = {"limit": again, "before": timestamp(published_before)}
                rowids += [rowid for (rowid,) in connection.execute(tables.FIND_AGAIN, due)]
            return _rows(connection, rowids) if rowids else ()

    def find(self, request_id: str) -> WorktableRow | None:
        with self._database.read() as connection:
            found = connection.execute(tables.FIND_ID, (request_id,)).fetchone()
            return None if found is None else _rows(connection, [*found])[0]

    def alike(self, request_id: str) -> Sequence[WorktableRow]:
        with self._database.read() as connection:
            rowids = [rowid for (rowid,) in connection.execute(tables.FIND_ALIKE, (request_id,))]
            return _rows(connection, rowids) if rowids else ()

    def stamp(self, refs: Sequence[str], at: datetime) -> None:
        stamped = timestamp(at)
        with self._database.write() as connection:
            execute_rows(connection.execute, tables.STAMP, [(ref, stamped) for ref in refs])

    def write_back(self, changes: Sequence[WriteBack]) -> int:
        if not changes:
            return 0
        with self._database.write() as connection:
            return sum(execute_rows(connection.execute, tables.WRITE_BACK, rows) for rows in _rounds(changes))

    def insert(self, rows: Sequence[Mapping[str, JsonValue]]) -> None:
        with self._database.write() as connection:
            _refuse_duplicates(connection, rows)
            for row in rows:
                connection.execute(_insertion(tuple(row)), [_stored(value) for value in row.values()])

    def changed(self, timeout: float) -> bool:
        return self._changes.wait(timeout)

    def close(self) -> None:
        self._changes.close()
        self._database.close()

    def _prepare(self) -> None:
        self._database.create(tables.TABLES)
        for table, columns in tables.COLUMNS.items():
            self._database.require(table, columns)
        self._database.create(tables.INDEXES)


def _rows(connection: sqlite3.Connection, rowids: list[int]) -> list[WorktableRow]:
    wanted = {"rowids": json.dumps(rowids)}
    targets = _targets(connection, wanted)
    rows: list[WorktableRow] = []
    size = 0
    for rowid, ref, *values in connection.execute(tables.READ_REQUESTS, wanted):
        columns = dict(zip(tables.REQUEST_COLUMNS, values, strict=True))
        rows.append(WorktableRow(ref, columns, targets.get(rowid, ())))
        size += sum(len(value) for value in values if isinstance(value, str))
        if size >= MAX_FETCH:
            break
    return rows


def _targets(
    connection: sqlite3.Connection, wanted: Mapping[str, str]
) -> dict[int, tuple[Mapping[str, JsonValue], ...]]:
    """The DISTRIBUTION_CONFIG rows of the requests in rows `wanted`, by the request's row."""
    found = connection.execute(tables.READ_TARGETS, wanted)
    return {
        rowid: tuple(
            dict(zip(tables.TARGET_COLUMNS, values, strict=True)) for _, *values in islice(rows, MAX_TARGETS)
        )
        for rowid, rows in groupby(found, key=itemgetter(0))
    }


def _rounds(changes: Sequence[WriteBack]) -> Iterator[list[tuple[str | int | None, ...]]]:
    """The changes as rows, in order; a further change of the same row comes in a later round."""
    while changes:
        firsts: dict[str, WriteBack] = {}
        later = [change for change in changes if firsts.setdefault(change.ref, change) is not change]
        yield [_written(change) for change in firsts.values()]
        changes = later


def _written(change: WriteBack) -> tuple[str | int | None, ...]:
    completed_at = timestamp(change.completed_at) if change.completed_at else None
    status = change.status
    return (change.ref, status.value, completed_at, tables.RANK[status], change.reopened)


def _refuse_duplicates(connection: sqlite3.Connection, rows: Sequence[Mapping[str, JsonValue]]) -> None:
    ids = Counter(str(row["REQUEST_ID"]) for row in rows if row.get("REQUEST_ID") is not None)
    taken = {request_id for (request_id,) in connection.execute(tables.HAVE_IDS, (json.dumps(list(ids)),))}
    duplicates = sorted(taken.union(request_id for request_id, count in ids.items() if count > 1))
    if duplicates:
        head = "1 request id is" if len(duplicates) == 1 else f"{len(duplicates)} request ids are"
        text = f"{head} not new: {', '.join(map(repr, duplicates[:_NAMED]))}"
        raise Permanent("VAL_DUPLICATE_ID_CONFLICT", text)


@functools.lru_cache
def _insertion(columns: tuple[str, ...]) -> str:
    unknown = sorted(set(columns).difference(tables.REQUEST_COLUMNS))
    if unknown:
        text = f"table REPORT_REQUESTS has no column {', '.join(unknown)}; {have(tables.REQUEST_COLUMNS)}"
        raise Permanent(f"{CODE}_SCHEMA", text)
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    return f"INSERT INTO REPORT_REQUESTS ({names}) VALUES ({marks})"  # noqa: S608 - names out of our own list


def _stored(value: JsonValue) -> int | float | str | None:
    return json.dumps(value) if isinstance(value, dict | list) else value
