"""Somebody keeps locks in the ledger's database: a worker that stands still, or a person with a client."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from contracts.ledger_samples import ALL, NONE, drive, submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.database import IDLE_SECONDS
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Transient
from reportbus.core.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AT_ONCE: Final = 10.0
"""Less than anybody waits for a lock, in seconds."""

LEASE: Final = 2.0


@pytest.fixture
def ledger(empty_ledger: str) -> Iterator[SqlLedger]:
    with closing(SqlLedger(empty_ledger, SystemClock(), lease_seconds=LEASE, wakeups=False)) as ledger:
        yield ledger


@pytest.fixture
def other(empty_ledger: str) -> Iterator[psycopg.Connection]:
    """Somebody else's session, without our limits."""
    with closing(psycopg.connect(empty_ledger.replace("+psycopg", ""))) as connection:
        yield connection


def lock(other: psycopg.Connection, request_id: str) -> None:
    other.execute("SELECT 1 FROM requests WHERE request_id = %s FOR UPDATE", (request_id,))


def test_a_locked_request_keeps_nobody_from_the_others(ledger: SqlLedger, other: psycopg.Connection) -> None:
    ledger.intake.accept([submission(f"r{n}", priority=n + 1) for n in range(3)])
    worker = ledger.worker()
    lock(other, "r0")
    started = time.monotonic()

    assert ["r1", "r2"] == [task.request.request_id for task in worker.claim(ALL, {})]
    assert time.monotonic() - started < AT_ONCE
    other.rollback()
    assert ["r0"] == [task.request.request_id for task in worker.claim(ALL, {})]


def test_a_sweep_passes_over_what_is_locked_and_comes_back_to_it(
    ledger: SqlLedger, other: psycopg.Connection
) -> None:
    """Two workers are gone, two deadlines have passed; one request of each is locked."""
    ledger.intake.accept([submission("taken"), submission("kept")])
    lost = ledger.worker()
    lost.claim(ALL, {})
    ledger.intake.accept([submission("late", expires_in=-1), submission("later", expires_in=-1)])
    ledger._liveness.drop(lost.worker)
    lock(other, "kept")
    lock(other, "later")
    started = time.monotonic()

    swept = ledger.operations.sweep()
    assert (1, 1, 1) == (swept.workers, swept.jobs, swept.expired)
    assert time.monotonic() - started < AT_ONCE
    other.rollback()
    swept = ledger.operations.sweep()
    assert (0, 1, 1) == (swept.workers, swept.jobs, swept.expired)


def stand_still(ledger: SqlLedger, meanwhile: Callable[[], object]) -> None:
    """Lock all requests, and go on after something else has happened."""
    with ledger.database.write() as connection:
        connection.exec_driver_sql("SELECT 1 FROM requests FOR UPDATE")
        meanwhile()
        connection.exec_driver_sql("UPDATE requests SET code = 'WRONG'")


def test_a_transaction_that_stands_still_is_ended_and_what_it_locked_is_free(
    ledger: SqlLedger, empty_ledger: str
) -> None:
    """As of a process that was stopped within it: those who wait go on, and it cannot commit any more."""
    ledger.intake.accept([submission("r")])
    worker = ledger.worker()
    (task,) = worker.claim(ALL, {})
    started = time.monotonic()

    with (
        closing(SqlLedger(empty_ledger, SystemClock(), lease_seconds=LEASE, wakeups=False)) as frozen,
        pytest.raises(Transient),
    ):
        stand_still(frozen, lambda: worker.record([succeeded(task)], NONE))
    assert LEASE - 1 < time.monotonic() - started < LEASE + AT_ONCE
    drive(worker)
    view = ledger.records.find("r")
    assert view is not None
    assert (Status.COMPLETED, "") == (view.status, view.code)


def test_usually_a_transaction_may_stand_still_for_less_than_others_wait_for_its_locks(
    empty_ledger: str,
) -> None:
    with closing(SqlLedger(empty_ledger, SystemClock())) as ledger, ledger.database.read() as connection:
        names = ("idle_in_transaction_session_timeout", "lock_timeout")
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]

    assert [f"{IDLE_SECONDS:.0f}s", "15s"] == found


def test_who_reads_the_audit_log_may_take_his_time(ledger: SqlLedger) -> None:
    """It is streamed to a person, who may read slower than a transaction may stand still."""
    ledger.intake.accept([submission(f"r{n}") for n in range(3000)])
    rows = ledger.records.audit()
    next(rows)
    with ledger.database.read() as connection:
        connection.exec_driver_sql(f"SELECT pg_sleep({LEASE + 1})")

    assert 3000 - 1 == sum(1 for _ in rows)
