"""Requests in the ledger that this version cannot read: of a newer one, or damaged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update

from contracts.ledger_samples import ALL, NONE, drive, submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import tables
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Refused
from reportbus.core.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD = {
    "newer": '{"v":2,"id":"bad"}',
    "no JSON": '{"v":1,"id":"ba',
    "no object": "[1]",
    "incomplete": '{"v":1,"id":"bad"}',
    "another type": '{"v":1,"id":"bad","type":1,"targets":3}',
    "empty": "",
}


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[SqlLedger]:
    ledger = SqlLedger(ledger_url, SystemClock(), wakeups=False)
    yield ledger
    ledger.close()


def spoil(ledger: SqlLedger, content: str | None) -> None:
    """Change the content of the request "bad" behind the ledger's back; None takes it away."""
    contents = tables.contents.c
    key = select(tables.requests.c.request_key).where(tables.requests.c.request_id == "bad").scalar_subquery()
    change = (
        update(tables.contents).values(content=content) if content is not None else delete(tables.contents)
    )
    with ledger.database.write() as connection:
        connection.execute(change.where(contents.request_key == key))


@pytest.fixture
def fresh(ledger: SqlLedger, ledger_url: str) -> Iterator[SqlLedger]:
    """Another process's ledger, which has none of the requests in memory."""
    fresh = SqlLedger(ledger_url, SystemClock(), wakeups=False)
    yield fresh
    fresh.close()


@pytest.mark.parametrize("content", [*BAD.values(), None], ids=[*BAD, "none"])
def test_a_request_that_cannot_be_read_fails_and_its_neighbours_do_not(
    ledger: SqlLedger, fresh: SqlLedger, content: str | None
) -> None:
    ledger.intake.accept([submission(id_, notify=True) for id_ in ("a", "bad", "c")])
    spoil(ledger, content)
    drive(fresh.worker())
    view = fresh.records.find("bad")

    assert view is not None
    assert (Status.FAILED, "SYS_CONTENT") == (view.status, view.code)
    assert 2 == fresh.records.counts()[Status.COMPLETED]
    assert ["SYS_CONTENT"] == [error.code for error in fresh.records.errors("bad")]
    assert [] == fresh.records.jobs("bad")
    assert [] == list(fresh.records.verify())


def test_a_delivery_of_a_request_that_cannot_be_read_any_more_fails(
    ledger: SqlLedger, fresh: SqlLedger
) -> None:
    ledger.intake.accept([submission("bad", targets=2)])
    worker = ledger.worker()
    worker.record([succeeded(task) for task in worker.claim(ALL, {})], NONE)
    spoil(ledger, BAD["newer"])

    assert [] == list(fresh.worker().claim(ALL, {}))
    view = fresh.records.find("bad")
    assert view is not None
    assert (Status.FAILED, "SYS_CONTENT") == (view.status, view.code)


def test_the_sweep_ends_and_takes_back_what_cannot_be_read_like_all_else(
    ledger: SqlLedger, fresh: SqlLedger
) -> None:
    ledger.intake.accept([submission(id_, expires_in=-1) for id_ in ("a", "bad", "c")])
    ledger.worker().claim(ALL, {})
    spoil(ledger, BAD["no JSON"])
    ledger._liveness.close()
    taken = ended = 0
    until = time.monotonic() + 20
    while taken < 3 and time.monotonic() < until:  # the server takes a moment to let go of the lock
        swept = fresh.operations.sweep()
        taken, ended = taken + swept.jobs, ended + swept.expired

    assert (3, 3) == (taken, ended)
    assert 3 == fresh.records.counts()[Status.FAILED]
    assert [] == list(fresh.records.verify())


def test_what_cannot_be_read_can_be_looked_at_and_cancelled_but_not_retried(
    ledger: SqlLedger, fresh: SqlLedger
) -> None:
    ledger.intake.accept([submission("a"), submission("bad")])
    spoil(ledger, BAD["newer"])

    assert fresh.records.content("bad") is None
    assert ["a"] == [delivery.request_id for delivery in fresh.records.deliveries(None)]
    assert fresh.operations.cancel("bad", "ann") is Status.FAILED
    with pytest.raises(Refused, match=r"SYS_CONTENT.*version 2"):
        fresh.operations.retry("bad", "ann", staged=False)


def test_what_a_newer_version_can_read_can_be_retried_there(ledger: SqlLedger, fresh: SqlLedger) -> None:
    """The newer one has it in memory here: what the ledger has of it was not touched by the failure."""
    ledger.intake.accept([submission("bad")])
    spoil(ledger, BAD["newer"])
    fresh.worker().claim(ALL, {})

    assert 2 == ledger.operations.retry("bad", "ann", staged=False)
    drive(ledger.worker())
    assert 1 == ledger.records.counts()[Status.COMPLETED]
