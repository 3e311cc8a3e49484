from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.clock import ManualClock
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.errors import Permanent, Transient, Unknown
from reportbus.core.events import Delivered, Failed, HandedBack, Kind
from reportbus.core.model import Artifact, Receipt, Target, TargetType
from reportbus.core.redact import Redactor
from reportbus.ports import Verdict
from reportbus.stages.deliver import Deliver
from stages.orders import deliver_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from reportbus.ports import Attempt, Delivery

TABLE = b"id,amount\n1,2.50\n"


class ScriptedDestination:
    """Answers each delivery with `answer`, and keeps what it was given, call by call."""

    def __init__(self, answer: Callable[[Delivery], Attempt] | None = None) -> None:
        self.calls: list[list[Delivery]] = []
        self._answer = answer or received

    def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Attempt]:
        self.calls.append(list(deliveries))
        return [self._answer(delivery) for delivery in deliveries]

    def test(self) -> Verdict:
        return Verdict(ok=True, text="scripted")

    def close(self) -> None:
        pass


def received(delivery: Delivery) -> Receipt:
    return Receipt(f"{delivery.target.path}/{delivery.target.file_name}", "hash")


class Bench:
    """The stage under test and what stands around it."""

    def __init__(self, staging: FolderStaging) -> None:
        self.staging = staging
        self.clock = ManualClock()
        self.redactor = Redactor()
        self.cancelled: set[str] = set()

    def stage(self, destination: ScriptedDestination) -> Deliver:
        return Deliver(
            destinations={"archive": destination},
            staging=self.staging,
            clock=self.clock,
            redactor=self.redactor,
            timeouts={"target:archive": 30.0},
            default_timeout=60.0,
            cancelled=lambda task: task.request.request_id in self.cancelled,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    staging = FolderStaging(tmp_path / "staging")
    yield Bench(staging)
    staging.close()


def test_a_slice_is_delivered_in_one_call(bench: Bench) -> None:
    destination = ScriptedDestination()
    tasks = [deliver_task(number) for number in (1, 2, 3)]
    events = bench.stage(destination).run(tasks)
    assert [event.task for event in events] == tasks
    assert {event.answer for event in events} == {Delivered(Receipt("in/sales.csv", "hash"))}
    assert [[given.request.request_id for given in call] for call in destination.calls] == [
        ["R-1", "R-2", "R-3"]
    ]


def test_the_target_is_the_jobs_and_its_id_stays_the_same(bench: Bench) -> None:
    targets = (Target(1, TargetType.NAS, "archive", "a"), Target(2, TargetType.NAS, "archive", "b"))
    destination = ScriptedDestination()
    bench.stage(destination).run([deliver_task(7, target=2, targets=targets)])
    ((delivery,),) = destination.calls
    assert (delivery.target, delivery.delivery_id) == (targets[1], "R-7-2")
    assert not delivery.possible_duplicate


def test_the_staged_bytes_are_opened_when_they_are_asked_for(bench: Bench) -> None:
    key = "reports/R-1/1/1/sales.csv"
    with bench.staging.writer(key, limit=100) as writer:
        writer.write(TABLE)
        bench.staging.publish([writer])
    read: list[bytes] = []

    def answer(delivery: Delivery) -> Attempt:
        with delivery.open(delivery.artifacts[0]) as staged:
            read.append(staged.read())
        return received(delivery)

    artifact = Artifact(key, "sales.csv", "CSV", len(TABLE), "")
    bench.stage(ScriptedDestination(answer)).run([deliver_task(1, (artifact,))])
    assert read == [TABLE]


def test_one_failed_delivery_does_not_spoil_its_neighbours(bench: Bench) -> None:
    errors: dict[str, Attempt] = {
        "R-1": Transient("ConnectionTimeout", "no answer", retry_after=3),
        "R-3": Unknown("DST_PROTOCOL", "connection lost"),
    }
    destination = ScriptedDestination(
        lambda delivery: errors.get(delivery.request.request_id, received(delivery))
    )
    events = bench.stage(destination).run([deliver_task(number) for number in (1, 2, 3)])
    assert events[0].answer == Failed(Kind.TRANSIENT, "ConnectionTimeout", "no answer", retry_after=3)
    assert isinstance(events[1].answer, Delivered)
    assert events[2].answer == Failed(Kind.UNKNOWN, "DST_PROTOCOL", "connection lost")


@pytest.mark.parametrize(("losses", "unknowns"), [(1, 0), (0, 1)])
def test_a_repeat_after_an_outcome_nobody_knows_says_so(bench: Bench, losses: int, unknowns: int) -> None:
    destination = ScriptedDestination()
    bench.stage(destination).run([deliver_task(losses=losses, unknowns=unknowns)])
    assert destination.calls[0][0].possible_duplicate


def test_the_deadline_is_the_lanes_or_the_runs_whichever_comes_first(bench: Bench) -> None:
    destination = ScriptedDestination()
    soon = bench.clock.now() + timedelta(seconds=4)
    bench.stage(destination).run([deliver_task(1), deliver_task(2, expires_at=soon)])
    assert [given.deadline.remaining() for given in destination.calls[0]] == [30, 4]


def test_an_unknown_destination_is_an_answer_that_names_those_there_are(bench: Bench) -> None:
    target = Target(1, TargetType.NAS, "nowhere")
    (event,) = bench.stage(ScriptedDestination()).run([deliver_task(targets=(target,))])
    assert event.answer == Failed(Kind.PERMANENT, "CFG_DESTINATION", "no destination 'nowhere'; have archive")


def test_a_task_that_does_not_fit_its_request_is_its_own_answer(bench: Bench) -> None:
    destination = ScriptedDestination()
    events = bench.stage(destination).run([deliver_task(1, target=9), deliver_task(2)])
    assert isinstance(events[0].answer, Failed)
    assert events[0].answer.code == "SYS_INTERNAL"
    assert isinstance(events[1].answer, Delivered)
    assert len(destination.calls[0]) == 1


def test_a_cancelled_delivery_is_handed_back_before_it_is_begun(bench: Bench) -> None:
    destination = ScriptedDestination()
    bench.cancelled = {"R-1", "R-2"}
    events = bench.stage(destination).run([deliver_task(1), deliver_task(2)])
    assert [event.answer for event in events] == [HandedBack()] * 2
    assert destination.calls == []


def test_a_destination_that_breaks_is_the_answer_of_the_whole_slice(bench: Bench) -> None:
    def answer(_: Delivery) -> Attempt:
        raise RuntimeError("row 17: Ada")

    events = bench.stage(ScriptedDestination(answer)).run([deliver_task(1), deliver_task(2)])
    for event in events:
        assert isinstance(event.answer, Failed)
        assert (event.answer.kind, event.answer.code) == (Kind.PERMANENT, "SYS_INTERNAL")
        assert "Ada" not in event.answer.text + event.answer.trace


def test_a_destination_that_cannot_be_reached_is_the_answer_of_the_whole_slice(bench: Bench) -> None:
    def answer(_: Delivery) -> Attempt:
        raise Permanent("SEC_HOSTKEY", "another host key")

    events = bench.stage(ScriptedDestination(answer)).run([deliver_task(1), deliver_task(2)])
    assert [event.answer for event in events] == [
        Failed(Kind.PERMANENT, "SEC_HOSTKEY", "another host key")
    ] * 2


@pytest.mark.parametrize("answers", [0, 3])
def test_answers_that_do_not_match_the_deliveries_are_not_believed(bench: Bench, answers: int) -> None:
    class Miscounting(ScriptedDestination):
        def deliver(self, deliveries: Sequence[Delivery]) -> Sequence[Attempt]:
            return [received(deliveries[0])] * answers

    events = bench.stage(Miscounting()).run([deliver_task(1), deliver_task(2)])
    assert [event.answer.code for event in events if isinstance(event.answer, Failed)] == ["SYS_INTERNAL"] * 2


def test_each_answer_says_how_long_the_call_took(bench: Bench) -> None:
    def answer(delivery: Delivery) -> Attempt:
        bench.clock.advance(1)
        return received(delivery)

    events = bench.stage(ScriptedDestination(answer)).run([deliver_task(1), deliver_task(2)])
    assert [event.elapsed for event in events] == [2, 2]


def test_an_empty_slice_has_no_answers(bench: Bench) -> None:
    assert bench.stage(ScriptedDestination()).run([]) == []
