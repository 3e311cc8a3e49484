"""The ledger for one worker: claim jobs, record their answers, show signs of life."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, bindparam, insert, select, update

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import Keeping, apply, refuse_answer, tell
from reportbus.adapters.ledger.book import Book
from reportbus.adapters.ledger.claim import Claim, fail_unreadable
from reportbus.adapters.ledger.dialects import utc
from reportbus.adapters.ledger.reclaim import excuse, take_back
from reportbus.adapters.ledger.tasks import COLUMNS, tasks_of
from reportbus.core.codec import encode
from reportbus.core.errors import ReportbusError
from reportbus.core.events import Failed, Kind
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import IllegalStep
from reportbus.ports import Pulse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.doorbell import Doorbell
    from reportbus.adapters.ledger.liveness import Liveness
    from reportbus.core.events import Event
    from reportbus.core.jobs import Task
    from reportbus.core.lifecycle import Policies
    from reportbus.core.model import JsonValue

_jobs = tables.jobs.c
_WITH_DEADLINES: Final[tuple[Column[Any], ...]] = (*COLUMNS, tables.requests.c.expires_at)
_RUNNING: Final = (
    select(*_WITH_DEADLINES)
    .join(tables.requests, tables.requests.c.request_key == _jobs.request_key)
    .where(_jobs.state == "RUNNING", _jobs.worker == bindparam("me"))
)
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
        self._among = self._dialect.among(_jobs.job_key, "jobs")
        self._hands: dict[int, Task] = {}
        self._uncertain = False
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self.worker = self._enroll(self.name)
        self._claim = Claim(database, contents, policies, self.worker)

    def claim(self, capacity: Mapping[Stage, int], limits: Mapping[str, int]) -> Sequence[Task]:
        self._limited = frozenset(limits)
        with self._certainly() as connection:
            now = self._dialect.now(connection)
            if connection.execute(_ALIVE, {"worker": self.worker}).scalar_one():
                return []
            found = self._found(connection) if self._uncertain else []
            book, unread = Book(self._dialect, now), Book(self._dialect, now)
            taken = self._claim.take(connection, book, capacity, limits, self._losses())
            tasks = fail_unreadable(connection, unread, self._policies, [*found, *taken])
        tell(book)
        tell(unread)
        self._take_in_hand(tasks)
        return tasks

    def record(self, events: Sequence[Event], capacity: Mapping[Stage, int]) -> Sequence[Task]:
        keeping = Keeping(self.worker, capacity, self._limited)
        with self._certainly() as connection:
            book = Book(self._dialect, self._dialect.now(connection))
            book.load(connection, [event.task.request_key for event in events])
            mine = self._mine(connection, events)
            done = {
                key: event.task
                for event in events
                if (key := self._enter(connection, book, event, mine, keeping))
            }
            book.ready = book.ready or any(map(self._claim.waits_for, done.values()))
            book.flush(connection)
        for key in done:
            self._hands.pop(key, None)
        tell(book)
        self._take_in_hand(keeping.tasks)
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
        deadlines = {row.request_key: row.expires_at for row in lost}
        return tasks_of(connection, self._database, self._contents, lost, fences, deadlines)

    def _losses(self) -> Iterator[int]:
        """Of those jobs in hand that have some."""
        return (task.job.losses for task in self._hands.values() if task.job.losses)

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
