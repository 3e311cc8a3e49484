"""A ledger in memory, for trying out the life cycle: it holds what a real one holds and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reportbus.core import lifecycle
from reportbus.core.events import Answer, Delivered, Generated, Notified
from reportbus.core.jobs import Job, Stage
from reportbus.core.lifecycle import Fate, Past, Policy, RunState, Step
from reportbus.core.model import (
    TERMINAL,
    Artifact,
    NotifyRule,
    Outcome,
    Receipt,
    Request,
    Status,
    Target,
    TargetType,
)

if TYPE_CHECKING:
    from reportbus.core.notes import Note

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = Policy()


def a_request(targets: int = 1, *, notify: bool = False) -> Request:
    """A request with so many targets."""
    return Request(
        request_id="r-1",
        report_type="PYTHON",
        report_name="sales",
        format="CSV",
        file_name="sales.csv",
        requested_at=NOON,
        expires_at=NOON + timedelta(days=1),
        targets=tuple(Target(n, TargetType.NAS, f"nas{n}", "", "sales.csv") for n in range(1, targets + 1)),
        notify=(NotifyRule("LOG"),) if notify else (),
    )


GENERATED = Generated((Artifact("reports/r-1/1/1/sales.csv", "sales.csv", "CSV", 3, "0" * 64),))
DELIVERED = Delivered(Receipt("/nas/sales.csv", "hash", 3, "0" * 64))
NOTIFIED = Notified(Receipt("log", "reply"))
SUCCESS: dict[Stage, Answer] = {
    Stage.GENERATE: GENERATED,
    Stage.DELIVER: DELIVERED,
    Stage.NOTIFY: NOTIFIED,
}


@dataclass(slots=True)
class Held:
    """An open job and whether a worker has it."""

    job: Job
    running: bool = False


@dataclass(slots=True)
class MemoryLedger:
    """One request's state, open jobs, delivered targets, and everything that was written down."""

    request: Request
    state: RunState = field(default_factory=lambda: RunState(1, Status.PENDING))
    open: dict[int, Held] = field(default_factory=dict)
    closed: list[Job] = field(default_factory=list)
    delivered: set[int] = field(default_factory=set)
    staged: bool = False
    notes: list[Note] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    engine_calls: int = 0
    asked: int = 0

    def past(self) -> Past:
        """What the ended runs came to; counts how often that is asked."""
        self.asked += 1
        doubtful = {job.subject for job in self.closed if job.stage is Stage.DELIVER and job.doubtful}
        return Past(self.delivered, doubtful)

    def accept(self) -> None:
        """Take the request in."""
        self._take(lifecycle.accept(self.request))

    def start(self, number: int) -> None:
        """A worker claims the job."""
        held = self.open[number]
        held.running = True
        self._take(lifecycle.start(self.state, held.job))
        if held.job.stage is Stage.GENERATE:
            self.engine_calls += 1

    def answer(self, number: int, answer: Answer, jitter: float = 0.5) -> Step:
        """The answer to an open job that a worker has."""
        held = self.open.pop(number)
        try:
            step = lifecycle.step(self.state, held.job, answer, self.request, POLICY, jitter, self.past)
        except lifecycle.IllegalStep:
            self.open[number] = held
            raise
        if step.fate is Fate.AGAIN:
            assert step.job is not None
            self.open[number] = Held(step.job)
        else:
            self.closed.append(step.job or held.job)
        if step.fate is Fate.DONE and isinstance(answer, Delivered):
            assert held.job.subject not in self.delivered, "a delivered target was delivered once more"
            self.delivered.add(held.job.subject)
        if step.fate is Fate.DONE and isinstance(answer, Generated):
            self.staged = True
        self._take(step)
        return step

    def cancel(self) -> None:
        """Somebody cancels the request."""
        idle = [
            held.job
            for held in self.open.values()
            if not held.running and held.job.run == self.state.run and held.job.stage is not Stage.NOTIFY
        ]
        step = lifecycle.end_early(
            self.state, "RUN_CANCELLED", "cancelled", closed=idle, request=self.request, past=self.past
        )
        for job in idle:
            self.closed.append(self.open.pop(job.number).job)
        self._take(step)

    def retry(self) -> None:
        """Somebody retries the request."""
        self._take(lifecycle.retry(self.state, self.request, past=self.past(), staged=self.staged))

    def drive(self) -> None:
        """Let everything that is open succeed."""
        while self.open:
            number, held = next(iter(self.open.items()))
            if not held.running:
                self.start(number)
            self.answer(number, SUCCESS[held.job.stage])

    def _take(self, step: Step) -> None:
        before, self.state = self.state, step.state
        for job in step.opened:
            assert job.number not in self.numbers, "a job number was used twice"
            self.numbers.append(job.number)
            self.open[job.number] = Held(job)
        self.notes += step.notes
        if step.outcome is not None:
            assert step.state.status in TERMINAL
            self.outcomes.append((step.state.run, step.outcome))
        if before.status in TERMINAL and step.state.run == before.run and self.numbers:
            assert before.status is step.state.status, "a terminal status changed"
