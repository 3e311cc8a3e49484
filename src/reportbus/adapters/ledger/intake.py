"""Taking requests in: a batch in one transaction, each id once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import open_jobs
from reportbus.adapters.ledger.book import Book, Entry
from reportbus.core import lifecycle
from reportbus.core.chain import FIRST
from reportbus.core.codec import request_to_text
from reportbus.core.lifecycle import RunState
from reportbus.core.model import HIGHEST_PRIORITY, TERMINAL, Status
from reportbus.core.notes import Component
from reportbus.ports import Intaken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.dialects import Dialect
    from reportbus.adapters.ledger.doorbell import Doorbell
    from reportbus.core.lifecycle import Step
    from reportbus.ports import Submission

AGEING_SECONDS: Final = 300.0
"""How much age outweighs one level of priority: nothing starves, since everything grows older."""

_NOWHERE: Final = RunState(run=1, status=Status.PENDING)

_INTAKE: Final = 0x7265_7002
"""The purpose under which batches take turns, so that no two insert the same id."""

_requests = tables.requests.c
_KNOWN: Final = select(_requests.request_key, _requests.request_id, _requests.digest)


class SqlIntake:
    """The ledger, for those who take requests in. Batches of several orchestrators take turns."""

    def __init__(self, database: Database, contents: Contents, doorbell: Doorbell) -> None:
        self._database = database
        self._dialect: Dialect = database.dialect
        self._contents = contents
        self._doorbell = doorbell
        self._known = _KNOWN.where(self._dialect.among(_requests.request_id, "ids"))

    def accept(self, submissions: Sequence[Submission]) -> Sequence[Intaken]:
        if not submissions:
            return []
        first: dict[str, Submission] = {}
        for submission in submissions:
            first.setdefault(submission.request_id, submission)
        with self._database.write() as connection:
            self._dialect.one_at_a_time(connection, _INTAKE)
            book = Book(self._dialect, self._dialect.now(connection))
            known = self._load_known(connection, book, first)
            fresh = [item for item in first.values() if item.request_id not in known]
            entries = self._insert(connection, book, fresh) if fresh else {}
            results = [
                self._again(book, entries, known, submission)
                if first[submission.request_id] is not submission or submission.request_id in known
                else _taken(submission)
                for submission in submissions
            ]
            book.flush(connection)
        self._announce(book, fresh, entries)
        return results

    def _load_known(
        self, connection: Connection, book: Book, first: Mapping[str, Submission]
    ) -> dict[str, tuple[int, str]]:
        """Key and digest of the requests that are there already, by id; they are locked in the book."""
        rows = connection.execute(self._known, {"ids": self._dialect.keys(first)})
        known = {row.request_id: (row.request_key, row.digest) for row in rows}
        if known:
            book.load(connection, [key for key, _ in known.values()])
        return known

    def _insert(
        self, connection: Connection, book: Book, fresh: Sequence[Submission]
    ) -> dict[str, tuple[Entry, str]]:
        """Insert what is new, with its first run; the entries and digests by id."""
        keys = self._dialect.new_keys(connection, tables.requests, len(fresh))
        entries: dict[str, tuple[Entry, str]] = {}
        for item, key in zip(fresh, keys, strict=True):
            rank = book.now + (item.priority - HIGHEST_PRIORITY) * AGEING_SECONDS
            entry = Entry(key, item.request_id, rank, _NOWHERE, 0, FIRST)
            step = _first_step(item)
            book.add(entry)
            book.take(entry, step)
            if item.request is not None:
                open_jobs(book, entry, step, item.request)
            entries[item.request_id] = (entry, item.digest)
        stamp = self._dialect.stamp(book.now)
        rows = [self._row(book, entries[item.request_id][0], item, stamp) for item in fresh]
        self._dialect.insert(connection, tables.requests, rows)
        contents = [(entries[item.request_id][0].key, _content(item)) for item in fresh]
        self._dialect.insert(connection, tables.contents, contents)
        return entries

    def _row(self, book: Book, entry: Entry, item: Submission, stamp: object) -> tuple[Any, ...]:
        request = item.request
        return (
            entry.key,
            item.request_id,
            item.ref,
            item.digest,
            item.report_type,
            item.report_name,
            item.requested_by,
            item.priority,
            entry.rank,
            len(request.targets) if request else 0,
            self._dialect.stamp(item.requested_at.timestamp()),
            stamp,
            request.expires_at.timestamp() if request else book.now,
            *book.columns(entry),
        )

    def _again(
        self,
        book: Book,
        entries: Mapping[str, tuple[Entry, str]],
        known: Mapping[str, tuple[int, str]],
        item: Submission,
    ) -> Intaken:
        """An id that is there already.

        Audit it, and have the worktable told again where the request stands.
        """
        if item.request_id in known:
            key, digest = known[item.request_id]
            entry = book.entry(key)
            entry.repeat()
        else:
            entry, digest = entries[item.request_id]
        same = item.digest == digest
        code = "" if same else "VAL_DUPLICATE_ID_CONFLICT"
        if same and entry.state.status in TERMINAL:
            code = "VAL_ALREADY_DONE"
        why = "the request is known" if same else "another request has this id; the first one stands"
        book.ignored(entry, Component.ORCHESTRATOR, {"code": code, "why": why, "digest": item.digest})
        return Intaken.KNOWN if same else Intaken.CONFLICT

    def _announce(
        self, book: Book, fresh: Sequence[Submission], entries: Mapping[str, tuple[Entry, str]]
    ) -> None:
        for item in fresh:
            if item.request is not None:
                self._contents.offer(entries[item.request_id][0].key, item.request)
        if book.ready:
            self._doorbell.ring()


def _first_step(item: Submission) -> Step:
    if item.request is not None:
        return lifecycle.accept(item.request)
    problems = item.problems
    return lifecycle.refuse(problems[0].code, "; ".join(str(problem) for problem in problems))


def _content(item: Submission) -> str:
    return request_to_text(item.request) if item.request is not None else item.content


def _taken(item: Submission) -> Intaken:
    return Intaken.NEW if item.request is not None else Intaken.REFUSED
