"""Threads that hang: what becomes of their jobs, of the worker, and of its process."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from contracts.ledger_samples import submission, succeeded
from reportbus.adapters.clock import ManualClock
from reportbus.core.errors import Permanent
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.stages.grip import Grip
from reportbus.stages.worker import Places, Rhythm, Worker
from reportbus.stages.worker.crew import StageThread
from waiting import LIMIT_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reportbus.adapters.ledger.sql import SqlLedger
    from reportbus.core.events import Event
    from reportbus.core.jobs import Task

TIMEOUT = 100.0
PATIENCE = 2 * TIMEOUT + 60
RHYTHM = Rhythm(
    heartbeat=0.02, lease=10_000, round=0.05, grace=3, timeouts={"engine:PYTHON": TIMEOUT}, timeout=5
)


class Hanging:
    """A stage that hangs in each slice with one of these requests, until it is let go; else it is quick."""

    def __init__(self, clock: ManualClock, *request_ids: str) -> None:
        self.clock = clock
        self.let_go = threading.Event()
        self.hung: list[Task] = []
        self.slices: list[list[str]] = []
        self.came_back = threading.Event()
        self._ids = set(request_ids)

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        self.slices.append([task.request.request_id for task in tasks])
        if self._ids & set(self.slices[-1]):
            self.hung += tasks
            self.let_go.wait(LIMIT_SECONDS)
            self.came_back.set()
        self.clock.advance(0.001)
        return [succeeded(task) for task in tasks]


class Line:
    """A worker of the generate stage in a thread; its clock is turned by the test."""

    def __init__(self, ledger: SqlLedger, stage: Hanging, threads: int) -> None:
        self.ledger = ledger
        self.stage = stage
        self.clock = stage.clock
        self.grip = Grip(self.clock)
        self.stop = threading.Event()
        self.error: Permanent | None = None
        self._worker = Worker(
            ledger.worker(),
            {Stage.GENERATE: stage},
            grip=self.grip,
            clock=self.clock,
            places={Stage.GENERATE: Places(64, threads)},
            limits={},
            rhythm=RHYTHM,
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._worker.run(self.stop)
        except Permanent as error:
            self.error = error

    def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass, some milliseconds at a time, until it is so."""
        until(condition, self.go_on)

    def go_on(self) -> None:
        """Let some milliseconds pass, and more on the line's own clock."""
        self.clock.advance(0.05)
        threading.Event().wait(0.005)

    def end(self) -> None:
        self.stop.set()
        self.until(lambda: not self.thread.is_alive())
        self.stage.let_go.set()


@pytest.fixture
def start(ledger: SqlLedger) -> Iterator[Callable[..., Line]]:
    """Starts a worker."""
    lines: list[Line] = []

    def make(*hang: str, threads: int = 2) -> Line:
        lines.append(Line(ledger, Hanging(ManualClock(), *hang), threads))
        return lines[-1]

    yield make
    for line in lines:
        line.end()


def losses(ledger: SqlLedger, request_id: str) -> int:
    """How often the request's report was lost."""
    return sum("lost" in row.details for row in ledger.records.audit(request_id))


def status(ledger: SqlLedger, request_id: str) -> Status:
    view = ledger.records.find(request_id)
    assert view is not None
    return view.status


def test_a_task_whose_thread_hangs_is_lost_and_tried_again(
    ledger: SqlLedger, start: Callable[..., Line], caplog: pytest.LogCaptureFixture
) -> None:
    ledger.intake.accept([submission("stuck")])
    line = start("stuck")
    line.until(lambda: len(line.stage.hung) == 1)
    (first,) = line.stage.hung
    line.clock.advance(PATIENCE - 50)
    for _ in range(20):
        line.go_on()
    assert 0 == losses(ledger, "stuck")
    line.clock.advance(60)
    line.until(lambda: losses(ledger, "stuck") == 1)
    (said,) = [record for record in caplog.records if "given up" in record.message]

    assert logging.WARNING == said.levelno
    assert ("stuck", 1, "GENERATE") == (said.request_id, said.job, said.stage)  # type: ignore[attr-defined]
    assert "has hung for 2" in said.message
    line.until(lambda: len(line.stage.hung) == 2)
    again = line.stage.hung[1]
    line.until(lambda: not line.grip.cancelled(again))
    assert line.grip.cancelled(first)
    assert (1, 1) == (again.job.losses, again.job.attempt)


def test_a_thread_that_hangs_takes_no_capacity_and_its_late_answer_is_dropped(
    ledger: SqlLedger, start: Callable[..., Line], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="reportbus")
    ledger.intake.accept([submission("stuck")])
    line = start("stuck", threads=3)
    line.until(lambda: len(line.stage.hung) == 1)
    line.clock.advance(PATIENCE)
    line.until(lambda: losses(ledger, "stuck") == 1)
    line.until(lambda: len(line.stage.hung) == 2)
    ledger.intake.accept([submission("a"), submission("b")])
    line.until(lambda: {status(ledger, "a"), status(ledger, "b")} == {Status.GENERATED})
    line.stage.let_go.set()
    assert line.stage.came_back.wait(LIMIT_SECONDS)
    line.until(lambda: any("came back" in record.message for record in caplog.records))

    line.end()

    assert not line.error
    assert [] == list(ledger.records.verify())
    assert [] == [row for row in ledger.records.audit() if row.event_type == "IGNORED"]


def test_all_tasks_of_a_slice_that_hangs_are_given_up_and_then_go_alone(
    ledger: SqlLedger, start: Callable[..., Line]
) -> None:
    """So that the one that hangs is given up for good after some losses, and the others are not."""
    line = start("stuck", threads=9)
    ledger.intake.accept([submission("first")])
    line.until(lambda: status(ledger, "first") is Status.GENERATED)
    ids = ["a", "b", "stuck", "c", "d"]
    ledger.intake.accept([submission(request_id) for request_id in ids])
    line.until(lambda: len(line.stage.hung) > 0)
    assert set(ids) == {task.request.request_id for task in line.stage.hung}

    for count in range(1, 5):
        line.until(lambda count=count: len(line.stage.hung) >= 4 + count)  # type: ignore[misc]
        line.clock.advance(PATIENCE)
        line.until(lambda count=count: losses(ledger, "stuck") == min(count, 3))  # type: ignore[misc]
        line.until(lambda: all(status(ledger, each) is Status.GENERATED for each in ("a", "b", "c", "d")))
    line.until(lambda: status(ledger, "stuck") is Status.FAILED)
    view = ledger.records.find("stuck")

    assert view is not None
    assert "SYS_CRASH_LOOP" == view.code
    assert [1] * 4 == [losses(ledger, each) for each in ("a", "b", "c", "d")]
    assert not line.error


def test_a_worker_ends_by_a_fault_when_as_many_threads_hang_as_a_stage_has(
    ledger: SqlLedger, start: Callable[..., Line]
) -> None:
    ledger.intake.accept([submission("one"), submission("two"), submission("other")])
    line = start("one", "two")
    line.until(lambda: len(line.stage.hung) == 2)
    line.clock.advance(PATIENCE)
    line.until(lambda: not line.thread.is_alive())

    assert line.error is not None
    assert "SYS_HANGING" == line.error.code
    assert ["READY"] * 2 == [job.state for each in ("one", "two") for job in ledger.records.jobs(each)]
    assert [1, 1] == [losses(ledger, "one"), losses(ledger, "two")]


def test_a_stop_does_not_wait_for_a_thread_that_was_given_up(
    ledger: SqlLedger, start: Callable[..., Line]
) -> None:
    ledger.intake.accept([submission("stuck")])
    line = start("stuck", threads=4)
    line.until(lambda: len(line.stage.hung) == 1)
    line.clock.advance(PATIENCE)
    line.until(lambda: losses(ledger, "stuck") == 1)
    ledger.operations.cancel("stuck", "ann")
    line.until(lambda: status(ledger, "stuck") is Status.FAILED or len(line.stage.hung) == 2)
    line.stop.set()
    line.until(lambda: not line.thread.is_alive())

    assert all(thread.daemon for thread in threading.enumerate() if isinstance(thread, StageThread))
