"""A request's row while a transaction changes it: how it is read, what it stands for, how it is written."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select

from reportbus.adapters.ledger import spelling, tables
from reportbus.adapters.ledger.rows import targets_of
from reportbus.core.lifecycle import RunState
from reportbus.core.model import TERMINAL, Status

REQUEST_UPDATES: Final = (
    "run",
    "status",
    "open",
    "next_job",
    "failed",
    "ending",
    "code",
    "reason",
    "changed_at",
    "ended_at",
    "audit_sequence",
    "audit_hash",
    "version",
    "unwritten",
)
"""The columns that change where the run moves."""

CHAIN_UPDATES: Final = ("audit_sequence", "audit_hash", "version", "unwritten")
"""The columns that change with every audit row."""

LOAD: Final = select(
    tables.requests.c.request_key,
    tables.requests.c.request_id,
    tables.requests.c.rank,
    tables.requests.c.expires_at,
    tables.requests.c.run,
    tables.requests.c.status,
    tables.requests.c.open,
    tables.requests.c.next_job,
    tables.requests.c.failed,
    tables.requests.c.ending,
    tables.requests.c.code,
    tables.requests.c.reason,
    tables.requests.c.audit_sequence,
    tables.requests.c.audit_hash,
    tables.requests.c.version,
    tables.requests.c.unwritten,
).order_by(tables.requests.c.request_key)


class Entry:
    """One request in the book: where its run stands and where its audit chain ends."""

    __slots__ = (
        "expires_at",
        "hash",
        "key",
        "moved",
        "rank",
        "request_id",
        "sequence",
        "state",
        "unwritten",
        "version",
    )

    def __init__(
        self,
        key: int,
        request_id: str,
        rank: float,
        expires_at: float,
        state: RunState,
        sequence: int,
        hash_: str,
    ) -> None:
        self.key = key
        self.request_id = request_id
        self.rank = rank
        self.expires_at = expires_at
        self.state = state
        self.sequence = sequence
        self.hash = hash_
        self.version = 0
        self.unwritten = False
        self.moved = False

    def repeat(self) -> None:
        """Have the worktable told once more where the request stands."""
        self.version += 1
        self.unwritten = True

    def columns(self, stamp: object) -> tuple[Any, ...]:
        """The values of `REQUEST_UPDATES`; `stamp` is the transaction's time as the database takes it."""
        return (
            *spelling.run_state(self.state),
            stamp,
            stamp if self.state.status in TERMINAL else None,
            *self.chain(),
        )

    def chain(self) -> tuple[Any, ...]:
        """The values of `CHAIN_UPDATES`."""
        return (self.sequence, self.hash, self.version, self.unwritten)


def entry_of(  # noqa: PLR0913, PLR0917 - the columns of `LOAD`, in order
    key: int,
    request_id: str,
    rank: float,
    expires_at: float,
    run: int,
    status: str,
    open_: int,
    next_job: int,
    failed: str,
    ending: str,
    code: str,
    reason: str,
    sequence: int,
    hash_: str,
    version: int,
    unwritten: bool,  # noqa: FBT001 - as above
) -> Entry:
    """The request a row of `LOAD` describes."""
    state = RunState(run, _STATUSES[status], open_, next_job, targets_of(failed), ending, code, reason)
    entry = Entry(key, request_id, rank, expires_at, state, sequence, hash_)
    entry.version = version
    entry.unwritten = bool(unwritten)
    return entry


_STATUSES: Final = {status.value: status for status in Status}
