"""The ledger for one worker: claim jobs, record their answers, show signs of life."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, bindparam, insert, select, update

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import Keeping, apply, refuse_answer, tell
from reportbus.adapters.ledger.book import Book
from reportbus.adapters.ledger.contents import Unreadable
from reportbus.adapters.ledger.dialects import utc
from reportbus.adapters.ledger.reclaim import excuse, take_back
from reportbus.adapters.ledger.rows import job_of, newest_outputs, targets_of
from reportbus.core import lifecycle
from reportbus.core.codec import encode
from reportbus.core.errors import ReportbusError
from reportbus.core.events import Failed, Kind
from reportbus.core.jobs import Stage, Task
from reportbus.core.lifecycle import Company, IllegalStep
from reportbus.core.model import Artifact, Outcome, Status
from reportbus.ports import Pulse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.doorbell import Doorbell
    from reportbus.adapters.ledger.liveness import Liveness
    from reportbus.core.events import Event
    from reportbus.core.lifecycle import Policies
    from reportbus.core.model import JsonValue

_CLAIMING: Final = 0x7265_7001
"""The purpose under which claims take turns where lanes are limited."""

_PROMOTE_SECONDS: Final = 0.2
"""How long a claim may pass over jobs that came due in the meantime."""

_jobs = tables.jobs.c
_CLAIMED: Final[tuple[Column[Any], ...]] = (
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
_READY: Final = (
    select(*_CLAIMED)
    .where(_jobs.state == "READY", _jobs.stage == bindparam("stage"))
    .order_by(_jobs.rank)
    .limit(bindparam("limit"))
)
_WITH_DEADLINES: Final[tuple[Column[Any], ...]] = (*_CLAIMED, tables.requests.c.expires_at)
_RUNNING: Final = (
    select(*_WITH_DEADLINES)
    .join(tables.requests, tables.requests.c.request_key == _jobs.request_key)
    .where(_jobs.state == "RUNNING", _jobs.worker == bindparam("me"))
)
_OVERDUE: Final = select(_jobs.job_key).where(_jobs.state == "WAITING", _jobs.due_at <= bindparam("now"))
_ALIVE: Final = select(tables.workers.c.gone).where(tables.workers.c.worker == bindparam("worker"))
_RENEW: Final = (
    update(tables.workers)
    .where(tables.workers.c.worker == bindparam("me"), tables.workers.c.gone.is_(False))
    .values(lease_until=bindparam("until"))
)


class SqlWorkLedger:
    """One worker's hands on the ledger. Claims and records come from one thread at a time."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
        policies: Policies,
        liveness: Liveness,
        doorbell: Doorbell,
        *,
        lease_seconds: float,
        name: str = "",
    ) -> None:
        self._database = database
        self._dialect = database.dialect
        self._contents = contents
        self._policies = policies
        self._liveness = liveness
        self._doorbell = doorbell
        self._lease = lease_seconds
        self._limited: frozenset[str] = frozenset()
        self._promoted = 0.0
        self._among = self._dialect.among(_jobs.job_key, "jobs")
        overdue = self._dialect.locked(_OVERDUE, skip=True)  # what another claim is at is promoted by that
        self._promotion = update(tables.jobs).where(_jobs.job_key.in_(overdue)).values(state="READY")
        self._hands: dict[int, Task] = {}
        self._left_out = False
        self._uncertain = False
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self.worker = self._enroll(self.name)

    def claim(self, capacity: Mapping[Stage, int], limits: Mapping[str, int]) -> Sequence[Task]:
        self._limited = frozenset(limits)
        with self._certainly() as connection:
            now = self._dialect.now(connection)
            if connection.execute(_ALIVE, {"worker": self.worker}).scalar_one():
                return []
            found = self._found(connection) if self._uncertain else []
            self._promote(connection, now)
            if limits:
                self._dialect.one_at_a_time(connection, _CLAIMING)
            rows = self._due(connection, capacity, limits)
            tasks = [*found, *(self._take_up(connection, now, rows) if rows else ())]
            book = Book(self._dialect, now)
            tasks = self._fail_unreadable(connection, book, tasks)
        tell(book)
        self._take_in_hand(tasks)
        return tasks

    def record(self, events: Sequence[Event], capacity: Mapping[Stage, int]) -> Sequence[Task]:
        keeping = Keeping(self.worker, capacity, self._limited)
        with self._certainly() as connection:
            book = Book(self._dialect, self._dialect.now(connection))
            book.load(connection, [event.task.request_key for event in events])
            mine = self._mine(connection, events)
            done = [key for event in events if (key := self._enter(connection, book, event, mine, keeping))]
            book.flush(connection)
        for key in done:
            self._hands.pop(key, None)
        tell(book)
        self._take_in_hand(keeping.tasks)
        if book.ready or self._left_out:
            self._doorbell.ring()
        self._forget(book, events)
        return keeping.tasks

    def checkpoint(self, task: Task, data: Mapping[str, JsonValue]) -> bool:
        statement = (
            update(tables.jobs)
            .where(
                _jobs.job_key == tables.job_key(task.request_key, task.job.number),
                _jobs.fence == task.fence,
                _jobs.worker == self.worker,
            )
            .values(checkpoint=encode(data))
        )
        with self._database.write() as connection:
            return connection.execute(statement).rowcount == 1

    def renew(self) -> Pulse:
        if not self._liveness.holding(self.worker):
            return Pulse(alive=False)
        stopping = (
            select(_jobs.request_key, _jobs.number)
            .join(tables.requests, tables.requests.c.request_key == _jobs.request_key)
            .where(
                _jobs.state == "RUNNING",
                _jobs.worker == self.worker,
                _jobs.stage != Stage.NOTIFY.value,  # the end of a cancelled run is told like any other
                tables.requests.c.ending != "",
            )
        )
        with self._database.write() as connection:
            until = self._dialect.now(connection) + self._lease
            renewed = connection.execute(_RENEW, {"me": self.worker, "until": until}).rowcount
            stop = frozenset((row.request_key, row.number) for row in connection.execute(stopping))
        return Pulse(alive=renewed == 1, stop=stop)

    def wait(self, timeout: float) -> bool:
        return self._doorbell.wait(timeout)

    def close(self) -> None:
        gone = update(tables.workers).where(tables.workers.c.worker == self.worker).values(gone=True)
        try:
            with self._database.write() as connection:
                if self._hands:
                    excuse(connection, self._dialect, self.worker, self._hands)
                connection.execute(gone)
        finally:  # where the ledger is away, whoever sweeps it later finds this worker gone
            self._liveness.drop(self.worker)
        take_back(self._database, self._contents, self._policies, self.worker)

    # -- inside

    @contextmanager
    def _certainly(self) -> Iterator[Connection]:
        """A transaction; where its commit fails nobody knows what it did, and the next claim looks."""
        try:
            with self._database.write() as connection:
                yield connection
        except ReportbusError:
            self._uncertain = True
            raise

    def _take_in_hand(self, tasks: Sequence[Task]) -> None:
        self._hands.update({tables.job_key(task.request_key, task.job.number): task for task in tasks})

    def _found(self, connection: Connection) -> list[Task]:
        """Tasks this worker was given by a transaction whose commit it did not hear of."""
        rows = connection.execute(_RUNNING, {"me": self.worker}).all()
        fences = {key: task.fence for key, task in self._hands.items()}
        lost = [row for row in rows if fences.get(row.job_key) != row.fence]
        self._uncertain = False
        fences = {row.job_key: row.fence for row in lost}
        return self._tasks(connection, lost, fences, {row.request_key: row.expires_at for row in lost})

    def _enroll(self, name: str) -> int:
        worker = 0
        try:
            with self._database.write() as connection:
                now = self._dialect.now(connection)
                values = {
                    "name": name[:255],
                    "started_at": utc(now),
                    "lease_until": now + self._lease,
                    "gone": False,
                }
                enrolled = insert(tables.workers).values(values).returning(tables.workers.c.worker)
                worker = int(connection.execute(enrolled).scalar_one())
                self._liveness.hold(worker)
        except BaseException:  # whether or not it was committed, nobody works under this number
            self._liveness.drop(worker)
            raise
        return worker

    def _promote(self, connection: Connection, now: float) -> None:
        """Waiting jobs whose time has come are ready; asked now and then, not by each claim."""
        if now - self._promoted >= _PROMOTE_SECONDS or now < self._promoted:
            connection.execute(self._promotion, {"now": now})
            self._promoted = now

    def _due(
        self, connection: Connection, capacity: Mapping[Stage, int], limits: Mapping[str, int]
    ) -> list[Row[Any]]:
        left = self._room(connection, limits) if limits else {}
        statement = self._dialect.locked(_READY, skip=True)
        full = [lane for lane, room in left.items() if room <= 0]
        if full:
            statement = statement.where(_jobs.lane.not_in(full))
        company = Company(self._losses(), self._policies.usual.max_losses)
        if company.full:
            statement = statement.where(_jobs.losses == 0)
        self._left_out = company.full
        due: list[Row[Any]] = []
        for stage, limit in capacity.items():
            if limit <= 0:
                continue
            for row in connection.execute(statement, {"stage": stage.value, "limit": limit}).all():
                room = left.get(row.lane)
                if room is not None and room <= 0:
                    continue
                if not company.admits(row.losses):
                    self._left_out = True
                    continue
                if room is not None:
                    left[row.lane] = room - 1
                due.append(row)
        return due

    def _losses(self) -> Iterator[int]:
        """Of those jobs in hand that have some."""
        return (task.job.losses for task in self._hands.values() if task.job.losses)

    def _room(self, connection: Connection, limits: Mapping[str, int]) -> dict[str, int]:
        running = connection.execute(
            select(_jobs.lane).where(_jobs.state == "RUNNING", _jobs.lane.in_(list(limits)))
        ).scalars()
        left = dict(limits)
        for lane in running:
            left[lane] -= 1
        return left

    def _take_up(self, connection: Connection, now: float, rows: Sequence[Row[Any]]) -> list[Task]:
        """Take these jobs, but for those whose requests others have locked.

        Where all have been locked, wait for them.
        """
        book = Book(self._dialect, now)
        book.load(connection, {row.request_key for row in rows}, skip=True)
        free = [row for row in rows if row.request_key in book]
        if not free:
            book.load(connection, {row.request_key for row in rows})
        rows = free or rows
        connection.execute(
            update(tables.jobs)
            .where(self._among)
            .values(state="RUNNING", worker=self.worker, fence=_jobs.fence + 1),
            {"jobs": self._dialect.keys([row.job_key for row in rows])},
        )
        fences = {row.job_key: row.fence + 1 for row in rows}
        deadlines = {row.request_key: book.entry(row.request_key).expires_at for row in rows}
        tasks = self._tasks(connection, rows, fences, deadlines)
        for task in tasks:
            entry = book.entry(task.request_key)
            book.take(entry, lifecycle.start(entry.state, task.job))
        book.flush(connection)
        return tasks

    def _fail_unreadable(self, connection: Connection, book: Book, tasks: list[Task]) -> list[Task]:
        """Fail the jobs whose requests cannot be read, so that no stage sees them; the others."""
        bad = [task for task in tasks if isinstance(task.request, Unreadable)]
        if not bad:
            return tasks
        book.load(connection, {task.request_key for task in bad})
        for task in bad:
            why = task.request.why if isinstance(task.request, Unreadable) else ""
            apply(connection, book, self._policies, task, Failed(Kind.PERMANENT, "SYS_CONTENT", why))
        book.flush(connection)
        return [task for task in tasks if not isinstance(task.request, Unreadable)]

    def _tasks(
        self,
        connection: Connection,
        rows: Sequence[Row[Any]],
        fences: Mapping[int, int],
        deadlines: Mapping[int, float],
    ) -> list[Task]:
        """The rows' jobs with all it takes to do them: fences by job, deadlines by request."""
        if not rows:
            return []
        requests = self._contents.get(connection, {row.request_key for row in rows})
        artifacts = self._artifacts(connection, rows)
        outcomes = self._outcomes(connection, rows)
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

    def _artifacts(self, connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, tuple[Artifact, ...]]:
        """The newest staged files of the requests whose jobs need them."""
        keys = {row.request_key for row in rows if row.stage != Stage.GENERATE}
        return newest_outputs(connection, self._database, keys) if keys else {}

    def _outcomes(self, connection: Connection, rows: Sequence[Row[Any]]) -> dict[tuple[int, int], Outcome]:
        """How the runs ended that notices are about."""
        keys = {row.request_key for row in rows if row.stage == Stage.NOTIFY}
        if not keys:
            return {}
        ended = tables.runs.c
        statement = select(tables.runs).where(self._dialect.among(ended.request_key, "keys"))
        return {
            (row.request_key, row.run): Outcome(
                Status(row.status), row.code, row.reason, targets_of(row.missing)
            )
            for row in connection.execute(statement, {"keys": self._dialect.keys(keys)})
        }

    def _mine(self, connection: Connection, events: Sequence[Event]) -> dict[int, int]:
        """The fences of those jobs that are running in this worker's hands, by job key."""
        statement = select(_jobs.job_key, _jobs.fence).where(
            self._among, _jobs.state == "RUNNING", _jobs.worker == self.worker
        )
        keys = [tables.job_key(event.task.request_key, event.task.job.number) for event in events]
        rows = connection.execute(statement, {"jobs": self._dialect.keys(keys)}).all()
        return {row.job_key: row.fence for row in rows}

    def _enter(
        self, connection: Connection, book: Book, event: Event, mine: dict[int, int], keeping: Keeping
    ) -> int:
        """Enter an answer, if this worker may answer; the key of the job that is out of its hands then."""
        task = event.task
        key = tables.job_key(task.request_key, task.job.number)
        if mine.get(key) != task.fence:
            refuse_answer(book, task, event.answer, "the job is not in this worker's hands any more")
            return 0
        try:
            apply(connection, book, self._policies, task, event.answer, keeping)
        except IllegalStep as error:
            misfit = Failed(Kind.PERMANENT, "SYS_INTERNAL", f"the answer does not fit the job: {error}")
            apply(connection, book, self._policies, task, misfit, keeping)
        del mine[key]
        return key

    def _forget(self, book: Book, events: Sequence[Event]) -> None:
        for event in events:
            if book.entry(event.task.request_key).state.ended:
                self._contents.drop(event.task.request_key)
