"""Targets and how they fare, from the newest request on."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, and_, func, select

from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.contents import readable
from reportbus.adapters.ledger.rows import targets_of, utc_of
from reportbus.ports import DeliveryState, DeliveryView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from reportbus.adapters.ledger.dialects import Dialect
    from reportbus.core.model import Target

PAGE: Final = 200
"""Of so many requests at once it is read what they want and what came of it."""

_requests = tables.requests.c
_deliveries = tables.deliveries.c
_contents = tables.contents.c
_LIST: Final = select(
    _requests.request_key,
    _requests.request_id,
    _requests.run,
    _requests.failed,
    _requests.code,
    _requests.reason,
    _requests.ended_at,
)


def targets_answered(*states: DeliveryState) -> ColumnElement[int]:
    """How many targets of the request in hand have an answer, or one of these."""
    statement = select(func.count(_deliveries.target.distinct())).where(
        _deliveries.request_key == _requests.request_key
    )
    if states:
        statement = statement.where(_deliveries.state.in_([state.value for state in states]))
    return statement.correlate(tables.requests).scalar_subquery()


_LOOKED_AT: Final[Mapping[DeliveryState, ColumnElement[bool]]] = {
    DeliveryState.OPEN: _requests.ended_at.is_(None),
    DeliveryState.DELIVERED: targets_answered(DeliveryState.DELIVERED) > 0,
    DeliveryState.FAILED: and_(tables.TROUBLED, targets_answered(DeliveryState.FAILED) > 0),
    DeliveryState.SKIPPED: and_(tables.TROUBLED, _requests.targets > targets_answered()),
}
"""Where a target in that state may be: in all requests that have one, and in few others."""


def of_request(request_id: str) -> Select[Any]:
    """The request with this id, to be given to `deliveries`."""
    return _LIST.where(_requests.request_id == request_id)


def of_all(state: DeliveryState | None) -> Select[Any]:
    """All requests that may have a target in that state, newest first, to be given to `deliveries`."""
    if state is None:
        return _LIST.where(_requests.targets > 0).order_by(_requests.request_key.desc())
    # The few that go on are sorted: in the order of the key all that have ended would be passed over.
    key = _requests.request_key + 0 if state is DeliveryState.OPEN else _requests.request_key
    return _LIST.where(_LOOKED_AT[state]).order_by(key.desc())


def deliveries(
    connection: Connection,
    dialect: Dialect,
    requests: Select[Any],
    state: DeliveryState | None,
    limit: int,
) -> list[DeliveryView]:
    """The first `limit` targets of these requests, or of those in that state.

    Requests are read in pages, no further than it takes.
    """
    with connection.execute(requests, execution_options={"yield_per": min(limit, PAGE)}) as asked:
        views = (view for page in asked.partitions() for view in _views(connection, dialect, page))
        return list(islice((view for view in views if state in {None, view.state}), limit))


def _views(connection: Connection, dialect: Dialect, page: Sequence[Row[Any]]) -> Iterator[DeliveryView]:
    keys = {"keys": dialect.keys([row.request_key for row in page])}
    contents = select(_contents.request_key, _contents.content).where(
        dialect.among(_contents.request_key, "keys")
    )
    texts = {row.request_key: row.content for row in connection.execute(contents, keys)}
    answers = select(tables.deliveries).where(dialect.among(_deliveries.request_key, "keys"))
    newest = {
        (row.request_key, row.target): row
        for row in connection.execute(answers.order_by(_deliveries.run), keys)
    }
    for row in page:
        request = readable(texts.get(row.request_key, ""))
        for target in request.targets if request else ():
            yield _view(row, target, newest.get((row.request_key, target.number)))


def _view(row: Row[Any], target: Target, answer: Row[Any] | None) -> DeliveryView:
    """A target of the request `row`, with the newest answer there is about it."""
    head = (row.request_id, target.number, target.type.value, target.destination)
    if _is_open(row, target, answer):
        return DeliveryView(*head, DeliveryState.OPEN)
    if answer is None:
        at = None if row.ended_at is None else utc_of(row.ended_at)
        return DeliveryView(*head, DeliveryState.SKIPPED, run=row.run, code=row.code, text=row.reason, at=at)
    return DeliveryView(
        *head,
        DeliveryState(answer.state),
        location=answer.location,
        verified=answer.verified,
        size=answer.size,
        sha256=answer.sha256,
        attempts=answer.attempts,
        run=answer.run,
        code=answer.code,
        text=answer.reason,
        possible_duplicate=answer.possible_duplicate,
        at=utc_of(answer.at),
    )


def _is_open(row: Row[Any], target: Target, answer: Row[Any] | None) -> bool:
    """Whether the run goes on, and has neither brought the target the report nor given it up."""
    has_it = answer is not None and answer.state == DeliveryState.DELIVERED
    return row.ended_at is None and not has_it and target.number not in targets_of(row.failed)
