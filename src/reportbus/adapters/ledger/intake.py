"""Taking requests in: a batch in one transaction, each id once."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import open_jobs
from reportbus.adapters.ledger.book import Book, Entry
from reportbus.core import lifecycle
from reportbus.core.chain import FIRST
from reportbus.core.codec import request_to_text
from reportbus.core.errors import Problem
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
_KNOWN: Final = select(_requests.request_key, _requests.request_id, _requests.digest, _requests.ref)


class _Standing(NamedTuple):
    """A request that is in the ledger already."""

    key: int
    digest: str
    ref: str


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
        with self._database.write() as connection:
            self._dialect.one_at_a_time(connection, _INTAKE)
            book = Book(self._dialect, self._dialect.now(connection))
            known = self._load_known(connection, book, [item.request_id for item in submissions])
            batch, others = _set_apart(submissions, known)
            if others:
                known |= self._load_known(connection, book, [item.request_id for item in others])
                batch += others
            fresh: dict[str, Submission] = {}
            for item in batch:
                if item.request_id not in known:
                    fresh.setdefault(item.request_id, item)
            entries = self._open(connection, book, list(fresh.values()))
            results = [
                _taken(item)
                if fresh.get(item.request_id) is item
                else self._again(book, entries, known, item)
                for item in submissions
            ]
            self._insert(connection, book, list(fresh.values()), entries)
            book.flush(connection)
        self._announce(book, list(fresh.values()), entries)
        return results

    def _load_known(self, connection: Connection, book: Book, ids: Sequence[str]) -> dict[str, _Standing]:
        """The requests that are there already, by id; they are locked in the book."""
        rows = connection.execute(self._known, {"ids": self._dialect.keys(ids)}).all()
        known = {row.request_id: _Standing(row.request_key, row.digest, row.ref) for row in rows}
        if known:
            book.load(connection, [standing.key for standing in known.values()])
        return known

    def _open(
        self, connection: Connection, book: Book, fresh: Sequence[Submission]
    ) -> dict[str, tuple[Entry, str]]:
        """Enter what is new, with its first run; the entries and digests by id."""
        if not fresh:
            return {}
        keys = self._dialect.new_keys(connection, tables.requests, len(fresh))
        entries: dict[str, tuple[Entry, str]] = {}
        for item, key in zip(fresh, keys, strict=True):
            rank = book.now + (item.priority - HIGHEST_PRIORITY) * AGEING_SECONDS
            expires_at = item.request.expires_at.timestamp() if item.request else book.now
            entry = Entry(key, item.request_id, rank, expires_at, _NOWHERE, 0, FIRST)
            step = _first_step(item)
            book.add(entry)
            book.take(entry, step)
            if item.request is not None:
                open_jobs(book, entry, step, item.request)
            entries[item.request_id] = (entry, item.digest)
        return entries

    def _insert(
        self,
        connection: Connection,
        book: Book,
        fresh: Sequence[Submission],
        entries: Mapping[str, tuple[Entry, str]],
    ) -> None:
        """Insert what is new, with all that was noted on it."""
        if not fresh:
            return
        stamp = self._dialect.stamp(book.now)
        rows = [self._row(book, entries[item.request_id][0], item, stamp) for item in fresh]
        self._dialect.insert(connection, tables.requests, rows)
        contents = [(entries[item.request_id][0].key, _content(item)) for item in fresh]
        self._dialect.insert(connection, tables.contents, contents)

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
            entry.expires_at,
            *book.columns(entry),
        )

    def _again(
        self,
        book: Book,
        entries: Mapping[str, tuple[Entry, str]],
        known: Mapping[str, _Standing],
        item: Submission,
    ) -> Intaken:
        """An id that is there already.

        Audit it, and have the worktable told again where the request stands.
        """
        if item.request_id in known:
            standing = known[item.request_id]
            entry, digest = book.entry(standing.key), standing.digest
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


def _set_apart(
    submissions: Sequence[Submission], known: Mapping[str, _Standing]
) -> tuple[list[Submission], list[Submission]]:
    """The submissions, and for each further row with the id of another row a refusal of that row alone.

    The refusal has a made-up id: the row has to be told, and the request that stands must not be touched.
    """
    refs = {id_: standing.ref for id_, standing in known.items()}
    digests = {id_: standing.digest for id_, standing in known.items()}
    others = []
    for item in submissions:
        ref = refs.setdefault(item.request_id, item.ref)
        digest = digests.setdefault(item.request_id, item.digest)
        if ref != item.ref:
            others.append(_refused_row(item, same=digest == item.digest))
    return list(submissions), others


def _refused_row(item: Submission, *, same: bool) -> Submission:
    made_up = f"duplicate-{sha256(f'{item.ref} {item.digest}'.encode()).hexdigest()[:24]}"
    text = f"another row has the id {item.request_id}; that one stands, this is not run"
    code = "VAL_DUPLICATE_ID" if same else "VAL_DUPLICATE_ID_CONFLICT"
    return item._replace(request_id=made_up, request=None, problems=(Problem(code, text, "REQUEST_ID"),))


def _first_step(item: Submission) -> Step:
    if item.request is not None:
        return lifecycle.accept(item.request)
    problems = item.problems
    return lifecycle.refuse(problems[0].code, "; ".join(str(problem) for problem in problems))


def _content(item: Submission) -> str:
    return request_to_text(item.request) if item.request is not None else item.content


def _taken(item: Submission) -> Intaken:
    return Intaken.NEW if item.request is not None else Intaken.REFUSED
