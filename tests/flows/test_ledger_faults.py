from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from contracts.ledger_samples import ALL, NONE, drive, submission, succeeded
from flows.commits import do_commit
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.reclaim import bury
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Transient
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.ports import Swept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture
def open_ledger(ledger_url: str) -> Iterator[Callable[[], SqlLedger]]:
    """Opens the ledger as another process would."""
    opened: list[SqlLedger] = []

    def open_() -> SqlLedger:
        opened.append(SqlLedger(ledger_url, SystemClock(), wakeups=False, lease_seconds=1))
        return opened[-1]

    yield open_
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Callable[[], SqlLedger]) -> SqlLedger:
    """The ledger, with one request in it."""
    ledger = open_ledger()
    ledger.intake.accept([submission("a", notify=True)])
    return ledger


@contextmanager
def lost_commits(ledger: SqlLedger, *, done: bool) -> Iterator[None]:
    """While the block runs, nobody hears what became of a commit: they are all `done`, or none is."""

    def fail(connection: Connection) -> None:
        if done:
            do_commit(connection)
        raise OperationalError("COMMIT", None, ConnectionResetError("the connection is lost"))

    event.listen(ledger.database._writer, "commit", fail)
    try:
        yield
    finally:
        event.remove(ledger.database._writer, "commit", fail)


@pytest.mark.parametrize("done", [True, False])
def test_a_claim_whose_outcome_was_not_heard_of_is_found_again(ledger: SqlLedger, *, done: bool) -> None:
    worker = ledger.worker()
    with lost_commits(ledger, done=done), pytest.raises(Transient):
        worker.claim(ALL, {})

    assert 3 == drive(worker)
    assert {Status.COMPLETED: 1} == {status: n for status, n in ledger.records.counts().items() if n}


@pytest.mark.parametrize("done", [True, False])
def test_a_record_whose_outcome_was_not_heard_of_is_made_again_and_counts_once(
    ledger: SqlLedger, *, done: bool
) -> None:
    worker = ledger.worker()
    events = [succeeded(task) for task in worker.claim(ALL, {})]
    with lost_commits(ledger, done=done), pytest.raises(Transient):
        worker.record(events, ALL)
    kept = worker.record(events, ALL)
    found = worker.claim(ALL, {})

    assert [Stage.DELIVER] == [task.job.stage for task in [*kept, *found]]
    worker.record([succeeded(task) for task in [*kept, *found]], NONE)
    drive(worker)
    assert 1 == ledger.records.counts()[Status.COMPLETED]
    assert [] == list(ledger.records.verify())


@pytest.mark.parametrize("done", [True, False])
def test_requests_whose_intake_was_not_heard_of_are_known_the_second_time(
    ledger: SqlLedger, *, done: bool
) -> None:
    with lost_commits(ledger, done=done), pytest.raises(Transient):
        ledger.intake.accept([submission("b")])

    assert ["KNOWN" if done else "NEW"] == list(ledger.intake.accept([submission("b")]))


@pytest.mark.parametrize("done", [True, False])
def test_a_worker_whose_enrolment_was_not_heard_of_holds_nothing(ledger: SqlLedger, *, done: bool) -> None:
    """Its number may be given to the next one."""
    with lost_commits(ledger, done=done), pytest.raises(Transient):
        ledger.worker()
    ledger.worker("second")

    assert int(done) == ledger.operations.sweep().workers
    assert ["second"] == [worker.name for worker in ledger.records.workers()]


def test_a_worker_that_cannot_tell_of_its_retirement_is_found_gone_at_once(
    ledger: SqlLedger, open_ledger: Callable[[], SqlLedger]
) -> None:
    worker = ledger.worker()
    worker.claim(ALL, {})
    with lost_commits(ledger, done=False), pytest.raises(Transient):
        worker.close()

    assert Swept(workers=1, jobs=1) == open_ledger().operations.sweep()


def test_a_worker_that_retires_does_not_answer_for_one_that_died(
    ledger: SqlLedger, open_ledger: Callable[[], SqlLedger]
) -> None:
    """What a dead worker held was lost, and counts as such, whoever is quickest."""
    other = open_ledger()
    other.worker().claim(ALL, {})
    retiring = ledger.worker()
    other._liveness.close()
    bury(ledger.database, ledger._liveness)
    retiring.close()

    assert Swept(jobs=1) == ledger.operations.sweep()
    assert {"lost": 1}.items() <= list(ledger.records.audit("a"))[-1].details.items()


def test_a_write_back_that_was_outrun_by_another_is_followed_by_one_more(ledger: SqlLedger) -> None:
    """It may have told the worktable something older, after the newest was told and ticked off."""
    worker = ledger.worker()
    tasks = worker.claim(ALL, {})
    older = ledger.operations.unwritten(10)
    worker.record([succeeded(task) for task in tasks], NONE)
    newer = ledger.operations.unwritten(10)
    ledger.operations.written(newer)
    assert [] == list(ledger.operations.unwritten(10))
    ledger.operations.written(older)

    assert newer == ledger.operations.unwritten(10)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_the_lock_of_a_process_that_died_while_it_retired_is_removed(
    ledger: SqlLedger, tmp_path: Path
) -> None:
    left = tmp_path / "ledger.db.workers" / "77.lock"
    left.parent.mkdir()
    left.touch()
    ledger.worker()

    assert ["1.lock"] == [path.name for path in left.parent.iterdir()]


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_worker_whose_lock_cannot_be_had_is_enrolled_later(ledger: SqlLedger, tmp_path: Path) -> None:
    """It would be thought dead at once."""
    made = tmp_path / "ledger.db.workers" / "1.lock"
    made.parent.mkdir()
    with made.open("w") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        with pytest.raises(Transient):
            ledger.worker()
    worker = ledger.worker()

    assert 1 == worker.worker
    assert Swept() == ledger.operations.sweep()


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_a_transaction_that_stands_still_is_ended_and_lets_go_of_its_locks(
    ledger: SqlLedger, open_ledger: Callable[[], SqlLedger]
) -> None:
    """It fails as something that passes; what waits for its locks goes on once the lease is over."""
    other = open_ledger()

    def stand_still() -> None:
        with ledger.database.write() as connection:
            connection.execute(text("SELECT * FROM requests FOR UPDATE"))
            other.operations.cancel("a", "ann")
            connection.execute(text("SELECT 1"))

    with pytest.raises(Transient):
        stand_still()
    assert 1 == other.records.counts()[Status.FAILED]
    assert 0 == ledger.operations.sweep().expired
