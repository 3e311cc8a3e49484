from __future__ import annotations

from threading import Condition, Event
from typing import TYPE_CHECKING

import pytest

from contracts.ledger_samples import succeeded
from reportbus.adapters.clock import ManualClock
from reportbus.core import events
from reportbus.core.jobs import Stage, about
from reportbus.core.pace import Slice
from reportbus.stages.worker.crew import Crew
from stages.orders import generate_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reportbus.core.events import Answer
    from reportbus.core.jobs import Task

LIMIT_SECONDS = 20.0
THREADS = 8


class Gate:
    """A stage whose slices wait to be let through; what a crew answers is gathered here too."""

    def __init__(self) -> None:
        self.open = Event()
        self.changed = Condition()
        self.begun: list[int] = []
        self.answered: list[int] = []

    def run(self, tasks: Sequence[Task]) -> list[events.Event]:
        with self.changed:
            self.begun += [task.request_key for task in tasks]
            self.changed.notify_all()
        assert self.open.wait(LIMIT_SECONDS)
        return [succeeded(task) for task in tasks]

    def answer(self, answers: list[events.Event], _elapsed: float) -> None:
        with self.changed:
            self.answered += [event.task.request_key for event in answers]
            self.changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it, within limits."""
        with self.changed:
            assert self.changed.wait_for(condition, LIMIT_SECONDS)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def crew(gate: Gate, clock: ManualClock) -> Iterator[Crew]:
    crew = Crew(Stage.GENERATE, gate, THREADS, clock, gate.answer)
    yield crew
    crew.dismiss()
    gate.open.set()


def patience(_lane: str) -> float:
    return 660.0


def slices(numbers: Sequence[int], *, brief: bool) -> list[Slice]:
    """A slice for each number."""
    return [Slice([generate_task(number)], brief) for number in numbers]


def test_slices_that_wait_go_as_many_at_a_time_as_there_are_threads(crew: Crew, gate: Gate) -> None:
    for slice_ in slices(range(THREADS), brief=False):
        assert crew.idle()
        crew.do(slice_)
    gate.until(lambda: len(gate.begun) == THREADS)

    assert not crew.idle()


def test_brief_slices_share_two_threads_and_leave_the_others_to_those_that_wait(
    crew: Crew, gate: Gate
) -> None:
    for slice_ in slices(range(5), brief=True):
        crew.do(slice_)
    for slice_ in slices(range(10, 10 + THREADS), brief=False):
        crew.do(slice_)
    gate.until(lambda: len(gate.begun) == 2 + THREADS)

    assert 2 == sum(number < 10 for number in gate.begun)


def test_brief_work_under_way_is_no_reason_to_ask_for_more(crew: Crew, gate: Gate) -> None:
    (slice_,) = slices([1], brief=True)
    crew.do(slice_)
    assert not crew.idle()
    gate.open.set()
    gate.until(lambda: gate.answered == [1])

    assert crew.idle()


def test_what_no_thread_has_begun_can_be_taken_back(crew: Crew, gate: Gate) -> None:
    for slice_ in slices(range(THREADS + 3), brief=False):
        crew.do(slice_)
    gate.until(lambda: len(gate.begun) == THREADS)
    back = [task.request_key for task in crew.take_back()]
    gate.open.set()
    gate.until(lambda: len(gate.answered) == THREADS)

    assert {THREADS, THREADS + 1, THREADS + 2} == set(back)
    assert set(range(THREADS)) == set(gate.begun)


def test_a_thread_is_given_up_at_its_lanes_patience_and_not_before(
    crew: Crew, gate: Gate, clock: ManualClock
) -> None:
    (slice_,) = slices([1], brief=False)
    crew.do(slice_)
    gate.until(lambda: gate.begun == [1])
    clock.advance(659.9)
    assert [] == crew.give_up(patience)
    clock.advance(0.1)

    assert [[1]] == [[task.request_key for task in turn.tasks] for turn in crew.give_up(patience)]
    assert [] == crew.give_up(patience)


@pytest.mark.parametrize("brief", [False, True])
def test_a_thread_that_was_given_up_is_replaced_and_its_answer_is_dropped(
    crew: Crew,
    gate: Gate,
    clock: ManualClock,
    brief: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    threads = 2 if brief else THREADS
    for slice_ in slices(range(threads), brief=brief):
        crew.do(slice_)
    gate.until(lambda: len(gate.begun) == threads)
    clock.advance(660)
    assert threads == len(crew.give_up(patience))
    for slice_ in slices(range(100, 100 + threads), brief=brief):
        crew.do(slice_)
    gate.until(lambda: len(gate.begun) == 2 * threads)
    gate.open.set()
    gate.until(lambda: len(gate.answered) == threads)

    assert set(range(100, 100 + threads)) == set(gate.answered)


def test_a_crew_is_exhausted_when_as_many_threads_hang_as_the_stage_has(
    crew: Crew, gate: Gate, clock: ManualClock
) -> None:
    for slice_ in slices(range(THREADS - 1), brief=False):
        crew.do(slice_)
    gate.until(lambda: len(gate.begun) == THREADS - 1)
    clock.advance(660)
    crew.give_up(patience)
    assert not crew.exhausted()
    (last,) = slices([99], brief=True)
    crew.do(last)
    gate.until(lambda: len(gate.begun) == THREADS)
    clock.advance(660)
    crew.give_up(patience)

    assert crew.exhausted()


class Failing:
    """A stage whose tasks fail, or one with a fault."""

    def __init__(self, answer: Answer | None) -> None:
        self._answer = answer

    def run(self, tasks: Sequence[Task]) -> list[events.Event]:
        if self._answer is None:
            raise ZeroDivisionError
        return [events.Event(task, self._answer) for task in tasks]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            events.Failed(events.Kind.TRANSIENT, "ServiceUnavailable", "no answer"),
            ["attempt 2 failed: ServiceUnavailable: no answer"],
        ),
        (None, ["a stage failed", "attempt 2 failed: SYS_INTERNAL: the GENERATE stage failed"]),
        (events.HandedBack(), []),
    ],
)
def test_a_failed_attempt_is_logged_with_its_request_job_and_stage(
    gate: Gate, caplog: pytest.LogCaptureFixture, answer: Answer | None, says: list[str]
) -> None:
    crew = Crew(Stage.GENERATE, Failing(answer), 1, ManualClock(), gate.answer)
    crew.do(Slice([generate_task(7, attempt=2)], brief=False))
    gate.until(lambda: gate.answered == [7])
    crew.dismiss()

    assert says == caplog.messages
    assert all(
        about("R-7", generate_task(7).job).items() <= vars(record).items() for record in caplog.records
    )


def test_time_in_the_queue_is_no_time_that_a_thread_hangs(crew: Crew, gate: Gate, clock: ManualClock) -> None:
    for slice_ in slices(range(THREADS + 1), brief=False):
        crew.do(slice_)
    gate.until(lambda: len(gate.begun) == THREADS)
    clock.advance(660)
    assert THREADS == len(crew.give_up(patience))
    gate.until(lambda: len(gate.begun) == THREADS + 1)

    assert [] == crew.give_up(patience)
