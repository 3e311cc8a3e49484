"""The audit & status database, the one truth. Four faces, filled by one adapter.

`Intake` takes requests in, `WorkLedger` hands jobs to workers and records their answers, `Operations` is for
people and sweeps, `Records` is for looking. Times inside are the database's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from reportbus.core.errors import Problem
    from reportbus.core.events import Event
    from reportbus.core.jobs import Stage, Task
    from reportbus.core.model import Artifact, JsonValue, Request, Status
    from reportbus.ports.views import (
        AuditRow,
        Broken,
        DeliveryState,
        DeliveryView,
        ErrorView,
        Filter,
        JobView,
        RequestView,
        WorkerView,
    )
    from reportbus.ports.worktable import WriteBack


# -- taking in


class Submission(NamedTuple):
    """One worktable row as intake found it: a good `request`, or the `problems` it is refused for.

    `digest` is the SHA-256 of the row's content: the same id with another digest is a conflict. A row without
    a usable id has a made-up `request_id`. The texts are cleaned and fit their columns; `content` is the row
    itself.
    """

    ref: str
    request_id: str
    digest: str
    report_type: str
    report_name: str
    requested_by: str
    priority: int
    requested_at: datetime
    content: str
    request: Request | None = None
    problems: tuple[Problem, ...] = ()


class Intaken(StrEnum):
    """What became of a submission."""

    NEW = "NEW"
    REFUSED = "REFUSED"
    KNOWN = "KNOWN"
    CONFLICT = "CONFLICT"


class Intake(Protocol):
    """The ledger, for those who take requests in."""

    def accept(self, submissions: Sequence[Submission]) -> Sequence[Intaken]:
        """Record requests in one transaction; what became of each, in order.

        Idempotent: an id known with the same digest is KNOWN, with another one CONFLICT; both change nothing.
        They are audited on the request that stands, each other content once; a row that comes although the
        worktable was told how it stands is told again. A row that shows PENDING by rights, since its request
        waits or the worktable was not told yet, is no event at all, however often it comes. A refused one is
        recorded FAILED, with an error row.
        """


# -- working


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a heartbeat found: whether the worker's lease still stands, and its jobs that shall stop."""

    alive: bool
    stop: frozenset[tuple[int, int]] = frozenset()


class WorkLedger(Protocol):
    """The ledger, for one worker. `close` retires the worker and hands back what it still holds."""

    @property
    def name(self) -> str:
        """What people know the worker by."""

    def claim(self, capacity: Mapping[Stage, int], limits: Mapping[str, int]) -> Sequence[Task]:
        """Up to so many due jobs per stage: by priority, which grows with age, each for this worker alone.

        `limits` says how many jobs of a lane may run at once, over all workers. Each task's fence is new;
        its attempt is on record before this returns.
        """

    def record(self, events: Sequence[Event], capacity: Mapping[Stage, int]) -> Sequence[Task]:
        """Record answers in one transaction, with all that follows; the next tasks kept for this worker.

        An answer whose fence is not the job's newest, or whose job is not this worker's any more, changes
        nothing and is audited. Of the jobs the answers open, up to `capacity` per stage are claimed by this
        worker at once.
        """

    def checkpoint(self, task: Task, data: Mapping[str, JsonValue]) -> bool:
        """Store what a later attempt of the job needs.

        Durable when this returns. False where the fence is old.
        """

    def renew(self) -> Pulse:
        """Renew the lease. After `alive=False` every claim and record of this worker is refused."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a sign of due jobs; a hint that may be early, late or missing."""

    def close(self) -> None:
        """Retire: jobs still held become due for others at once."""


# -- operating


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep mended: workers found dead, jobs taken back from them, runs past their deadline."""

    workers: int = 0
    jobs: int = 0
    expired: int = 0


class Operations(Protocol):
    """The ledger, for people and pumps."""

    def sweep(self) -> Swept:
        """Take back the jobs of dead and lapsed workers, and end runs past their deadline."""

    def cancel(self, request_id: str, by: str) -> Status:
        """End the newest run without new work. Raises Refused RUN_UNKNOWN_REQUEST or RUN_ENDED."""

    def retry(self, request_id: str, by: str, *, staged: bool) -> int:
        """Open the next run of a FAILED request, with a deadline of its own; its number.

        `staged` says whether the newest output still stands on staging; otherwise the engine is asked again.
        Raises Refused RUN_UNKNOWN_REQUEST, RUN_NOT_FAILED or RUN_NOT_RETRYABLE.
        """

    def known(self, request_ids: Collection[str]) -> frozenset[str]:
        """Those of these ids that the ledger has a request for; one question for all of them."""

    def note_ignored(self, request_id: str, code: str, text: str) -> bool:
        """Audit something that was ignored, on the request it names; False where there is no such request."""

    def unwritten(self, limit: int) -> Sequence[Pending]:
        """Requests whose status the worktable does not show yet, oldest change first."""

    def written(self, changes: Sequence[Pending]) -> None:
        """The worktable shows these now; those that have changed since stay unwritten."""


class Pending(NamedTuple):
    """One write-back to be done; `version` tells whether the request changed meanwhile."""

    request_key: int
    version: int
    change: WriteBack


# -- looking


class Records(Protocol):
    """The ledger, for looking; nothing here changes anything."""

    def find(self, request_id: str) -> RequestView | None:
        """The request with this id."""

    def of_rows(self, rows: Mapping[str, str]) -> Mapping[str, RequestView]:
        """The requests that rows of the worktable became, by `ref`; rows that were not taken in are left out.

        `rows` maps each `ref` to the row's own id, empty where it is none. A row that was refused by itself
        stands in the ledger under an id that was made up for it.
        """

    def list(self, which: Filter) -> Sequence[RequestView]:
        """Requests, newest first."""

    def content(self, request_id: str) -> Request | None:
        """What was asked for, in full; None for an unknown or refused request."""

    def counts(self) -> Mapping[Status, int]:
        """How many requests show each status."""

    def jobs(self, request_id: str) -> Sequence[JobView]:
        """The request's open jobs."""

    def deliveries(
        self, request_id: str | None, *, state: DeliveryState | None = None, limit: int = 1000
    ) -> Sequence[DeliveryView]:
        """Up to `limit` targets and how they fare, of one request or of all, the newest request's first."""

    def audit(self, request_id: str | None = None) -> Iterator[AuditRow]:
        """The audit log of one moment, by request and sequence, streamed."""

    def errors(self, request_id: str | None, *, limit: int = 1000) -> Sequence[ErrorView]:
        """The error log, newest first."""

    def verify(self, request_id: str | None = None) -> Iterator[Broken]:
        """Every place where a chain does not verify: changed, dropped, moved or added rows.

        Rows that are written meanwhile are not looked at.
        """

    def workers(self) -> Sequence[WorkerView]:
        """The workers there are, oldest first."""

    def outputs(self, request_id: str) -> Sequence[Artifact]:
        """The staged files of the newest run that has some, as they were recorded."""
