"""Rows of the ledger as people see them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reportbus.adapters.ledger.rows import utc_of, was_refused
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.ports import AuditRow, ErrorView, JobView, RequestView, WorkerView

if TYPE_CHECKING:
    from sqlalchemy import Row


def request_view(row: Row[Any]) -> RequestView:
    """A row of `requests`, with how many targets were `delivered`."""
    return RequestView(
        request_key=row.request_key,
        request_id=row.request_id,
        report_type=row.report_type,
        report_name=row.report_name,
        requested_by=row.requested_by,
        priority=row.priority,
        status=Status(row.status),
        run=row.run,
        code=row.code,
        text=row.reason,
        requested_at=utc_of(row.requested_at),
        accepted_at=utc_of(row.accepted_at),
        changed_at=utc_of(row.changed_at),
        ended_at=None if row.ended_at is None else utc_of(row.ended_at),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
        targets=row.targets,
        delivered=row.delivered,
        refused=was_refused(row.next_job),
    )


def job_view(row: Row[Any]) -> JobView:
    """A row of `jobs`, with the `name` of its worker."""
    return JobView(
        number=row.number,
        run=row.run,
        stage=Stage(row.stage),
        subject=row.subject,
        lane=row.lane,
        state=row.state,
        attempt=row.attempt,
        due_at=datetime.fromtimestamp(row.due_at, UTC),
        worker=row.name or "",
    )


def audit_row(row: Row[Any]) -> AuditRow:
    """A row of `audit_log`."""
    return AuditRow(
        request_id=row.request_id,
        sequence=row.sequence,
        log_id=row.log_id,
        event_type=row.event_type,
        at=utc_of(row.event_timestamp),
        old_status=row.old_status,
        new_status=row.new_status,
        component=row.component,
        details=json.loads(row.details),
        hash=row.hash,
    )


def error_view(row: Row[Any]) -> ErrorView:
    """A row of `error_log`."""
    return ErrorView(
        request_id=row.request_id,
        at=utc_of(row.error_timestamp),
        code=row.error_code,
        text=row.error_message,
        component=row.component,
        retry_count=row.retry_count,
        retry_eligible=row.retry_eligible,
        trace=row.stack_trace,
    )


def worker_view(row: Row[Any], now: float) -> WorkerView:
    """A row of `workers`, at `now` by the database's clock."""
    return WorkerView(row.name, utc_of(row.started_at), row.lease_until >= now)
