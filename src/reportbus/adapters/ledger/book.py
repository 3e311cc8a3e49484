"""What one transaction is going to change, gathered per table so that each table is written once.

A book is opened over request rows that the transaction has locked. Steps are entered in memory; `flush`
writes them all: requests, jobs, outputs, deliveries, ended runs, audit and error rows.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from reportbus.adapters.ledger import spelling, tables
from reportbus.adapters.ledger.dialects import utc
from reportbus.adapters.ledger.entries import CHAIN_UPDATES, LOAD, REQUEST_UPDATES, Entry, entry_of
from reportbus.core.chain import link
from reportbus.core.events import Generated
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import Fate
from reportbus.core.notes import Component, EventType, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.dialects import Dialect
    from reportbus.core.events import Answer
    from reportbus.core.jobs import Job
    from reportbus.core.lifecycle import Step
    from reportbus.core.model import JsonValue
    from reportbus.core.notes import ErrorNote


class Book:
    """The changes of one transaction at the database's time `now` (seconds since 1970)."""

    def __init__(self, dialect: Dialect, now: float) -> None:
        self.now = now
        self.ready = False
        self.given_up: list[tuple[str, Job, ErrorNote]] = []
        self.refused: list[tuple[str, Job, str]] = []
        self._dialect = dialect
        self._stamp = dialect.stamp(now)
        self._at = utc(now).isoformat(" ", "microseconds")
        self._entries: dict[int, Entry] = {}
        self._fresh: set[int] = set()
        self._jobs: list[tuple[Any, ...]] = []
        self._answers: list[tuple[Any, ...]] = []
        self._outputs: list[tuple[Any, ...]] = []
        self._deliveries: list[tuple[Any, ...]] = []
        self._runs: list[tuple[Any, ...]] = []
        self._deadlines: list[tuple[Any, ...]] = []
        self._audit: list[tuple[Any, ...]] = []
        self._errors: list[tuple[Any, ...]] = []
        self._ids = _identifiers(now)

    def load(self, connection: Connection, keys: Iterable[int], *, skip: bool = False) -> None:
        """Lock these requests, in the order of their keys so that two books never wait for each other.

        With `skip` those that others have locked are left out.
        """
        wanted = sorted(set(keys))
        statement = self._dialect.locked(
            LOAD.where(self._dialect.among(tables.requests.c.request_key, "keys")), skip=skip
        )
        for row in connection.execute(statement, {"keys": self._dialect.keys(wanted)}).all():
            self._entries[row[0]] = entry_of(*row)

    def add(self, entry: Entry) -> None:
        """A request that this transaction inserts.

        Its row is the caller's, taken from the entry after the steps.
        """
        self._entries[entry.key] = entry
        self._fresh.add(entry.key)

    def entry(self, key: int) -> Entry:
        """The request in the book."""
        return self._entries[key]

    def __contains__(self, key: int) -> bool:
        return key in self._entries

    # -- entering

    def take(self, entry: Entry, step: Step) -> None:
        """Enter a step: its state, notes, error, and the end of the run. Its jobs are entered by `open`."""
        if step.state.status is not entry.state.status:
            entry.version += 1
            entry.unwritten = True
        if step.state is not entry.state:
            entry.moved = True
            entry.state = step.state
        for note in step.notes:
            self.note(entry, note)
        if step.error is not None:
            self.error(entry, step.error)
        if step.outcome is not None:
            self._runs.append(spelling.ended_run(entry.key, step.state.run, step.outcome, self._stamp))

    def expires_in(self, entry: Entry, seconds: float) -> None:
        """Enter the deadline of the request's newest run."""
        entry.expires_at = self.now + seconds
        self._deadlines.append((entry.key, entry.expires_at))

    def open(self, entry: Entry, job: Job, worker: int = 0) -> None:
        """Enter a new job: ready for anybody, or running with fence 1 in the hands of `worker`."""
        self.ready = self.ready or not worker
        self._jobs.append(spelling.opened_job(entry.key, entry.rank, job, self.now, worker))

    def answered(self, entry: Entry, job: Job, fence: int, answer: Answer, step: Step) -> None:
        """Enter what becomes of the job that was answered, and what the answer brought."""
        after = step.job or job
        state = "WAITING" if step.fate is Fate.AGAIN and step.delay > 0 else _STATE_OF[step.fate]
        self.ready = self.ready or state == "READY"
        due_at = self.now + step.delay
        self._answers.append(spelling.answered_job(entry.key, after, fence, state, due_at))
        if step.fate is Fate.FAILED and step.error is not None:
            self.given_up.append((entry.request_id, job, step.error))
        if isinstance(answer, Generated) and step.fate is Fate.DONE:
            self._outputs += spelling.outputs(entry.key, job, answer, self._stamp)
        elif job.stage is Stage.DELIVER and step.fate is not Fate.AGAIN:
            self._deliveries.append(spelling.delivery(entry.key, job, answer, step, self._stamp))

    def closed(self, entry: Entry, job: Job, fence: int) -> None:
        """Enter the end of a job that nobody is doing and nobody shall do."""
        self._answers.append(spelling.answered_job(entry.key, job, fence, "CLOSED", self.now))

    def ignored(self, entry: Entry, component: Component, details: Mapping[str, JsonValue]) -> None:
        """Enter something that changes nothing but is on record."""
        status = entry.state.status
        self.note(entry, Note(EventType.IGNORED, component, status, status, details))

    def note(self, entry: Entry, note: Note) -> None:
        """Enter an audit row at the end of the request's chain."""
        sequence = entry.sequence + 1
        log_id = next(self._ids)
        details = spelling.particulars(note.details)
        fields = (str(note.type), self._at, str(note.old), str(note.new), str(note.component), details)
        entry.hash = link(entry.hash, log_id, entry.request_id, sequence, *fields)
        entry.sequence = sequence
        self._audit.append(
            (
                log_id,
                entry.request_id,
                fields[0],
                self._stamp,
                fields[2],
                fields[3],
                details,
                fields[4],
                entry.key,
                sequence,
                entry.hash,
            )
        )

    def error(self, entry: Entry, error: ErrorNote) -> None:
        """Enter an error row."""
        row = spelling.error(next(self._ids), entry.key, entry.request_id, error, self._stamp)
        self._errors.append(row)

    # -- writing

    def flush(self, connection: Connection) -> None:
        """Write everything. The requests' rows must still be locked by this transaction."""
        dialect = self._dialect
        held = [entry for entry in self._entries.values() if entry.key not in self._fresh]
        moved = [(entry.key, *entry.columns(self._stamp)) for entry in held if entry.moved]
        noted = [(entry.key, *entry.chain()) for entry in held if not entry.moved]
        dialect.update(connection, tables.requests, ("request_key",), REQUEST_UPDATES, moved)
        dialect.update(connection, tables.requests, ("request_key",), CHAIN_UPDATES, noted)
        dialect.update(connection, tables.requests, ("request_key",), ("expires_at",), self._deadlines)
        fenced = ("job_key", "fence")
        changed = dialect.update(connection, tables.jobs, fenced, spelling.JOB_UPDATES, self._answers)
        if changed != len(self._answers):
            msg = f"{len(self._answers)} jobs were answered but {changed} rows changed"
            raise AssertionError(msg)
        dialect.insert(connection, tables.jobs, self._jobs)
        dialect.insert(connection, tables.outputs, self._outputs)
        dialect.insert(connection, tables.deliveries, self._deliveries)
        dialect.insert(connection, tables.runs, self._runs)
        dialect.insert(connection, tables.audit_log, self._audit)
        dialect.insert(connection, tables.error_log, self._errors)
        if self.ready:
            dialect.ring(connection)


_STATE_OF: Final = {
    Fate.DONE: "DONE",
    Fate.FAILED: "FAILED",
    Fate.AGAIN: "READY",
}


def _identifiers(now: float) -> Iterator[str]:
    """Version 7 UUIDs of one moment, ascending, so that an index over them grows at its end."""
    milliseconds = f"{int(now * 1000):012x}"
    noise = os.urandom(9).hex()
    head = f"{milliseconds[:8]}-{milliseconds[8:]}-7{noise[:3]}-8"
    number = int(noise[3:18], 16)
    while True:
        tail = f"{number % _TAILS:015x}"
        yield f"{head}{tail[:3]}-{tail[3:]}"
        number += 1


_TAILS: Final = 16**15
