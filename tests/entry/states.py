"""Requests in any state of their life, brought there by the ledger's own doors."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from reportbus.core.events import Delivered, Event, Failed, Generated, HandedBack, Kind, Notified
from reportbus.core.jobs import Stage
from reportbus.core.model import Artifact, NotifyRule, Receipt, Request, Status, Target, TargetType
from reportbus.ports import Submission

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.adapters.clock import ManualClock
    from reportbus.core.errors import Problem
    from reportbus.core.events import Answer
    from reportbus.core.jobs import Task
    from reportbus.wiring.parts import Parts

EVERYTHING: Final = dict.fromkeys(Stage, 100)
REPORT: Final = b"a\n".ljust(12_345, b"1")
"""What every report is."""

LATER: Final = 400.0
"""Seconds after which every retry is due."""


def request(request_id: str, *, targets: int = 1, **changed: object) -> Request:
    """A request for the report `one` as CSV, with so many folder targets, that tells LOG how it ended."""
    now = datetime.now(UTC)
    made = Request(
        request_id=request_id,
        report_type="PYTHON",
        report_name="one",
        format="CSV",
        file_name="one.csv",
        requested_at=now,
        expires_at=now + timedelta(days=1),
        parameters={"region": "N"},
        targets=tuple(
            Target(number, TargetType.NAS, "delivered", f"in/{number}", "one.csv")
            for number in range(1, targets + 1)
        ),
        notify=(NotifyRule("LOG", on=frozenset({Status.FAILED})),),
        requested_by="ada",
    )
    return replace(made, **changed)  # type: ignore[arg-type] # fields of a request


class Line:
    """Takes requests in and answers their jobs, at the times of a clock that is turned by hand."""

    def __init__(self, parts: Parts, clock: ManualClock) -> None:
        self.ledger = parts.ledger
        self.clock = clock
        self.worker = parts.ledger.worker("station-1")

    def take_in(self, *requests: Request) -> None:
        """Have the ledger accept them."""
        self.ledger.intake.accept([_submission(each) for each in requests])

    def refuse(self, request_id: str, *problems: Problem) -> None:
        """Have the ledger refuse a request for these problems."""
        self.ledger.intake.accept(
            [_submission(request(request_id))._replace(request=None, problems=problems)]
        )

    def claim(self) -> list[Task]:
        """Take up whatever is due."""
        return list(self.worker.claim(EVERYTHING, {}))

    def answer(self, answer: Callable[[Task], Answer]) -> int:
        """Take up whatever is due and answer it; how much that was."""
        events = [Event(task, answer(task)) for task in self.claim()]
        if events:
            self.worker.record(events, {})
        return len(events)

    def finish(self, answer: Callable[[Task], Answer]) -> None:
        """Answer until nothing is due any more, however long retries wait."""
        while self.answer(answer):
            self.clock.advance(LATER)


def well(task: Task) -> Answer:
    """Every job succeeds."""
    match task.job.stage:
        case Stage.GENERATE:
            number, run = task.job.number, task.job.run
            key = f"reports/{task.request.request_id}/{run}/{number}/one.csv"
            return Generated((Artifact(key, "one.csv", "CSV", len(REPORT), sha256(REPORT).hexdigest(), 200),))
        case Stage.DELIVER:
            return Delivered(Receipt(f"/srv/in/{task.job.subject}/one.csv", "hash", 12_345, "ab" * 32))
        case Stage.NOTIFY:
            return Notified(Receipt("log", "reply"))


def failing(
    stage: Stage, code: str, text: str, *subjects: int, kind: Kind = Kind.PERMANENT
) -> Callable[[Task], Answer]:
    """The stage's jobs fail, or those for the subjects; every other job succeeds."""

    def answer(task: Task) -> Answer:
        if task.job.stage is stage and (not subjects or task.job.subject in subjects):
            return Failed(kind, code, text, trace="adapter.py:1 in deliver")
        return well(task)

    return answer


def handed_back(task: Task) -> Answer:
    """The worker stops before it is done."""
    return HandedBack()


def _submission(asked: Request) -> Submission:
    return Submission(
        ref=asked.request_id,
        request_id=asked.request_id,
        digest="0" * 64,
        report_type=asked.report_type,
        report_name=asked.report_name,
        requested_by=asked.requested_by,
        priority=asked.priority,
        requested_at=asked.requested_at,
        content="{}",
        request=asked,
    )
