"""Taking requests in: a batch in one transaction, each id once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import or_, select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.answers import open_jobs
from reportbus.adapters.ledger.book import Book
from reportbus.adapters.ledger.entries import Entry
from reportbus.adapters.ledger.repeats import Standing, new_rows, news, own_rows
from reportbus.core import lifecycle
from reportbus.core.chain import FIRST
from reportbus.core.codec import request_to_text
from reportbus.core.lifecycle import RunState
from reportbus.core.model import TERMINAL, Status
from reportbus.core.notes import Component, EventType
from reportbus.ports import Intaken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.contents import Contents
    from reportbus.adapters.ledger.database import Database
    from reportbus.adapters.ledger.dialects import Dialect
    from reportbus.adapters.ledger.repeats import News
    from reportbus.core.lifecycle import Step
    from reportbus.core.model import JsonValue
    from reportbus.ports import Submission

_NOWHERE: Final = RunState(run=1, status=Status.PENDING)

_INTAKE: Final = 0x7265_7002
"""The purpose under which batches take turns, so that no two insert the same id."""

_requests = tables.requests.c
_audit = tables.audit_log.c
_FIND: Final = select(
    _requests.request_id,
    _requests.request_key,
    _requests.digest,
    _requests.ref,
    or_(_requests.unwritten, _requests.status == Status.PENDING.value).label("awaited"),
)
_IGNORED: Final = select(_audit.request_key, _audit.details).where(
    _audit.event_type == EventType.IGNORED.value, _audit.component == Component.ORCHESTRATOR.value
)


class SqlIntake:
    """The ledger, for those who take requests in. Batches of several orchestrators take turns."""

    def __init__(self, database: Database, contents: Contents) -> None:
        self._database = database
        self._dialect: Dialect = database.dialect
        self._contents = contents
        self._by_ids = _FIND.where(self._dialect.among(_requests.request_id, "ids"))
        self._ignored = _IGNORED.where(self._dialect.among(_audit.request_key, "keys"))

    def accept(self, submissions: Sequence[Submission]) -> Sequence[Intaken]:
        if not submissions:
            return []
        with self._database.write() as connection:
            self._dialect.one_at_a_time(connection, _INTAKE)
            book = Book(self._dialect, self._dialect.now(connection))
            standing = self._find(connection, [item.request_id for item in submissions])
            rows = own_rows(submissions, standing)
            made_up = [row.request_id for row, item in zip(rows, submissions, strict=True) if row is not item]
            if made_up:
                standing |= self._find(connection, made_up)
            fresh = new_rows(rows, standing)
            entries = self._open(connection, book, list(fresh.values()))
            standing |= {
                id_: Standing(entry.key, fresh[id_].digest, fresh[id_].ref, awaited=True)
                for id_, entry in entries.items()
            }
            self._note(connection, book, list(news(submissions, rows, fresh, standing)))
            self._insert(connection, book, list(fresh.values()), entries)
            book.flush(connection)
        self._offer(list(fresh.values()), entries)
        return [
            _became(item, new=fresh.get(item.request_id) is item, same=item.digest == first.digest)
            for item in submissions
            for first in [standing[item.request_id]]
        ]

    def _find(self, connection: Connection, ids: Sequence[str]) -> dict[str, Standing]:
        """The requests that are there already, by id."""
        rows = connection.execute(self._by_ids, {"ids": self._dialect.keys(ids)}).all()
        return {id_: Standing(key, digest, ref, bool(awaited)) for id_, key, digest, ref, awaited in rows}

    def _note(self, connection: Connection, book: Book, found: Sequence[News]) -> None:
        """Put on record what is not there yet, and have the worktable told again where it has to be."""
        if not found:
            return
        book.load(connection, [item.key for item in found if item.key not in book])
        recorded = self._recorded(connection, [item.key for item in found if not item.same])
        for item in found:
            entry = book.entry(item.key)
            if item.again:
                entry.repeat()
            elif not item.same:
                if (item.key, item.digest) in recorded:
                    continue
                recorded.add((item.key, item.digest))
            book.ignored(entry, Component.ORCHESTRATOR, _details(item, entry))

    def _recorded(self, connection: Connection, keys: Sequence[int]) -> set[tuple[int, str]]:
        """Which other contents are on record already, for each of these requests."""
        if not keys:
            return set()
        rows = connection.execute(self._ignored, {"keys": self._dialect.keys(keys)}).all()
        return {(key, json.loads(details).get("digest", "")) for key, details in rows}

    def _open(self, connection: Connection, book: Book, fresh: Sequence[Submission]) -> dict[str, Entry]:
        """Enter what is new, with its first run; the entries by id."""
        if not fresh:
            return {}
        keys = self._dialect.new_keys(connection, tables.requests, len(fresh))
        entries: dict[str, Entry] = {}
        for item, key in zip(fresh, keys, strict=True):
            rank = lifecycle.rank(item.priority, book.now)
            expires_at = item.request.expires_at.timestamp() if item.request else book.now
            entry = Entry(key, item.request_id, rank, expires_at, _NOWHERE, 0, FIRST)
            step = _first_step(item)
            book.add(entry)
            book.take(entry, step)
            if item.request is not None:
                open_jobs(book, entry, step, item.request)
            entries[item.request_id] = entry
        return entries

    def _insert(
        self,
        connection: Connection,
        book: Book,
        fresh: Sequence[Submission],
        entries: Mapping[str, Entry],
    ) -> None:
        """Insert what is new, with all that was noted on it."""
        if not fresh:
            return
        stamp = self._dialect.stamp(book.now)
        rows = [self._row(entries[item.request_id], item, stamp) for item in fresh]
        self._dialect.insert(connection, tables.requests, rows)
        contents = [(entries[item.request_id].key, _content(item)) for item in fresh]
        self._dialect.insert(connection, tables.contents, contents)

    def _row(self, entry: Entry, item: Submission, stamp: object) -> tuple[Any, ...]:
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
            *entry.columns(stamp),
        )

    def _offer(self, fresh: Sequence[Submission], entries: Mapping[str, Entry]) -> None:
        for item in fresh:
            if item.request is not None:
                self._contents.offer(entries[item.request_id].key, item.request, len(item.content))


def _first_step(item: Submission) -> Step:
    if item.request is not None:
        return lifecycle.accept(item.request)
    problems = item.problems
    return lifecycle.refuse(problems[0].code, "; ".join(str(problem) for problem in problems))


def _content(item: Submission) -> str:
    return request_to_text(item.request) if item.request is not None else item.content


def _details(item: News, entry: Entry) -> dict[str, JsonValue]:
    code = "" if item.same else "VAL_DUPLICATE_ID_CONFLICT"
    if item.same and entry.state.status in TERMINAL:
        code = "VAL_ALREADY_DONE"
    why = "the request is known" if item.same else "another request has this id; the first one stands"
    return {"code": code, "why": why, "digest": item.digest}


def _became(item: Submission, *, new: bool, same: bool) -> Intaken:
    if new:
        return Intaken.NEW if item.request is not None else Intaken.REFUSED
    return Intaken.KNOWN if same else Intaken.CONFLICT
