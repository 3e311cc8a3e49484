"""What people see of the ledger, and how they ask for it. All times have their zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from reportbus.core.jobs import Stage
    from reportbus.core.model import JsonValue, Status


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as people see it.

    `expires_at` is the deadline of the newest run. `delivered` counts the targets that have the report, from
    whatever run. `refused` is set where it never had work, because it broke the rules: no retry is possible.
    """

    request_key: int
    request_id: str
    report_type: str
    report_name: str
    requested_by: str
    priority: int
    status: Status
    run: int
    code: str
    text: str
    requested_at: datetime
    accepted_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    expires_at: datetime
    targets: int = 0
    delivered: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker that nobody has found dead yet: `alive` says whether its lease still stands."""

    name: str
    started_at: datetime
    alive: bool


@dataclass(frozen=True, slots=True)
class JobView:
    """An open job: `state` is READY, WAITING or RUNNING; `worker` names who has it."""

    number: int
    run: int
    stage: Stage
    subject: int
    lane: str
    state: str
    attempt: int
    due_at: datetime
    worker: str = ""


class DeliveryState(StrEnum):
    """How a target fares.

    OPEN: a worker has its delivery or will get it, also once more after a failure. DELIVERED: it has the
    report. FAILED: the last delivery that was begun did not succeed. SKIPPED: the request ended before a
    delivery to it was answered.
    """

    OPEN = "OPEN"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One target of one request; what is more than its state tells how and why.

    Of a SKIPPED one, `run`, `code`, `text` and `at` are those of the request.
    """

    request_id: str
    target: int
    type: str
    destination: str
    state: DeliveryState
    location: str = ""
    verified: str = ""
    size: int = 0
    sha256: str = ""
    attempts: int = 0
    run: int = 0
    code: str = ""
    text: str = ""
    possible_duplicate: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One link of a request's chain. `hash` covers the row and the hash before it."""

    request_id: str
    sequence: int
    log_id: str
    event_type: str
    at: datetime
    old_status: str
    new_status: str
    component: str
    details: Mapping[str, JsonValue]
    hash: str


@dataclass(frozen=True, slots=True)
class ErrorView:
    """One row of the error log."""

    request_id: str
    at: datetime
    code: str
    text: str
    component: str
    retry_count: int
    retry_eligible: bool
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain does not verify: the request, the sequence number, and what is wrong there."""

    request_id: str
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests to list; empty fields ask nothing. `before_key` continues a listing, newest first."""

    status: Collection[Status] = field(default_factory=tuple)
    report_type: str = ""
    report_name: str = ""
    requested_by: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_key: int | None = None
    limit: int = 50
