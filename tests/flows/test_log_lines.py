"""What the log says of one request, and of a worker."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from contracts.ledger_samples import ALL, NONE, answered, submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.events import Failed, Kind, Lost
from reportbus.core.jobs import Stage
from reportbus.stages.grip import Grip
from reportbus.stages.worker import Places, Rhythm, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.core.events import Event
    from reportbus.core.jobs import Task

LIMIT_SECONDS = 20.0
FOR_GOOD = Failed(Kind.PERMANENT, "PY_SCRIPT", "the script ended with 1")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[SqlLedger]:
    ledger = SqlLedger(ledger_url, SystemClock(), wakeups=False)
    ledger.intake.accept([submission("R-1")])
    yield ledger
    ledger.close()


def about_a_job(caplog: pytest.LogCaptureFixture) -> list[tuple[object, ...]]:
    """The records that are about a job: which one, how bad, and what they say."""
    return [
        (
            *(getattr(record, name) for name in ("request_id", "job", "stage")),
            record.levelname,
            record.message,
        )
        for record in caplog.records
        if hasattr(record, "job")
    ]


def test_a_job_that_is_given_up_is_told_of(ledger: SqlLedger, caplog: pytest.LogCaptureFixture) -> None:
    worker = ledger.worker()
    worker.record(answered(worker.claim(ALL, {}), FOR_GOOD), NONE)
    said = "given up: PY_SCRIPT: the script ended with 1"

    assert [("R-1", 1, "GENERATE", "WARNING", said)] == about_a_job(caplog)


def test_a_job_that_kills_its_workers_is_told_of_when_it_is_given_up(
    ledger: SqlLedger, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4):
        assert about_a_job(caplog) == []
        worker = ledger.worker()
        worker.record(answered(worker.claim(ALL, {}), Lost()), NONE)
    ((*about, level, said),) = about_a_job(caplog)

    assert (["R-1", 1, "GENERATE"], "WARNING") == (about, level)
    assert str(said).startswith("given up: SYS_CRASH_LOOP: ")


def test_an_answer_that_comes_twice_is_told_of(ledger: SqlLedger, caplog: pytest.LogCaptureFixture) -> None:
    worker = ledger.worker()
    events = [succeeded(task) for task in worker.claim(ALL, {})]
    worker.record(events, NONE)
    assert about_a_job(caplog) == []
    worker.record(events, NONE)
    ((*about, level, said),) = about_a_job(caplog)

    assert (["R-1", 1, "GENERATE"], "WARNING") == (about, level)
    assert str(said).startswith("an answer is refused: the job is not in this worker's hands")


class Idle:
    """A stage that has nothing to do."""

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        return [succeeded(task) for task in tasks]


def test_a_lost_lease_is_told_of_with_the_workers_name(
    ledger: SqlLedger, caplog: pytest.LogCaptureFixture
) -> None:
    hands = ledger.worker("station-1")
    worker = Worker(
        hands,
        {Stage.NOTIFY: Idle()},
        grip=Grip(SystemClock()),
        clock=SystemClock(),
        places={Stage.NOTIFY: Places(8, 1)},
        limits={},
        rhythm=Rhythm(heartbeat=0.02, round=0.05),
    )
    thread = threading.Thread(target=worker.run, args=(threading.Event(),))
    thread.start()
    hands.close()
    thread.join(LIMIT_SECONDS)

    assert not thread.is_alive()
    assert [(logging.WARNING, "worker station-1 has lost its lease: its jobs go to others")] == [
        (record.levelno, record.message) for record in caplog.records
    ]
