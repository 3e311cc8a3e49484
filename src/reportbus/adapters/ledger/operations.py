"""The ledger for people and pumps: sweep, cancel, retry, and what the worktable does not know yet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import open_jobs, past_of
from reportbus.adapters.ledger.book import Book
from reportbus.adapters.ledger.contents import Unreadable
from reportbus.adapters.ledger.reclaim import bury, take_back
from reportbus.adapters.ledger.rows import job_of, newest_outputs, utc_of, was_refused
from reportbus.core import lifecycle
from reportbus.core.errors import Problem, Refused
from reportbus.core.lifecycle import IllegalStep
from reportbus.core.model import Status
from reportbus.core.notes import Component
from reportbus.ports import Pending, Swept, WriteBack

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Row

    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.entries import Entry
    from reportbus.adapters.ledger.liveness import Liveness
    from reportbus.core.jobs import Job
    from reportbus.core.lifecycle import Policies
    from reportbus.core.model import Request

EXPIRY_BATCH: Final = 200

_requests = tables.requests.c
_jobs = tables.jobs.c
_EXPIRED: Final = (
    select(_requests.request_key)
    .where(_requests.ended_at.is_(None), _requests.expires_at < bindparam("now"), _requests.ending == "")
    .limit(EXPIRY_BATCH)
)
_IDLE_JOBS: Final = select(tables.jobs).where(
    _jobs.job_key.between(bindparam("first"), bindparam("last")), _jobs.state.in_(["READY", "WAITING"])
)
_UNWRITTEN: Final = (
    select(
        _requests.request_key,
        _requests.version,
        _requests.ref,
        _requests.request_id,
        _requests.status,
        _requests.ended_at,
        _requests.run,
    )
    .where(_requests.unwritten)
    .order_by(_requests.request_key)
    .limit(bindparam("limit"))
)


class SqlOperations:
    """The ledger, for people and pumps."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
        policies: Policies,
        liveness: Liveness,
        *,
        deadline_seconds: float,
    ) -> None:
        self._database = database
        self._dialect = database.dialect
        self._contents = contents
        self._policies = policies
        self._liveness = liveness
        self._deadline = deadline_seconds
        self._by_ids = select(_requests.request_id).where(self._dialect.among(_requests.request_id, "ids"))
        self._in_order = self._dialect.locked(
            select(_requests.request_key, _requests.version, _requests.unwritten)
            .where(self._dialect.among(_requests.request_key, "keys"))
            .order_by(_requests.request_key)
        )

    def sweep(self) -> Swept:
        workers = bury(self._database, self._liveness)
        jobs = take_back(self._database, self._contents, self._policies)
        expired = self._expire()
        return Swept(workers, jobs, expired)

    def cancel(self, request_id: str, by: str) -> Status:
        with self._database.write() as connection:
            book, entry = self._book(connection, request_id)
            text = f"cancelled by {by}" if by else "cancelled"
            try:
                self._end_early(connection, book, entry, "RUN_CANCELLED", text, by)
            except IllegalStep as error:
                raise _refused("RUN_ENDED", f"request {request_id} cannot be cancelled: {error}") from error
            book.flush(connection)
        return entry.state.status

    def retry(self, request_id: str, by: str, *, staged: bool) -> int:
        with self._database.write() as connection:
            book, entry = self._book(connection, request_id)
            if entry.state.status is not Status.FAILED:
                text = f"request {request_id} is {entry.state.status}; only a FAILED request can be retried"
                raise _refused("RUN_NOT_FAILED", text)
            if was_refused(entry.state.next_job):
                text = f"request {request_id} was refused ({entry.state.code}); mend it, submit it anew"
                raise _refused("RUN_NOT_RETRYABLE", text)
            request = self._contents.get(connection, [entry.key])[entry.key]
            if isinstance(request, Unreadable):
                raise _refused("SYS_CONTENT", f"request {request_id} cannot be retried: {request.why}")
            artifacts = newest_outputs(connection, self._database, {entry.key}).get(entry.key, ())
            step = lifecycle.retry(
                entry.state,
                request,
                past=past_of(connection, entry.key),
                staged=staged and bool(artifacts),
                by=by,
            )
            book.take(entry, step)
            book.expires_in(entry, self._deadline)
            open_jobs(book, entry, step, request, artifacts)
            book.flush(connection)
        return entry.state.run

    def known(self, request_ids: Collection[str]) -> frozenset[str]:
        with self._database.read() as connection:
            found = connection.execute(self._by_ids, {"ids": self._dialect.keys(request_ids)})
            return frozenset(found.scalars().all())

    def note_ignored(self, request_id: str, code: str, text: str) -> bool:
        with self._database.write() as connection:
            key = _key_of(connection, request_id)
            if key is None:
                return False
            book = Book(self._dialect, self._dialect.now(connection))
            book.load(connection, [key])
            book.ignored(book.entry(key), Component.DISTRIBUTOR, {"code": code, "why": text})
            book.flush(connection)
        return True

    def unwritten(self, limit: int) -> Sequence[Pending]:
        with self._database.read() as connection:
            rows = connection.execute(_UNWRITTEN, {"limit": limit}).all()
        return [Pending(row.request_key, row.version, _change(row)) for row in rows]

    def written(self, changes: Sequence[Pending]) -> None:
        told = {change.request_key: change.version for change in changes}
        with self._database.write() as connection:
            # Locked in the order in which all others lock them: an update alone takes them as it finds them.
            now = connection.execute(self._in_order, {"keys": self._dialect.keys(told)}).all()
            # What is newer stays unwritten, also where a quicker write-back told it: this one was over it.
            due = [(row, told[row.request_key] != row.version) for row in now]
            rows = [(row.request_key, unwritten) for row, unwritten in due if row.unwritten != unwritten]
            self._dialect.update(connection, tables.requests, ("request_key",), ("unwritten",), rows)

    # -- inside

    def _book(self, connection: Connection, request_id: str) -> tuple[Book, Entry]:
        key = _key_of(connection, request_id)
        if key is None:
            raise _refused("RUN_UNKNOWN_REQUEST", f"no request {request_id!r}")
        book = Book(self._dialect, self._dialect.now(connection))
        book.load(connection, [key])
        return book, book.entry(key)

    def _expire(self) -> int:
        expired = 0
        while True:
            with self._database.write() as connection:
                now = self._dialect.now(connection)
                keys = list(connection.execute(_EXPIRED, {"now": now}).scalars())
                if not keys:
                    return expired
                book = Book(self._dialect, now)
                book.load(connection, keys, skip=True)
                due = [entry for key in keys if key in book and _goes_on(entry := book.entry(key))]
                for entry in due:
                    self._end_early(
                        connection, book, entry, "RUN_EXPIRED", "the request's deadline has passed", ""
                    )
                book.flush(connection)
            expired += len(due)
            if len(due) < EXPIRY_BATCH:
                return expired

    def _end_early(
        self, connection: Connection, book: Book, entry: Entry, code: str, text: str, by: str
    ) -> None:
        request: Request = self._contents.get(connection, [entry.key])[entry.key]
        idle = self._idle_jobs(connection, entry)
        step = lifecycle.end_early(
            entry.state,
            code,
            text,
            closed=[job for job, _ in idle],
            request=request,
            past=partial(past_of, connection, entry.key),
            by=by,
        )
        book.take(entry, step)
        for job, fence in idle:
            book.closed(entry, job, fence)
        open_jobs(book, entry, step, request)

    def _idle_jobs(self, connection: Connection, entry: Entry) -> list[tuple[Job, int]]:
        """The run's open jobs that no worker holds, locked.

        Those that are being claimed right now are left out.
        """
        first = tables.job_key(entry.key, 0)
        statement = self._dialect.locked(_IDLE_JOBS.where(_jobs.run == entry.state.run), skip=True)
        span = {"first": first, "last": first + tables.JOBS_PER_REQUEST - 1}
        return [(job_of(row), row.fence) for row in connection.execute(statement, span)]


def _key_of(connection: Connection, request_id: str) -> int | None:
    statement = select(_requests.request_key).where(_requests.request_id == request_id)
    return connection.execute(statement).scalar_one_or_none()


def _change(row: Row[*tuple[Any, ...]]) -> WriteBack:
    """What the worktable is to show of a row of `_UNWRITTEN`."""
    ended_at = None if row.ended_at is None else utc_of(row.ended_at)
    return WriteBack(row.ref, row.request_id, Status(row.status), ended_at, reopened=row.run > 1)


def _goes_on(entry: Entry) -> bool:
    """Whether the run has not ended and nobody has asked it to."""
    return not entry.state.ended and not entry.state.ending


def _refused(code: str, text: str) -> Refused:
    return Refused([Problem(code, text)])
