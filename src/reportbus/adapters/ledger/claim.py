"""Which due jobs a worker takes up, and how they become its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, update

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import apply
from reportbus.adapters.ledger.contents import Unreadable
from reportbus.adapters.ledger.tasks import COLUMNS, tasks_of
from reportbus.core import lifecycle
from reportbus.core.events import Failed, Kind
from reportbus.core.lifecycle import Company

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from reportbus.adapters.ledger.book import Book
    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.core.jobs import Stage, Task
    from reportbus.core.lifecycle import Policies

_CLAIMING: Final = 0x7265_7001
"""The purpose under which claims take turns where lanes are limited."""

_PROMOTE_SECONDS: Final = 0.2
"""How long a claim may pass over jobs that came due in the meantime."""

_jobs = tables.jobs.c
_READY: Final = (
    select(*COLUMNS)
    .where(_jobs.state == "READY", _jobs.stage == bindparam("stage"))
    .order_by(_jobs.rank)
    .limit(bindparam("limit"))
)
_OVERDUE: Final = select(_jobs.job_key).where(_jobs.state == "WAITING", _jobs.due_at <= bindparam("now"))


class Claim:
    """How the worker with this number claims. `left_out` says whether the last claim left something out."""

    def __init__(self, database: Database, contents: Contents, policies: Policies, worker: int) -> None:
        self._database = database
        self._dialect = database.dialect
        self._contents = contents
        self._policies = policies
        self._worker = worker
        self._promoted = 0.0
        self._among = self._dialect.among(_jobs.job_key, "jobs")
        self._ready = self._dialect.locked(_READY, skip=True)
        overdue = self._dialect.locked(_OVERDUE, skip=True)  # what another claim is at is promoted by that
        self._promotion = update(tables.jobs).where(_jobs.job_key.in_(overdue)).values(state="READY")
        self.left_out = False

    def take(
        self,
        connection: Connection,
        book: Book,
        capacity: Mapping[Stage, int],
        limits: Mapping[str, int],
        losses: Iterable[int],
    ) -> list[Task]:
        """Take up due jobs; `losses` are those of the jobs in hand, as far as they have any."""
        self._promote(connection, book.now)
        if limits:
            self._dialect.one_at_a_time(connection, _CLAIMING)
        rows = self._due(connection, capacity, limits, losses)
        return self._take_up(connection, book, rows) if rows else []

    def _promote(self, connection: Connection, now: float) -> None:
        """Waiting jobs whose time has come are ready; asked now and then, not by each claim."""
        if now - self._promoted >= _PROMOTE_SECONDS or now < self._promoted:
            connection.execute(self._promotion, {"now": now})
            self._promoted = now

    def _due(
        self,
        connection: Connection,
        capacity: Mapping[Stage, int],
        limits: Mapping[str, int],
        losses: Iterable[int],
    ) -> list[Row[Any]]:
        left = self._room(connection, limits) if limits else {}
        statement = self._ready
        full = [lane for lane, room in left.items() if room <= 0]
        if full:
            statement = statement.where(_jobs.lane.not_in(full))
        company = Company(losses, self._policies.usual.max_losses)
        if company.full:
            statement = statement.where(_jobs.losses == 0)
        self.left_out = company.full
        due: list[Row[Any]] = []
        for stage, limit in capacity.items():
            if limit <= 0:
                continue
            for row in connection.execute(statement, {"stage": stage.value, "limit": limit}).all():
                room = left.get(row.lane)
                if room is not None and room <= 0:
                    continue
                if not company.admits(row.losses):
                    self.left_out = True
                    continue
                if room is not None:
                    left[row.lane] = room - 1
                due.append(row)
        return due

    def _take_up(self, connection: Connection, book: Book, rows: Sequence[Row[Any]]) -> list[Task]:
        """Take these jobs, but for those whose requests others have locked.

        Where all have been locked, wait for them.
        """
        book.load(connection, {row.request_key for row in rows}, skip=True)
        free = [row for row in rows if row.request_key in book]
        if not free:
            book.load(connection, {row.request_key for row in rows})
        rows = free or rows
        connection.execute(
            update(tables.jobs)
            .where(self._among)
            .values(state="RUNNING", worker=self._worker, fence=_jobs.fence + 1),
            {"jobs": self._dialect.keys([row.job_key for row in rows])},
        )
        fences = {row.job_key: row.fence + 1 for row in rows}
        deadlines = {row.request_key: book.entry(row.request_key).expires_at for row in rows}
        tasks = tasks_of(connection, self._database, self._contents, rows, fences, deadlines)
        for task in tasks:
            entry = book.entry(task.request_key)
            book.take(entry, lifecycle.start(entry.state, task.job))
        book.flush(connection)
        return tasks

    def _room(self, connection: Connection, limits: Mapping[str, int]) -> dict[str, int]:
        running = connection.execute(
            select(_jobs.lane).where(_jobs.state == "RUNNING", _jobs.lane.in_(list(limits)))
        ).scalars()
        left = dict(limits)
        for lane in running:
            left[lane] -= 1
        return left


def fail_unreadable(connection: Connection, book: Book, policies: Policies, tasks: list[Task]) -> list[Task]:
    """Fail the jobs whose requests cannot be read, so that no stage sees them; the others."""
    bad = [task for task in tasks if isinstance(task.request, Unreadable)]
    if not bad:
        return tasks
    book.load(connection, {task.request_key for task in bad})
    for task in bad:
        why = task.request.why if isinstance(task.request, Unreadable) else ""
        apply(connection, book, policies, task, Failed(Kind.PERMANENT, "SYS_CONTENT", why))
    book.flush(connection)
    return [task for task in tasks if not isinstance(task.request, Unreadable)]
