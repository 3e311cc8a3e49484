"""Rows of the ledger as what they stand for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from reportbus.adapters.ledger import tables
from reportbus.core.jobs import Job, Stage
from reportbus.core.model import Artifact

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from reportbus.adapters.ledger.database import Database


def utc_of(stored: datetime) -> datetime:
    """The moment that a timestamp column holds: there it stands in UTC and without a zone."""
    return stored.replace(tzinfo=UTC)


def was_refused(next_job: int) -> bool:
    """Whether a request whose next job has this number was refused: it never had one."""
    return next_job == 1


def job_of(row: Row[Any]) -> Job:
    """The job a row of the jobs table describes."""
    return Job(
        row.number,
        row.run,
        Stage(row.stage),
        row.subject,
        row.lane,
        row.attempt,
        row.losses,
        row.unknowns,
    )


def artifact_of(row: Row[Any]) -> Artifact:
    """The staged file a row of the outputs table describes."""
    return Artifact(row.staging_key, row.file_name, row.format, row.size, row.sha256, row.rows)


def newest_outputs(
    connection: Connection, database: Database, keys: set[int]
) -> dict[int, tuple[Artifact, ...]]:
    """The files of each request's newest run that staged some."""
    output = tables.outputs.c
    statement = (
        select(tables.outputs)
        .where(database.dialect.among(output.request_key, "keys"))
        .order_by(output.request_key, output.run, output.number)
    )
    newest: dict[int, tuple[int, tuple[Artifact, ...]]] = {}
    for row in connection.execute(statement, {"keys": database.dialect.keys(keys)}).all():
        run, artifacts = newest.get(row.request_key, (0, ()))
        others = artifacts if run == row.run else ()
        newest[row.request_key] = (row.run, (*others, artifact_of(row)))
    return {key: artifacts for key, (_, artifacts) in newest.items()}


def targets_of(text: str) -> tuple[int, ...]:
    """Targets as a column holds them: empty, or a JSON list."""
    return tuple(json.loads(text)) if text else ()
