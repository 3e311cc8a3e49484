"""Requests and answers for tests of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from reportbus.core.errors import Problem
from reportbus.core.events import Answer, Delivered, Event, Generated, Notified
from reportbus.core.jobs import Stage, Task
from reportbus.core.model import Artifact, NotifyRule, Receipt, Request, Target, TargetType
from reportbus.ports import Submission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.ports import WorkLedger

ALL: Mapping[Stage, int] = dict.fromkeys(Stage, 1000)
NONE: Mapping[Stage, int] = {}


def submission(
    request_id: str,
    *,
    targets: int = 1,
    notify: bool = False,
    priority: int = 5,
    expires_in: float = 3600,
    text: str = "",
) -> Submission:
    """A good request."""
    now = datetime.now(UTC)
    request = Request(
        request_id=request_id,
        report_type="PYTHON",
        report_name="sales",
        format="CSV",
        file_name="sales.csv",
        requested_at=now,
        expires_at=now + timedelta(seconds=expires_in),
        parameters={"text": text},
        targets=tuple(Target(n, TargetType.NAS, f"nas{n}", "in", "sales.csv") for n in range(1, targets + 1)),
        notify=(NotifyRule("LOG"),) if notify else (),
        priority=priority,
        requested_by="ann",
    )
    digest = sha256(f"{request_id}{targets}{text}".encode()).hexdigest()
    return Submission(request_id, request_id, digest, "PYTHON", "sales", "ann", priority, now, "{}", request)


def refusal(request_id: str) -> Submission:
    """A request that breaks two rules."""
    problems = (Problem("VAL_FORMAT", "no format DOC", "format"), Problem("VAL_PRIORITY", "12 is not 1 to 9"))
    return Submission(
        request_id, request_id, "f" * 64, "PYTHON", "sales", "ann", 5, datetime.now(UTC), "{}", None, problems
    )


def succeeded(task: Task) -> Event:
    """The answer of a stage that did its job."""
    key = f"reports/{task.request.request_id}/{task.job.run}/{task.job.number}/sales.csv"
    answers: dict[Stage, Answer] = {
        Stage.GENERATE: Generated((Artifact(key, "sales.csv", "CSV", 3, "a" * 64, 1),)),
        Stage.DELIVER: Delivered(Receipt(f"/nas/in/{task.request.request_id}", "hash", 3, "a" * 64)),
        Stage.NOTIFY: Notified(Receipt("log", "reply")),
    }
    return Event(task, answers[task.job.stage], 0.01)


def answered(tasks: Sequence[Task], answer: Answer) -> list[Event]:
    """The same answer for each."""
    return [Event(task, answer, 0.01) for task in tasks]


def drive(worker: WorkLedger) -> int:
    """Claim and do, with success, until nothing is due; how many jobs that was."""
    done = 0
    while tasks := worker.claim(ALL, {}):
        while tasks:
            done += len(tasks)
            tasks = worker.record([succeeded(task) for task in tasks], ALL)
    return done
