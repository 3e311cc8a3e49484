"""Any outcomes in any order, doubled, late, stale, with cancels and retries: every run ends, and once."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.lifecycle_model import SUCCESS, MemoryLedger, a_request
from reportbus.core import lifecycle
from reportbus.core.events import (
    Answer,
    Delivered,
    Failed,
    Generated,
    HandedBack,
    Kind,
    Lost,
    Notified,
    Released,
)
from reportbus.core.jobs import Job, Stage
from reportbus.core.lifecycle import NEXT, IllegalStep, Policy
from reportbus.core.model import TERMINAL, Status

UNKNOWN = Failed(Kind.UNKNOWN, "DST_UNKNOWN", "who knows")
FAULT = Failed(Kind.PERMANENT, "SYS_INTERNAL", "ValueError at mail.py:7 in send")
DOUBTS: tuple[Answer, ...] = (UNKNOWN, FAULT, Lost(), Released())
failures: st.SearchStrategy[Answer] = st.one_of(
    st.builds(Failed, st.just(Kind.TRANSIENT), st.just("ServiceUnavailable"), st.just("away")),
    st.builds(Failed, st.just(Kind.PERMANENT), st.just("DST_PERMISSION"), st.just("no")),
    st.builds(HandedBack),
    st.sampled_from(DOUBTS),
)
MATCHES = {Stage.GENERATE: Generated, Stage.DELIVER: Delivered, Stage.NOTIFY: Notified}


def reachable(status: Status) -> set[Status]:
    """The status and all that may follow it in the same run."""
    found = {status}
    for following in NEXT[status].values():
        found |= reachable(following)
    return found


class AnyCourse(RuleBasedStateMachine):
    """One request in the hands of workers that fail in every way."""

    @initialize(places=st.integers(0, 4), notify=st.booleans())
    def take_in(self, places: int, notify: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        self.ledger = MemoryLedger(a_request(places, notify=notify))
        self.answered: list[tuple[Job, Answer]] = []
        self.doubted: set[int] = set()
        self.seen = [(1, Status.PENDING)]
        self.ledger.accept()

    @precondition(lambda self: self.ledger.open)
    @rule(data=st.data(), failure=st.none() | failures)
    def a_worker_answers(self, data: st.DataObject, failure: Answer | None) -> None:
        number = data.draw(st.sampled_from(sorted(self.ledger.open)))
        held = self.ledger.open[number]
        if not held.running:
            self.ledger.start(number)
        answer = failure or SUCCESS[held.job.stage]
        self.answered.append((held.job, answer))
        if held.job.stage is Stage.DELIVER and answer in DOUBTS:
            self.doubted.add(held.job.subject)
        self.ledger.answer(number, answer)

    @rule(data=st.data())
    def an_answer_comes_twice_or_late(self, data: st.DataObject) -> None:
        """Its job is not open any more: the ledger's fence keeps the answer out, and so does core."""
        late = [(job, answer) for job, answer in self.answered if job.number not in self.ledger.open]
        if not late:
            return
        job, answer = data.draw(st.sampled_from(late))
        state = self.ledger.state
        if job.stage is not Stage.NOTIFY and (state.ended or job.run != state.run):
            try:
                lifecycle.step(state, job, answer, self.ledger.request, Policy(), 0.5, self.ledger.past)
            except IllegalStep:
                return
            raise AssertionError((job, answer))

    @precondition(lambda self: not self.ledger.state.ended)
    @rule()
    def somebody_cancels(self) -> None:
        self.ledger.cancel()

    @precondition(lambda self: self.ledger.state.status is Status.FAILED)
    @rule(lost=st.booleans())
    def somebody_retries(self, lost: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        self.ledger.staged = self.ledger.staged and not lost
        self.ledger.retry()

    @invariant()
    def a_run_moves_forward_only(self) -> None:
        run, status = self.seen[-1]
        state = self.ledger.state
        if state.run == run:
            assert state.status in reachable(status)
        else:
            assert (run + 1, Status.FAILED) == (state.run, status)
        self.seen.append((state.run, state.status))

    @invariant()
    def each_run_ends_at_most_once(self) -> None:
        runs = [run for run, _ in self.ledger.outcomes]
        assert sorted(set(runs)) == runs

    @invariant()
    def an_ended_run_has_no_open_work_and_an_open_one_has_some(self) -> None:
        working = [held for held in self.ledger.open.values() if held.job.stage is not Stage.NOTIFY]
        assert len(working) == self.ledger.state.open
        assert self.ledger.state.ended == (not working)

    @invariant()
    def at_the_end_of_a_run_each_target_has_the_report_or_is_named_as_missing(self) -> None:
        if not self.ledger.state.ended:
            return
        _, outcome = self.ledger.outcomes[-1]
        targets = [target.number for target in self.ledger.request.targets]
        assert targets == sorted([*outcome.missing, *self.ledger.delivered])

    @invariant()
    def the_first_run_never_asks_what_was_before_it(self) -> None:
        assert self.ledger.state.run > 1 or not self.ledger.asked

    @invariant()
    def a_delivery_that_may_be_the_second_one_is_marked_in_whatever_run(self) -> None:
        deliveries = [held.job for held in self.ledger.open.values() if held.job.stage is Stage.DELIVER]
        assert [job.subject in self.doubted for job in deliveries] == [job.doubtful for job in deliveries]

    @invariant()
    def what_is_written_down_is_one_chain_of_statuses(self) -> None:
        status = Status.PENDING
        for note in self.ledger.notes:
            assert note.old is status
            status = note.new
        assert status is self.ledger.state.status

    def teardown(self) -> None:
        """Once nothing fails any more, every request ends."""
        if not hasattr(self, "ledger"):
            return
        self.ledger.drive()
        assert self.ledger.state.status in TERMINAL
        assert not self.ledger.open
        if self.ledger.state.status is Status.COMPLETED:
            assert {target.number for target in self.ledger.request.targets} == self.ledger.delivered


AnyCourse.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestAnyCourse = AnyCourse.TestCase
