"""Which due jobs a worker takes up, and how they become its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, update

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import apply
from reportbus.adapters.ledger.contents import Unreadable
from reportbus.adapters.ledger.tasks import COLUMNS, tasks_of
from reportbus.core import lifecycle
from reportbus.core.events import Failed, HandedBack, Kind
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import Company

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row, Select

    from reportbus.adapters.ledger.book import Book
    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.core.jobs import Task
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


class Room:
    """What limits a claim: places in lanes, and the company of jobs that lost workers."""

    def __init__(self, places: dict[str, int], company: Company) -> None:
        self._places = places
        self.company = company

    def admits(self, lane: str, losses: int) -> bool:
        """Whether such a job may come in; if so it is in."""
        places = self._places.get(lane, 1)
        if places <= 0 or not self.company.admits(losses):
            return False
        if lane in self._places:
            self._places[lane] = places - 1
        return True

    def within(self, statement: Select[Any]) -> Select[Any]:
        """The statement, without jobs that could not come in now."""
        if full := self.full:
            statement = statement.where(_jobs.lane.not_in(full))
        most = self.company.most_losses
        return statement if most is None else statement.where(_jobs.losses <= most)

    @property
    def full(self) -> list[str]:
        """The lanes that have no place left."""
        return [lane for lane, places in self._places.items() if places <= 0]


class Claim:
    """How the worker with this number claims."""

    def __init__(self, database: Database, contents: Contents, policies: Policies, worker: int) -> None:
        self._database = database
        self._dialect = database.dialect
        self._contents = contents
        self._policies = policies
        self._worker = worker
        self._promoted = 0.0
        self._among = self._dialect.among(_jobs.job_key, "jobs")
        self._others = ~self._among
        self._ready = self._dialect.locked(_READY, skip=True)
        overdue = self._dialect.locked(_OVERDUE, skip=True)  # what another claim is at is promoted by that
        self._promotion = update(tables.jobs).where(_jobs.job_key.in_(overdue)).values(state="READY")
        self._full: frozenset[str] = frozenset()
        self._keeps_out = False

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
        room = Room(self._places(connection, limits), Company(losses, self._policies.usual.max_losses))
        rows = [
            row for stage, limit in capacity.items() for row in self._of_stage(connection, stage, limit, room)
        ]
        self._full = frozenset(room.full)
        self._keeps_out = room.company.most_losses is not None
        return self._take_up(connection, book, rows) if rows else []

    def waits_for(self, answered: Task) -> bool:
        """Whether the last claim may have passed over others because of this one; its answer lets them in."""
        return answered.job.lane in self._full or (self._keeps_out and answered.job.losses > 0)

    def _promote(self, connection: Connection, now: float) -> None:
        """Waiting jobs whose time has come are ready; asked now and then, not by each claim."""
        if now - self._promoted >= _PROMOTE_SECONDS or now < self._promoted:
            connection.execute(self._promotion, {"now": now})
            self._promoted = now

    def _of_stage(self, connection: Connection, stage: Stage, limit: int, room: Room) -> list[Row[Any]]:
        """Up to so many of the stage's due jobs, locked.

        Where some were passed over it looks again, without what is full by then. Each look brings a job at
        least, and is over once lanes and company hide no other.
        """
        due: list[Row[Any]] = []
        while len(due) < limit:
            statement = room.within(self._ready)
            if due:  # a transaction's own locks hide nothing from it
                statement = statement.where(self._others)
            keys = {"jobs": self._dialect.keys([row.job_key for row in due])} if due else {}
            asked = limit - len(due)
            rows = connection.execute(statement, {"stage": stage.value, "limit": asked, **keys}).all()
            admitted = [row for row in rows if room.admits(row.lane, row.losses)]
            due += admitted
            if len(rows) < asked or len(admitted) == len(rows):
                break
        return due

    def _places(self, connection: Connection, limits: Mapping[str, int]) -> dict[str, int]:
        """How many more jobs each limited lane takes, over all workers."""
        if not limits:
            return {}
        self._dialect.one_at_a_time(connection, _CLAIMING)
        running = connection.execute(
            select(_jobs.lane).where(_jobs.state == "RUNNING", _jobs.lane.in_(list(limits)))
        ).scalars()
        places = dict(limits)
        for lane in running:
            places[lane] -= 1
        return places

    def _take_up(self, connection: Connection, book: Book, rows: Sequence[Row[Any]]) -> list[Task]:
        """Take these jobs, but for those whose requests others have locked, and those that were called off.

        Where all requests are locked, wait for them. A run is called off without the jobs that somebody has
        locked just then, be it only to pass them over: they come back undone, and the run ends.
        """
        book.load(connection, {row.request_key for row in rows}, skip=True)
        free = [row for row in rows if row.request_key in book]
        if not free:
            book.load(connection, {row.request_key for row in rows})
        wanted: list[Row[Any]] = []
        off: list[Row[Any]] = []
        for row in free or rows:
            called_off = book.entry(row.request_key).state.calls_off(Stage(row.stage))
            (off if called_off else wanted).append(row)
        if off:
            self._hand_back(connection, book, off)
        tasks = self._start(connection, book, wanted) if wanted else []
        book.flush(connection)
        return tasks

    def _hand_back(self, connection: Connection, book: Book, rows: Sequence[Row[Any]]) -> None:
        for task in self._tasks(connection, book, rows, {row.job_key: row.fence for row in rows}):
            apply(connection, book, self._policies, task, HandedBack())

    def _start(self, connection: Connection, book: Book, rows: Sequence[Row[Any]]) -> list[Task]:
        """Make these jobs the worker's own, under new fences."""
        connection.execute(
            update(tables.jobs)
            .where(self._among)
            .values(state="RUNNING", worker=self._worker, fence=_jobs.fence + 1),
            {"jobs": self._dialect.keys([row.job_key for row in rows])},
        )
        tasks = self._tasks(connection, book, rows, {row.job_key: row.fence + 1 for row in rows})
        for task in tasks:
            entry = book.entry(task.request_key)
            book.take(entry, lifecycle.start(entry.state, task.job))
        return tasks

    def _tasks(
        self, connection: Connection, book: Book, rows: Sequence[Row[Any]], fences: Mapping[int, int]
    ) -> list[Task]:
        deadlines = {row.request_key: book.entry(row.request_key).expires_at for row in rows}
        return tasks_of(connection, self._database, self._contents, rows, fences, deadlines)


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
