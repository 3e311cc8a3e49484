"""Rows of the jobs table as tasks, with all it takes to do them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.rows import job_of, newest_outputs, targets_of
from reportbus.core.jobs import Stage, Task
from reportbus.core.model import Artifact, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database

_jobs = tables.jobs.c
COLUMNS: Final[tuple[Column[Any], ...]] = (
    _jobs.job_key,
    _jobs.request_key,
    _jobs.number,
    _jobs.run,
    _jobs.stage,
    _jobs.subject,
    _jobs.lane,
    _jobs.attempt,
    _jobs.losses,
    _jobs.unknowns,
    _jobs.fence,
    _jobs.checkpoint,
)
"""What a task is made from."""


def tasks_of(
    connection: Connection,
    database: Database,
    contents: Contents,
    rows: Sequence[Row[Any]],
    fences: Mapping[int, int],
    deadlines: Mapping[int, float],
) -> list[Task]:
    """The rows' jobs with all it takes to do them: fences by job, deadlines by request."""
    if not rows:
        return []
    requests = contents.get(connection, {row.request_key for row in rows})
    artifacts = _artifacts(connection, database, rows)
    outcomes = _outcomes(connection, database, rows)
    return [
        Task(
            row.request_key,
            job_of(row),
            fences[row.job_key],
            requests[row.request_key],
            datetime.fromtimestamp(deadlines[row.request_key], UTC),
            artifacts.get(row.request_key, ()),
            outcomes.get((row.request_key, row.run)),
            json.loads(row.checkpoint) if row.checkpoint else {},
        )
        for row in rows
    ]


def _artifacts(
    connection: Connection, database: Database, rows: Sequence[Row[Any]]
) -> dict[int, tuple[Artifact, ...]]:
    """The newest staged files of the requests whose jobs need them."""
    keys = {row.request_key for row in rows if row.stage != Stage.GENERATE}
    return newest_outputs(connection, database, keys) if keys else {}


def _outcomes(
    connection: Connection, database: Database, rows: Sequence[Row[Any]]
) -> dict[tuple[int, int], Outcome]:
    """How the runs ended that notices are about."""
    keys = {row.request_key for row in rows if row.stage == Stage.NOTIFY}
    if not keys:
        return {}
    ended = tables.runs.c
    statement = select(tables.runs).where(database.dialect.among(ended.request_key, "keys"))
    return {
        (row.request_key, row.run): Outcome(Status(row.status), row.code, row.reason, targets_of(row.missing))
        for row in connection.execute(statement, {"keys": database.dialect.keys(keys)})
    }
