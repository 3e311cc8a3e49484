"""The ledger, for looking: lists, one request's story, and the proof that no audit row was touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, func, literal_column, select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.contents import readable
from reportbus.adapters.ledger.rows import artifact_of
from reportbus.core.chain import FIRST, link
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.ports import AuditRow, Broken, DeliveryView, ErrorView, JobView, RequestView, WorkerView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Row

    from reportbus.adapters.ledger.database import Database
    from reportbus.core.model import Artifact, Request
    from reportbus.ports import Filter

STREAM_ROWS: Final = 2000

_requests = tables.requests.c
_audit = tables.audit_log.c
_deliveries = tables.deliveries.c
_DELIVERED_COUNT: Final = (
    select(func.count(_deliveries.target.distinct()))
    .where(_deliveries.request_key == _requests.request_key, _deliveries.state == "DELIVERED")
    .scalar_subquery()
)
_VIEW: Final = select(tables.requests, _DELIVERED_COUNT.label("delivered"))
_TROUBLED: Final = _requests.code != literal_column("''")
"""In the words of the index over them: nothing leads to `ref` itself."""

_NO_CONTENT: Final = 1
"""The next job number of a request that was refused: it never had one."""


class SqlRecords:
    """The ledger, for looking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, request_id: str) -> RequestView | None:
        with self._database.read() as connection:
            row = connection.execute(_VIEW.where(_requests.request_id == request_id)).one_or_none()
        return None if row is None else _request_view(row)

    def of_rows(self, rows: Mapping[str, str]) -> Mapping[str, RequestView]:
        among, keys = self._database.dialect.among, self._database.dialect.keys
        own = _VIEW.where(among(_requests.request_id, "ids"))
        troubled = _VIEW.where(_TROUBLED, among(_requests.ref, "refs")).order_by(_requests.request_key)
        with self._database.read() as connection:
            found = [
                *connection.execute(troubled, {"refs": keys(rows)}),
                *connection.execute(own, {"ids": keys(filter(None, rows.values()))}),
            ]
        return {row.ref: _request_view(row) for row in found if row.ref in rows}

    def list(self, which: Filter) -> Sequence[RequestView]:
        statement = _VIEW.order_by(_requests.request_key.desc()).limit(which.limit)
        with self._database.read() as connection:
            return [_request_view(row) for row in connection.execute(_filtered(statement, which))]

    def content(self, request_id: str) -> Request | None:
        statement = (
            select(tables.contents.c.content)
            .join(tables.requests, _requests.request_key == tables.contents.c.request_key)
            .where(_requests.request_id == request_id, _requests.next_job > _NO_CONTENT)
        )
        with self._database.read() as connection:
            text = connection.execute(statement).scalar_one_or_none()
        return None if text is None else readable(text)

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
                job.state.in_(["READY", "WAITING", "RUNNING"]),
            )
            .order_by(job.number)
        )
        with self._database.read() as connection:
            return [_job_view(row) for row in connection.execute(statement)]

    def deliveries(
        self, request_id: str | None, *, state: str = "", limit: int = 1000
    ) -> Sequence[DeliveryView]:
        with self._database.read() as connection:
            statement = (
                select(tables.requests.c.request_key, _requests.request_id, tables.contents.c.content)
                .join(tables.contents, tables.contents.c.request_key == _requests.request_key)
                .where(_requests.next_job > _NO_CONTENT)
                .order_by(_requests.request_key.desc())
                .limit(limit)
            )
            if request_id is not None:
                statement = statement.where(_requests.request_id == request_id)
            asked = connection.execute(statement).all()
            among = self._database.dialect.among(_deliveries.request_key, "keys")
            keys = self._database.dialect.keys([row.request_key for row in asked])
            done = connection.execute(
                select(tables.deliveries).where(among).order_by(_deliveries.run), {"keys": keys}
            ).all()
        newest = {(row.request_key, row.target): row for row in done}
        views = (view for row in asked for view in _delivery_views(row, newest))
        return [view for view in views if state in ("", view.state)][:limit]

    def audit(self, request_id: str | None = None) -> Iterator[AuditRow]:
        statement = select(tables.audit_log).order_by(_audit.request_key, _audit.sequence)
        if request_id is not None:
            statement = statement.where(_audit.request_key.in_(_key_of(request_id)))
        return map(_audit_row, self._stream(statement))

    def errors(self, request_id: str | None, *, limit: int = 1000) -> Sequence[ErrorView]:
        error = tables.error_log.c
        statement = select(tables.error_log).order_by(error.error_id.desc()).limit(limit)
        if request_id is not None:
            statement = statement.where(error.request_key.in_(_key_of(request_id)))
        with self._database.read() as connection:
            return [_error_view(row) for row in connection.execute(statement)]

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
            return [
                WorkerView(row.name, _utc(row.started_at), row.lease_until >= now)
                for row in connection.execute(statement)
            ]

    def verify(self, request_id: str | None = None) -> Iterator[Broken]:
        """See Records. Rows are read once, in order; nothing is kept but the chain's end."""
        heads = select(
            _requests.request_key, _requests.request_id, _requests.audit_sequence, _requests.audit_hash
        ).order_by(_requests.request_key)
        rows = select(tables.audit_log).order_by(_audit.request_key, _audit.sequence)
        if request_id is not None:
            heads = heads.where(_requests.request_id == request_id)
            rows = rows.where(_audit.request_key.in_(_key_of(request_id)))
        chains = groupby(self._stream(rows), key=lambda row: row.request_key)
        pending = next(chains, None)
        for head in self._stream(heads):
            while pending is not None and pending[0] < head.request_key:
                yield from _ownerless(pending[1])
                pending = next(chains, None)
            if pending is not None and pending[0] == head.request_key:
                yield from _check(head, pending[1])
                pending = next(chains, None)
            elif head.audit_sequence:
                yield Broken(head.request_id, 1, "the whole chain is missing")
        rest = chain([] if pending is None else [pending], chains)
        for _, group in rest:
            yield from _ownerless(group)

    def _stream(self, statement: Select[Any]) -> Iterator[Row[Any]]:
        with self._database.read() as connection:
            self._database.dialect.take_your_time(connection)
            yield from connection.execution_options(yield_per=STREAM_ROWS).execute(statement)


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


def _check(head: Row[Any], rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Where a request's rows do not follow from each other, or do not end where the request says."""
    previous, expected = FIRST, 1
    for row in rows:
        if row.sequence != expected:
            yield Broken(
                head.request_id, expected, f"row {expected} is missing; the next one is {row.sequence}"
            )
        elif _link(previous, row) != row.hash:
            yield Broken(head.request_id, row.sequence, "the row or the one before it was changed")
        previous, expected = row.hash, row.sequence + 1
    if expected - 1 != head.audit_sequence:
        text = f"the chain ends at row {expected - 1}; it had {head.audit_sequence} rows"
        yield Broken(head.request_id, expected - 1, text)
    elif previous != head.audit_hash:
        yield Broken(head.request_id, expected - 1, "the last row is not the one the request ended with")


def _ownerless(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    for row in rows:
        yield Broken(row.request_id, row.sequence, "there is no such request")


def _link(previous: str, row: Row[Any]) -> str:
    return link(
        previous,
        row.log_id,
        row.request_id,
        row.sequence,
        row.event_type,
        row.event_timestamp.isoformat(" ", "microseconds"),
        row.old_status,
        row.new_status,
        row.component,
        row.details,
    )


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _request_view(row: Row[Any]) -> RequestView:
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
        requested_at=_utc(row.requested_at),
        accepted_at=_utc(row.accepted_at),
        changed_at=_utc(row.changed_at),
        ended_at=None if row.ended_at is None else _utc(row.ended_at),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
        targets=row.targets,
        delivered=row.delivered,
        refused=row.next_job == _NO_CONTENT,
    )


def _job_view(row: Row[Any]) -> JobView:
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


def _delivery_views(
    row: Row[int, str, str], newest: Mapping[tuple[int, int], Row[Any]]
) -> Iterator[DeliveryView]:
    request = readable(row.content)
    for target in request.targets if request else ():
        head = (row.request_id, target.number, target.type.value, target.destination)
        done = newest.get((row.request_key, target.number))
        if done is None:
            yield DeliveryView(*head, state="OPEN")
            continue
        yield DeliveryView(
            *head,
            state=done.state,
            location=done.location,
            verified=done.verified,
            size=done.size,
            sha256=done.sha256,
            attempts=done.attempts,
            run=done.run,
            code=done.code,
            text=done.reason,
            possible_duplicate=done.possible_duplicate,
            at=_utc(done.at),
        )


def _audit_row(row: Row[Any]) -> AuditRow:
    return AuditRow(
        request_id=row.request_id,
        sequence=row.sequence,
        log_id=row.log_id,
        event_type=row.event_type,
        at=_utc(row.event_timestamp),
        old_status=row.old_status,
        new_status=row.new_status,
        component=row.component,
        details=json.loads(row.details),
        hash=row.hash,
    )


def _error_view(row: Row[Any]) -> ErrorView:
    return ErrorView(
        request_id=row.request_id,
        at=_utc(row.error_timestamp),
        code=row.error_code,
        text=row.error_message,
        component=row.component,
        retry_count=row.retry_count,
        retry_eligible=row.retry_eligible,
        trace=row.stack_trace,
    )
