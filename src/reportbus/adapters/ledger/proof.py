"""The proof that no audit row was touched: every chain is checked, and ends where its request says."""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from reportbus.core.chain import FIRST, link
from reportbus.ports import Broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Row


def broken_places(heads: Iterable[Row[Any]], rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Every place where the chains, rows of the audit log, are not those that the requests' `heads` end.

    Both come in the order of the requests' keys, the rows then by sequence, and are of one moment. Each is
    read once; nothing is kept but a chain's end.
    """
    chains = groupby(rows, key=lambda row: row.request_key)
    pending = next(chains, None)
    for head in heads:
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
