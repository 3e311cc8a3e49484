from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.clock import ManualClock
from reportbus.core.errors import Transient
from reportbus.core.events import Failed, HandedBack, Kind, Notified
from reportbus.core.model import NotifyRule, Outcome, Receipt, Status
from reportbus.core.redact import Redactor
from reportbus.ports import Verdict
from reportbus.stages.notify import Notify
from stages.orders import notify_task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from reportbus.ports import Attempt, Notice


class ScriptedChannel:
    """Answers each notice with `answer`, and keeps what it was given, call by call."""

    def __init__(self, answer: Callable[[Notice], Attempt] | None = None) -> None:
        self.calls: list[list[Notice]] = []
        self._answer = answer or sent

    def send(self, notices: Sequence[Notice]) -> Sequence[Attempt]:
        self.calls.append(list(notices))
        return [self._answer(notice) for notice in notices]

    def test(self) -> Verdict:
        return Verdict(ok=True, text="scripted")

    def close(self) -> None:
        pass


def sent(notice: Notice) -> Receipt:
    return Receipt(notice.notice_id, "reply")


def stage(channel: ScriptedChannel, cancelled: Collection[str] = ()) -> Notify:
    return Notify(
        channels={"EMAIL": channel},
        clock=ManualClock(),
        redactor=Redactor(),
        cancelled=lambda task: task.request.request_id in cancelled,
    )


def test_a_slice_is_sent_in_one_call() -> None:
    channel = ScriptedChannel()
    tasks = [notify_task(number) for number in (1, 2)]
    events = stage(channel).run(tasks)
    assert [event.task for event in events] == tasks
    assert [event.answer for event in events] == [
        Notified(Receipt("R-1-1-0", "reply")), Notified(Receipt("R-2-1-0", "reply")),
    ]  # fmt: skip
    assert len(channel.calls) == 1


def test_a_notice_says_how_the_run_ended_to_those_its_rule_names() -> None:
    rules = (NotifyRule("EMAIL", ("ops@example.com",)), NotifyRule("EMAIL", ("cfo@example.com",)))
    outcome = Outcome(Status.FAILED, "DST_PROTOCOL", "no answer")
    channel = ScriptedChannel()
    bench = stage(channel)
    bench.run([notify_task(1, outcome, rule=1, notify=rules)])
    ((notice,),) = channel.calls
    assert (notice.to, notice.outcome) == (("cfo@example.com",), outcome)
    assert notice.at == ManualClock().now()
    assert not notice.possible_duplicate


def test_a_repeat_carries_the_same_id_and_says_that_it_may_be_one() -> None:
    channel = ScriptedChannel()
    stage(channel).run([notify_task(1), notify_task(1, unknowns=1)])
    first, second = channel.calls[0]
    assert first.notice_id == second.notice_id
    assert second.possible_duplicate


def test_one_failed_notice_does_not_spoil_its_neighbours() -> None:
    error = Transient("ServiceUnavailable", "mailbox busy")
    channel = ScriptedChannel(lambda notice: error if notice.request.request_id == "R-1" else sent(notice))
    events = stage(channel).run([notify_task(1), notify_task(2)])
    assert events[0].answer == Failed(Kind.TRANSIENT, "ServiceUnavailable", "mailbox busy")
    assert isinstance(events[1].answer, Notified)


def test_a_notice_that_is_in_hand_no_more_is_handed_back_and_not_sent() -> None:
    channel = ScriptedChannel()
    events = stage(channel, cancelled={"R-1"}).run([notify_task(1), notify_task(2)])
    assert [event.answer for event in events] == [HandedBack(), Notified(Receipt("R-2-1-0", "reply"))]
    assert [[notice.request.request_id for notice in call] for call in channel.calls] == [["R-2"]]


def test_an_unknown_channel_is_an_answer_that_names_those_there_are() -> None:
    (event,) = stage(ScriptedChannel()).run([notify_task(1, notify=(NotifyRule("PIGEON"),))])
    assert event.answer == Failed(Kind.PERMANENT, "CFG_CHANNEL", "no channel 'PIGEON'; have EMAIL")


def test_a_task_that_does_not_fit_its_request_is_its_own_answer() -> None:
    channel = ScriptedChannel()
    events = stage(channel).run([notify_task(1, rule=5), notify_task(2)])
    assert isinstance(events[0].answer, Failed)
    assert events[0].answer.code == "SYS_INTERNAL"
    assert isinstance(events[1].answer, Notified)


@pytest.mark.parametrize("fault", [RuntimeError("x"), Transient("ConnectionTimeout", "x")])
def test_a_channel_that_breaks_is_the_answer_of_the_whole_slice(fault: Exception) -> None:
    def answer(_: Notice) -> Attempt:
        raise fault

    events = stage(ScriptedChannel(answer)).run([notify_task(1), notify_task(2)])
    assert all(isinstance(event.answer, Failed) for event in events)
    assert len(events) == 2


def test_an_empty_slice_has_no_answers() -> None:
    assert stage(ScriptedChannel()).run([]) == []
