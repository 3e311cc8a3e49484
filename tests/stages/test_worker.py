from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest

from contracts.ledger_samples import submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Permanent, Transient
from reportbus.core.events import Event, HandedBack
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.stages.grip import Grip
from reportbus.stages.worker import Places, Rhythm, StageRunner, Worker
from waiting import LIMIT_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reportbus.adapters.ledger.work import SqlWorkLedger
    from reportbus.core.jobs import Task
    from reportbus.core.model import JsonValue
    from reportbus.ports import Pulse

QUICK = Rhythm(heartbeat=0.05, lease=60.0, round=0.05, grace=3.0)


@dataclass
class Doing:
    """A stage that does what it is told with each task, and remembers the slices it was given."""

    do: Callable[[Task], Event] = succeeded
    slices: list[list[Task]] = field(default_factory=list)

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        self.slices.append(list(tasks))
        return [self.do(task) for task in tasks]


@dataclass
class Waiting:
    """A stage whose tasks take until `open` is set, or until they shall stop."""

    grip: Grip
    begun: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        self.begun.set()
        end = time.monotonic() + LIMIT_SECONDS
        while not self.open.wait(0.01):
            if any(self.grip.cancelled(task) for task in tasks) or time.monotonic() > end:
                return [Event(task, HandedBack()) for task in tasks]
        return [succeeded(task) for task in tasks]


class Line:
    """A worker in a thread."""

    def __init__(
        self,
        hands: SqlWorkLedger,
        stages: Mapping[Stage, StageRunner],
        grip: Grip,
        *,
        rhythm: Rhythm = QUICK,
        threads: int = 2,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.stop = threading.Event()
        self.lost = False
        places = dict.fromkeys(stages, Places(64, threads))
        self._worker = Worker(
            hands,
            stages,
            grip=grip,
            clock=SystemClock(),
            places=places,
            limits=limits or {},
            rhythm=rhythm,
        )
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.lost = self._worker.run(self.stop)


@contextmanager
def working(line: Line) -> Iterator[Line]:
    """The worker works; told to stop at the end."""
    line.thread.start()
    try:
        yield line
    finally:
        line.stop.set()
        line.thread.join(LIMIT_SECONDS)
        assert not line.thread.is_alive()


class Raising:
    """A stage with a fault."""

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        raise ZeroDivisionError(len(tasks))


def completed(ledger: SqlLedger, count: int) -> bool:
    """Whether so many requests are completed."""
    return ledger.records.counts()[Status.COMPLETED] == count


def all_stages(stage: Doing) -> dict[Stage, Doing]:
    return dict.fromkeys(Stage, stage)


def test_everything_due_is_done_and_recorded(ledger: SqlLedger) -> None:
    ledger.intake.accept([submission(f"r{n}", targets=2, notify=True) for n in range(50)])
    with working(Line(ledger.worker(), all_stages(Doing()), Grip(SystemClock()))):
        until(lambda: completed(ledger, 50))
        until(lambda: not ledger.records.jobs("r49"))

    assert [] == list(ledger.records.verify())


def test_work_that_comes_later_is_heard_of(ledger: SqlLedger) -> None:
    patient = Rhythm(heartbeat=5, lease=60, round=30, grace=3)
    with working(Line(ledger.worker(), all_stages(Doing()), Grip(SystemClock()), rhythm=patient)):
        for n in range(3):
            ledger.intake.accept([submission(f"r{n}")])
            until(partial(completed, ledger, n + 1))


def test_without_any_wakeup_the_rounds_find_the_work(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'quiet.db'}"
    schema.upgrade_url(url, SystemClock())
    quiet = SqlLedger(url, SystemClock(), wakeups=False)
    with working(Line(quiet.worker(), all_stages(Doing()), Grip(SystemClock()))):
        quiet.intake.accept([submission("a", targets=2)])
        until(lambda: completed(quiet, 1))
    quiet.close()


def test_quick_tasks_come_to_go_together(ledger: SqlLedger) -> None:
    stage = Doing()
    ledger.intake.accept([submission(f"r{n}") for n in range(300)])
    with working(Line(ledger.worker(), all_stages(stage), Grip(SystemClock()))):
        until(lambda: completed(ledger, 300))

    assert 1 == len(stage.slices[0])
    assert max(len(tasks) for tasks in stage.slices) > 10
    assert all(len({(t.job.stage, t.job.lane) for t in tasks}) == 1 for tasks in stage.slices)


def test_a_slow_stage_does_not_hold_up_another(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    slow = Waiting(grip)
    ledger.intake.accept([submission("first")])
    with working(Line(ledger.worker(), {Stage.GENERATE: Doing()}, Grip(SystemClock()))):
        until(lambda: ledger.records.counts()[Status.GENERATED] == 1)
    ledger.intake.accept([submission("second")])
    stages: dict[Stage, StageRunner] = {Stage.GENERATE: slow, Stage.DELIVER: Doing()}
    with working(Line(ledger.worker(), stages, grip)):
        assert slow.begun.wait(LIMIT_SECONDS)
        until(lambda: completed(ledger, 1))
        slow.open.set()
        until(lambda: completed(ledger, 2))


@dataclass
class Full:
    """A stage whose slices take until so many are under way at once."""

    threads: int
    now: int = 0
    full: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        with self.lock:
            self.now += 1
            if self.now == self.threads:
                self.full.set()
        assert self.full.wait(2 * LIMIT_SECONDS)
        return [succeeded(task) for task in tasks]


def test_slow_work_that_comes_bit_by_bit_gets_every_thread(ledger: SqlLedger) -> None:
    """A free thread with no task waiting for it is reason enough to ask, also where half of them are busy."""
    stage = Full(threads=8)
    with working(Line(ledger.worker(), {Stage.GENERATE: stage}, Grip(SystemClock()), threads=8)):
        try:
            for count in range(1, 9):
                ledger.intake.accept([submission(f"r{count}")])
                until(lambda count=count: stage.now == count)  # type: ignore[misc]
            assert stage.full.is_set()
        finally:
            stage.full.set()


def test_a_stage_that_raises_fails_its_tasks_and_nothing_else(ledger: SqlLedger) -> None:
    ledger.intake.accept([submission("a"), submission("b")])
    with working(Line(ledger.worker(), {Stage.GENERATE: Raising()}, Grip(SystemClock()))):
        until(lambda: ledger.records.counts()[Status.FAILED] == 2)

    assert {"SYS_INTERNAL"} == {error.code for error in ledger.records.errors(None)}


def test_a_stop_lets_finish_what_finishes_in_time(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    stage = Waiting(grip)
    ledger.intake.accept([submission("a")])
    with working(Line(ledger.worker(), {Stage.GENERATE: stage}, grip)) as line:
        assert stage.begun.wait(LIMIT_SECONDS)
        line.stop.set()
        stage.open.set()

    assert 1 == ledger.records.counts()[Status.GENERATED]


def test_a_stop_hands_back_what_does_not_and_what_was_not_begun(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    stage = Waiting(grip)
    ledger.intake.accept([submission(f"r{n}") for n in range(5)])
    hasty = Rhythm(heartbeat=0.05, round=0.05, grace=0.3)
    with working(Line(ledger.worker(), {Stage.GENERATE: stage}, grip, rhythm=hasty, threads=1)):
        assert stage.begun.wait(LIMIT_SECONDS)
    ready = [job.state for n in range(5) for job in ledger.records.jobs(f"r{n}")]

    assert ["READY"] * 5 == ready
    assert {1} == {job.attempt for n in range(5) for job in ledger.records.jobs(f"r{n}")}


def test_a_delivery_that_does_not_end_within_the_grace_is_marked_when_it_is_made_again(
    ledger: SqlLedger,
) -> None:
    deaf = Waiting(Grip(SystemClock()))
    deaf.grip.renewed(float("inf"))
    ledger.intake.accept([submission("a")])
    hasty = Rhythm(heartbeat=0.05, round=0.05, grace=0.1)
    stages: dict[Stage, StageRunner] = {Stage.GENERATE: Doing(), Stage.DELIVER: deaf}
    with working(Line(ledger.worker(), stages, Grip(SystemClock()), rhythm=hasty)):
        assert deaf.begun.wait(LIMIT_SECONDS)
    (again,) = ledger.worker().claim({Stage.DELIVER: 1}, {})
    deaf.open.set()

    assert (1, True) == (again.job.attempt, again.job.doubtful)


def test_a_cancelled_task_is_told_to_stop(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    stage = Waiting(grip)
    ledger.intake.accept([submission("a")])
    with working(Line(ledger.worker(), {Stage.GENERATE: stage}, grip)):
        assert stage.begun.wait(LIMIT_SECONDS)
        ledger.operations.cancel("a", "ann")
        until(lambda: ledger.records.counts()[Status.FAILED] == 1)
    view = ledger.records.find("a")

    assert view is not None
    assert "RUN_CANCELLED" == view.code


def test_a_worker_whose_lease_is_gone_lets_go_and_says_so(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    stage = Waiting(grip)
    hands = ledger.worker()
    ledger.intake.accept([submission("a")])
    with working(Line(hands, {Stage.GENERATE: stage}, grip)) as line:
        assert stage.begun.wait(LIMIT_SECONDS)
        hands.close()
        line.thread.join(LIMIT_SECONDS)

    assert line.lost
    assert ["READY"] == [job.state for job in ledger.records.jobs("a")]


def test_a_lanes_limit_holds_within_a_worker(ledger: SqlLedger) -> None:
    most = 0
    now = 0
    lock = threading.Lock()

    def busy(task: Task) -> Event:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.01)
        with lock:
            now -= 1
        return succeeded(task)

    ledger.intake.accept([submission(f"r{n}", targets=0) for n in range(12)])
    stages = {Stage.GENERATE: Doing(busy)}
    with working(Line(ledger.worker(), stages, Grip(SystemClock()), threads=6, limits={"engine:PYTHON": 2})):
        until(lambda: completed(ledger, 12))

    assert most <= 2


class Failing:
    """A ledger whose next records fail, before or after their commit, as when a connection is lost."""

    def __init__(self, hands: SqlWorkLedger, *, committed: bool, times: int) -> None:
        self._hands = hands
        self._committed = committed
        self.left = times
        self.name = hands.name

    def claim(self, capacity: Mapping[Stage, int], limits: Mapping[str, int]) -> Sequence[Task]:
        return self._hands.claim(capacity, limits)

    def record(self, events: Sequence[Event], capacity: Mapping[Stage, int]) -> Sequence[Task]:
        if self.left:
            self.left -= 1
            if self._committed:
                self._hands.record(events, {})
            raise Transient("ServiceUnavailable", "the connection was lost")
        return self._hands.record(events, capacity)

    def checkpoint(self, task: Task, data: Mapping[str, JsonValue]) -> bool:
        return self._hands.checkpoint(task, data)

    def renew(self) -> Pulse:
        return self._hands.renew()

    def wait(self, timeout: float) -> bool:
        return self._hands.wait(timeout)

    def close(self) -> None:
        self._hands.close()


@pytest.mark.parametrize("committed", [False, True])
def test_answers_that_could_not_be_recorded_are_recorded_later_and_count_once(
    ledger: SqlLedger,
    committed: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    ledger.intake.accept([submission(f"r{n}") for n in range(5)])
    hands = Failing(ledger.worker(), committed=committed, times=2)
    with working(Line(hands, all_stages(Doing()), Grip(SystemClock()))):  # type: ignore[arg-type] # a WorkLedger
        until(lambda: completed(ledger, 5))

    assert [] == list(ledger.records.verify())
    assert 0 == hands.left


def test_a_checkpoint_of_a_lost_job_stops_its_engine(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    hands = ledger.worker()
    ledger.intake.accept([submission("a")])
    (task,) = hands.claim(dict.fromkeys(Stage, 9), {})
    grip.hold(hands)
    grip.save(task, {"engine_job": "1"})
    hands.close()

    with pytest.raises(Permanent, match="RUN_CANCELLED"):
        grip.save(task, {"engine_job": "2"})


def test_nothing_is_held_before_the_lease_is_known_or_after_it_may_have_lapsed(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    hands = ledger.worker()
    ledger.intake.accept([submission("a")])
    (task,) = hands.claim(dict.fromkeys(Stage, 9), {})
    grip.hold(hands)
    assert grip.cancelled(task)
    grip.renewed(SystemClock().monotonic() + 60)
    assert not grip.cancelled(task)
    grip.renewed(SystemClock().monotonic() - 1)
    assert grip.cancelled(task)
