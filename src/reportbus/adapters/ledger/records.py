"""The ledger, for looking: lists, one request's story, and the proof that no audit row was touched."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, func, select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.contents import readable
from reportbus.adapters.ledger.deliveries import deliveries, of_all, of_request, targets_answered
from reportbus.adapters.ledger.proof import broken_places
from reportbus.adapters.ledger.rows import artifact_of, was_refused
from reportbus.adapters.ledger.views import audit_row, error_view, job_view, request_view, worker_view
from reportbus.core.model import Status
from reportbus.ports import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.database import Database
    from reportbus.core.model import Artifact, Request
    from reportbus.ports import (
        AuditRow,
        Broken,
        DeliveryView,
        ErrorView,
        Filter,
        JobView,
        RequestView,
        WorkerView,
    )

STREAM_ROWS: Final = 2000

_requests = tables.requests.c
_audit = tables.audit_log.c
_VIEW: Final = select(tables.requests, targets_answered(DeliveryState.DELIVERED).label("delivered"))


class SqlRecords:
    """The ledger, for looking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, request_id: str) -> RequestView | None:
        with self._database.read() as connection:
            row = connection.execute(_VIEW.where(_requests.request_id == request_id)).one_or_none()
        return None if row is None else request_view(row)

    def of_rows(self, rows: Mapping[str, str]) -> Mapping[str, RequestView]:
        among, keys = self._database.dialect.among, self._database.dialect.keys
        own = _VIEW.where(among(_requests.request_id, "ids"))
        troubled = _VIEW.where(tables.TROUBLED, among(_requests.ref, "refs")).order_by(_requests.request_key)
        with self._database.read() as connection:
            found = [
                *connection.execute(troubled, {"refs": keys(rows)}),
                *connection.execute(own, {"ids": keys(filter(None, rows.values()))}),
            ]
        return {row.ref: request_view(row) for row in found if row.ref in rows}

    def list(self, which: Filter) -> Sequence[RequestView]:
        statement = _VIEW.order_by(_requests.request_key.desc()).limit(which.limit)
        with self._database.read() as connection:
            return [request_view(row) for row in connection.execute(_filtered(statement, which))]

    def content(self, request_id: str) -> Request | None:
        statement = (
            select(_requests.next_job, tables.contents.c.content)
            .join(tables.contents, tables.contents.c.request_key == _requests.request_key)
            .where(_requests.request_id == request_id)
        )
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None or was_refused(row.next_job) else readable(row.content)

    def counts(self) -> Mapping[Status, int]:
        statement = select(_requests.status, func.count()).group_by(_requests.status)
        with self._database.read() as connection:
            found = {Status(status): count for status, count in connection.execute(statement)}
        return {status: found.get(status, 0) for status in Status}

    def jobs(self, request_id: str) -> Sequence[JobView]:
        job = tables.jobs.c
        first = _key_of(request_id).scalar_subquery() * tables.JOBS_PER_REQUEST
        statement = (
            select(tables.jobs, tables.workers.c.name)
            .outerjoin(tables.workers, tables.workers.c.worker == job.worker)
            .where(
                job.job_key.between(first, first + tables.JOBS_PER_REQUEST - 1),
                job.state.in_(tables.OPEN_STATES),
            )
            .order_by(job.number)
        )
        with self._database.read() as connection:
            return [job_view(row) for row in connection.execute(statement)]

    def deliveries(
        self, request_id: str | None, *, state: DeliveryState | None = None, limit: int = 1000
    ) -> Sequence[DeliveryView]:
        requests = of_all(state) if request_id is None else of_request(request_id)
        with self._database.read() as connection:
            return deliveries(connection, self._database.dialect, requests, state, limit)

    def audit(self, request_id: str | None = None) -> Iterator[AuditRow]:
        statement = select(tables.audit_log).order_by(_audit.request_key, _audit.sequence)
        if request_id is not None:
            statement = statement.where(_audit.request_key.in_(_key_of(request_id)))
        with self._streams() as connection, connection.execute(statement) as rows:
            yield from map(audit_row, rows)

    def errors(self, request_id: str | None, *, limit: int = 1000) -> Sequence[ErrorView]:
        error = tables.error_log.c
        statement = select(tables.error_log).order_by(error.error_id.desc()).limit(limit)
        if request_id is not None:
            statement = statement.where(error.request_key.in_(_key_of(request_id)))
        with self._database.read() as connection:
            return [error_view(row) for row in connection.execute(statement)]

    def outputs(self, request_id: str) -> Sequence[Artifact]:
        output = tables.outputs.c
        statement = (
            select(tables.outputs)
            .where(output.request_key.in_(_key_of(request_id)))
            .order_by(output.run, output.number)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [artifact_of(row) for row in rows if row.run == rows[-1].run]

    def workers(self) -> Sequence[WorkerView]:
        worker = tables.workers.c
        statement = select(tables.workers).where(worker.gone.is_(False)).order_by(worker.worker)
        with self._database.read() as connection:
            now = self._database.dialect.now(connection)
            return [worker_view(row, now) for row in connection.execute(statement)]

    def verify(self, request_id: str | None = None) -> Iterator[Broken]:
        heads: Select[Any] = select(
            _requests.request_key, _requests.request_id, _requests.audit_sequence, _requests.audit_hash
        ).order_by(_requests.request_key)
        rows = select(tables.audit_log).order_by(_audit.request_key, _audit.sequence)
        if request_id is not None:
            heads = heads.where(_requests.request_id == request_id)
            rows = rows.where(_audit.request_key.in_(_key_of(request_id)))
        with (
            self._streams() as connection,
            connection.execute(heads) as all_heads,
            connection.execute(rows) as all_rows,
        ):
            yield from broken_places(all_heads, all_rows)

    @contextmanager
    def _streams(self) -> Iterator[Connection]:
        """A transaction whose statements give their rows as they are asked for, all of one moment."""
        with self._database.read() as connection:
            self._database.dialect.take_your_time(connection)
            yield connection.execution_options(yield_per=STREAM_ROWS)


def _key_of(request_id: str) -> Select[Any]:
    return select(_requests.request_key).where(_requests.request_id == request_id)


def _filtered(statement: Select[Any], which: Filter) -> Select[Any]:
    conditions = {
        "status": _requests.status.in_([status.value for status in which.status]) if which.status else None,
        "type": _requests.report_type == which.report_type if which.report_type else None,
        "name": _requests.report_name == which.report_name if which.report_name else None,
        "by": _requests.requested_by == which.requested_by if which.requested_by else None,
        "since": _requests.accepted_at >= _naive(which.since) if which.since else None,
        "until": _requests.accepted_at < _naive(which.until) if which.until else None,
        "before": _requests.request_key < which.before_key if which.before_key else None,
    }
    return statement.where(*[condition for condition in conditions.values() if condition is not None])


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
