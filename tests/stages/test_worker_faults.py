from __future__ import annotations

from threading import Condition, Event, Thread
from typing import TYPE_CHECKING

from contracts.ledger_samples import submission, succeeded
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core import events as answers
from reportbus.core.errors import Permanent, Transient
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.core.redact import Redactor
from reportbus.ports import Produced, Pulse, Verdict
from reportbus.stages.generate import ADOPTED, Generate
from reportbus.stages.grip import Grip
from reportbus.stages.worker import Places, Rhythm, Worker
from stages.orders import generate_task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from reportbus.adapters.ledger.sql import SqlLedger
    from reportbus.adapters.ledger.work import SqlWorkLedger
    from reportbus.core.errors import Problem
    from reportbus.core.jobs import Task
    from reportbus.core.model import JsonValue
    from reportbus.ports import StagedWriter, Work

LIMIT_SECONDS = 20.0
QUICK = Rhythm(heartbeat=0.05, round=0.05, grace=3)


class Doing:
    """A stage that answers as it is told."""

    def __init__(self, do: Callable[[Task], answers.Event] = succeeded) -> None:
        self._do = do

    def run(self, tasks: Sequence[Task]) -> list[answers.Event]:
        return [self._do(task) for task in tasks]


class Shaky:
    """The ledger of a worker; what `record` and `renew` do before the real ones is said by the test."""

    def __init__(self, hands: SqlWorkLedger) -> None:
        self._hands = hands
        self.name = hands.name
        self.before_record: Callable[[Sequence[answers.Event]], None] = lambda _events: None
        self.before_renew: Callable[[], None] = lambda: None
        self.recorded = Condition()

    def claim(self, capacity: Mapping[Stage, int], limits: Mapping[str, int]) -> Sequence[Task]:
        return self._hands.claim(capacity, limits)

    def record(self, events: Sequence[answers.Event], capacity: Mapping[Stage, int]) -> Sequence[Task]:
        self.before_record(events)
        tasks = self._hands.record(events, capacity)
        with self.recorded:
            self.recorded.notify_all()
        return tasks

    def checkpoint(self, task: Task, data: Mapping[str, JsonValue]) -> bool:
        return self._hands.checkpoint(task, data)

    def renew(self) -> Pulse:
        self.before_renew()
        return self._hands.renew()

    def wait(self, timeout: float) -> bool:
        return self._hands.wait(timeout)

    def close(self) -> None:
        self._hands.close()


def work(hands: Shaky, stage: Doing, stop: Event, rhythm: Rhythm = QUICK) -> Thread:
    """A worker of the generate stage, in a thread of its own."""
    worker = Worker(
        hands,
        {Stage.GENERATE: stage},
        grip=Grip(SystemClock()),
        clock=SystemClock(),
        places={Stage.GENERATE: Places(64, 2)},
        limits={},
        rhythm=rhythm,
    )
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    return thread


def count(ledger: SqlLedger, status: Status) -> int:
    return ledger.records.counts()[status]


def until_recorded(hands: Shaky, condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true with one of the next records."""
    with hands.recorded:
        return hands.recorded.wait_for(condition, LIMIT_SECONDS)


def test_answers_behind_one_that_is_refused_are_kept_while_the_ledger_is_away(ledger: SqlLedger) -> None:
    """They are recorded one by one; the ledger goes away in the middle of that."""
    ledger.intake.accept([submission(f"r{n}") for n in range(6)])
    hands = Shaky(ledger.worker())
    alone = 0

    def before(events: Sequence[answers.Event]) -> None:
        nonlocal alone
        if len(events) > 1:
            raise Permanent("SYS_LEDGER", "one of these is no good")
        alone += 1
        if alone in {2, 5}:
            raise Transient("ServiceUnavailable", "the ledger is away")

    hands.before_record = before
    gathered = Event()
    stop = Event()
    thread = work(hands, Doing(lambda task: _when(gathered, task)), stop)
    gathered.set()
    try:
        assert until_recorded(hands, lambda: count(ledger, Status.GENERATED) == 6)
    finally:
        stop.set()
        thread.join(LIMIT_SECONDS)


def _when(event: Event, task: Task) -> answers.Event:
    event.wait(LIMIT_SECONDS)
    return succeeded(task)


def test_an_answer_the_ledger_never_takes_fails_its_job_alone(ledger: SqlLedger) -> None:
    """Also where the ledger is away just when the failure is to be recorded."""
    ledger.intake.accept([submission(f"r{n}") for n in range(4)])
    hands = Shaky(ledger.worker())
    away = [True]

    def before(events: Sequence[answers.Event]) -> None:
        for event in events:
            if event.task.request.request_id != "r2":
                continue
            if not isinstance(event.answer, answers.Failed):
                raise Permanent("SYS_LEDGER", "this is no good")
            if away.pop() if away else False:
                raise Transient("ServiceUnavailable", "the ledger is away")

    hands.before_record = before
    stop = Event()
    thread = work(hands, Doing(), stop)
    try:
        assert until_recorded(
            hands, lambda: (count(ledger, Status.GENERATED), count(ledger, Status.FAILED)) == (3, 1)
        )
    finally:
        stop.set()
        thread.join(LIMIT_SECONDS)
    view = ledger.records.find("r2")

    assert view is not None
    assert "SYS_INTERNAL" == view.code
    assert [] == away


def test_a_worker_whose_heartbeat_has_a_fault_gives_up_with_its_lease(ledger: SqlLedger) -> None:
    """It would hold its jobs for ever otherwise, or idle, thought dead by all others."""
    hands = Shaky(ledger.worker())

    def fault() -> None:
        raise ZeroDivisionError

    hands.before_renew = fault
    thread = work(hands, Doing(), Event(), Rhythm(heartbeat=0.05, lease=0.2, round=0.05))
    thread.join(LIMIT_SECONDS)

    assert not thread.is_alive()


def test_what_was_let_go_is_not_taken_hold_of_by_a_late_heartbeat(ledger: SqlLedger) -> None:
    grip = Grip(SystemClock())
    grip.renewed(SystemClock().monotonic() + 60)
    assert not grip.cancelled(generate_task())
    grip.let_go()
    grip.renewed(SystemClock().monotonic() + 60)

    assert grip.cancelled(generate_task())


class Unsteady:
    """An engine that makes another file each time."""

    def __init__(self) -> None:
        self.asked = 0

    def check(self, report_name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        return ()

    def generate(self, work: Work, sink: StagedWriter) -> Produced:
        self.asked += 1
        sink.write(f"made at the {self.asked}. time\n".encode())
        return Produced()

    def test(self) -> Verdict:
        return Verdict(ok=True, text="ready")

    def close(self) -> None:
        """Nothing is held."""


def making(engine: Unsteady, staging: FolderStaging) -> Generate:
    """The stage with this engine."""
    return Generate(
        engines={"PYTHON": engine},
        staging=staging,
        clock=SystemClock(),
        redactor=Redactor(),
        timeouts={},
        default_timeout=30,
        output_limit=1000,
        save_checkpoint=lambda _task, _data: None,
        cancelled=lambda _task: False,
    )


def test_a_report_that_a_thread_stages_after_it_was_given_up_is_adopted(tmp_path: Path) -> None:
    """It wakes up while the next attempt makes the report anew; only one of the two can stand."""
    staging = FolderStaging(tmp_path)
    task = generate_task()

    class Outrun(Unsteady):
        def generate(self, work: Work, sink: StagedWriter) -> Produced:
            making(Unsteady(), staging).run([task])
            sink.write(b"made by the second attempt\n")
            return Produced()

    (event,) = making(Outrun(), staging).run([task._replace(fence=task.fence + 1)])
    assert isinstance(event.answer, answers.Generated), event.answer
    with staging.open(event.answer.artifacts[0].key) as file:
        content = file.read()
    staging.close()

    assert (ADOPTED, b"made at the 1. time\n") == (event.answer.note, content)
    assert len(content) == event.answer.artifacts[0].size


def test_a_report_that_was_staged_before_its_job_was_handed_back_is_not_made_again(tmp_path: Path) -> None:
    """A stop that is out of time hands back jobs that may be done; a second file would be refused."""
    staging = FolderStaging(tmp_path)
    engine = Unsteady()
    stage = making(engine, staging)
    task = generate_task()
    (first,) = stage.run([task])
    (second,) = stage.run([task._replace(fence=task.fence + 1)])
    staging.close()

    assert isinstance(first.answer, answers.Generated)
    assert isinstance(second.answer, answers.Generated)
    assert (ADOPTED, first.answer.artifacts) == (second.answer.note, second.answer.artifacts)
    assert 1 == engine.asked
