"""Taking jobs back from workers that are gone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, update

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import apply, tell
from reportbus.adapters.ledger.book import Book
from reportbus.adapters.ledger.rows import job_of
from reportbus.core.events import Lost, Released
from reportbus.core.jobs import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Row

    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.dialects import Dialect
    from reportbus.adapters.ledger.liveness import Liveness
    from reportbus.core.lifecycle import Policies

BATCH: Final = 1000
"""At most this many jobs are taken back in one transaction."""

_jobs = tables.jobs.c
_workers = tables.workers.c
_HERE: Final = (
    select(_workers.worker, _workers.lease_until).where(_workers.gone.is_(False)).order_by(_workers.worker)
)
_HOLDERS: Final = (
    select(_workers.worker)
    .where(
        _workers.worker.in_(select(_jobs.worker).where(_jobs.state == "RUNNING")),
        _workers.gone.is_(True),
    )
    .order_by(_workers.worker)
)
_HELD: Final = (
    select(tables.jobs)
    .where(_jobs.state == "RUNNING", _jobs.worker == bindparam("who"))
    .order_by(_jobs.job_key)
    .limit(BATCH)
)
_GONE: Final = update(tables.workers).where(_workers.worker == bindparam("who")).values(gone=True)


def bury(database: Database, liveness: Liveness) -> int:
    """Mark the workers that are gone or let their lease lapse.

    How many. From then on their claims are refused.
    """
    with database.write() as connection:
        now = database.dialect.now(connection)
        dead = [
            row.worker
            for row in connection.execute(_HERE).all()
            if row.lease_until < now or liveness.gone(row.worker, connection)
        ]
        for worker in dead:
            connection.execute(_GONE, {"who": worker})
    return len(dead)


def take_back(database: Database, contents: Contents, policies: Policies, worker: int | None = None) -> int:
    """Reopen (or give up, after too many losses) the jobs in the hands of buried workers; how many.

    Nobody can tell what was done of a job that is still in such hands: it counts as lost. With `worker` only
    its jobs are taken, and count as released, since whoever calls lives; otherwise jobs of requests that
    others have locked are left to the next call.
    """
    answer, skip = (Lost(), True) if worker is None else (Released(), False)
    with database.read() as connection:
        holders = connection.execute(_HOLDERS).scalars().all()
    return sum(
        _take_all(database, contents, policies, holder, answer, skip=skip)
        for holder in holders
        if worker in {None, holder}
    )


def excuse(connection: Connection, dialect: Dialect, worker: int, jobs: Collection[int]) -> None:
    """Those of the worker's jobs that count as lost, because it was taken for dead, count as released.

    It lives, so they did not kill it. Jobs that somebody is at just now are left as they are.
    """
    lost = dialect.locked(
        select(_jobs.job_key).where(
            dialect.among(_jobs.job_key, "jobs"),
            _jobs.worker != worker,
            _jobs.losses > 0,
            _jobs.state.in_(tables.OPEN_STATES),
        ),
        skip=True,
    )
    change = {"losses": _jobs.losses - 1, "unknowns": _jobs.unknowns + 1}
    statement = update(tables.jobs).where(_jobs.job_key.in_(lost)).values(change)
    connection.execute(statement, {"jobs": dialect.keys(jobs)})


def _take_all(
    database: Database,
    contents: Contents,
    policies: Policies,
    worker: int,
    answer: Lost | Released,
    *,
    skip: bool,
) -> int:
    taken = 0
    while True:
        with database.write() as connection:
            found = connection.execute(_HELD, {"who": worker}).all()
            book = Book(database.dialect, database.dialect.now(connection))
            count = 0
            if found:
                book.load(connection, {row.request_key for row in found}, skip=skip)
                count = _lose(connection, database, book, contents, policies, found, answer)
        tell(book)
        taken += count
        if count < BATCH:
            return taken


def _lose(
    connection: Connection,
    database: Database,
    book: Book,
    contents: Contents,
    policies: Policies,
    found: Sequence[Row[Any]],
    answer: Lost | Released,
) -> int:
    still = _locked(connection, database, [row for row in found if row.request_key in book])
    requests = contents.get(connection, {row.request_key for row in still})
    for row in still:
        task = Task(
            row.request_key,
            job_of(row),
            row.fence,
            requests[row.request_key],
            datetime.fromtimestamp(book.entry(row.request_key).expires_at, UTC),
            checkpoint=json.loads(row.checkpoint) if row.checkpoint else {},
        )
        apply(connection, book, policies, task, answer)
    book.flush(connection)
    return len(still)


def _locked(connection: Connection, database: Database, found: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """The jobs again, now that their requests are locked: another sweep may have been quicker."""
    statement = (
        select(tables.jobs)
        .join(tables.workers, _workers.worker == _jobs.worker)
        .where(
            database.dialect.among(_jobs.job_key, "jobs"),
            _jobs.state == "RUNNING",
            _workers.gone.is_(True),
        )
    )
    return connection.execute(
        statement, {"jobs": database.dialect.keys([row.job_key for row in found])}
    ).all()
