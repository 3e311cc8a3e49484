"""What happens next to a request by itself, and what a person can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from reportbus.core.model import Status
from reportbus.core.text import quoted
from reportbus.entry.actions.finding import status_of
from reportbus.entry.actions.words import seconds, subject_words
from reportbus.wiring.roles import STAGE_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from reportbus.core.intake import IntakeRules
    from reportbus.core.model import Request
    from reportbus.ports import Clock, JobView, Records, RequestView, WorktableRow, WorktableRows

Outlook: TypeAlias = "tuple[tuple[Coming, ...], tuple[str, ...]]"

_ROLE_OF: Final = {stage: role for role, stage in STAGE_OF.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """What one has to know of the line to tell about its requests.

    `rules` gives intake's rules, `attempts` how often a job is tried at most, `limits` how many of a lane are
    done at once. `poll_seconds` and `republish_seconds` are the poller's times.
    """

    records: Records
    worktable: WorktableRows
    clock: Clock
    rules: Callable[[], IntakeRules]
    attempts: Callable[[JobView], int]
    limits: Mapping[str, int]
    poll_seconds: float
    republish_seconds: float


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that will happen; `at` where that is known."""

    text: str
    at: datetime | None = None


def outlook(view: RequestView, request: Request | None, line: Line) -> Outlook:
    """What comes, and what to do, for a request in the ledger."""
    jobs = line.records.jobs(view.request_id)
    coming = [_job(job, request, line) for job in jobs]
    ready = [job for job in jobs if job.state == "READY"]
    todo = [*_without_workers(line, {_ROLE_OF[job.stage] for job in ready})] if ready else []
    match view.status:
        case Status.COMPLETED:
            coming = coming or [Coming("nothing more: it is done")]
        case Status.FAILED:
            coming = coming or [Coming("nothing by itself: the run has ended")]
            todo.append(_after_failure(view))
        case _:
            text = "if it has not ended by then, it fails as RUN_EXPIRED"
            coming.append(Coming(text, view.expires_at))
    return tuple(coming), tuple(todo)


def outlook_in_worktable(row: WorktableRow, line: Line) -> Outlook:
    """What comes, and what to do, for a request that is a row of the worktable and no more."""
    status = status_of(row)
    if status != Status.PENDING:
        shown = quoted(status) if status else "empty"
        coming = Coming(f"nothing: its STATUS is {shown}, and only PENDING rows are taken up")
        return (coming,), ("If it shall be taken up, set its STATUS to PENDING.",)
    published = row.columns.get("PROCESSED_AT")
    if published is None:
        text = f"the poller puts it on the bus at one of its next looks, every {seconds(line.poll_seconds)}"
    else:
        again = seconds(line.republish_seconds)
        text = f"published at {published} UTC; an orchestrator takes it in, or {again} later it comes again"
    return (Coming(text),), tuple(_without_workers(line, {"poller", "orchestrator"}))


def _job(job: JobView, request: Request | None, line: Line) -> Coming:
    subject = subject_words(job.lane, job.subject, request)
    attempt = f"{subject}: attempt {job.attempt} of at most {line.attempts(job)}"
    left = (job.due_at - line.clock.now()).total_seconds()
    match job.state:
        case "RUNNING":
            return Coming(f"{attempt} is being made by worker {job.worker}")
        case "WAITING":
            text = f"begins in {seconds(left)}" if left > 0 else "is due"
            return Coming(f"{attempt} {text}", job.due_at)
        case _:
            limit = line.limits.get(job.lane)
            most = f"; at most {limit} are done at once" if limit is not None else ""
            text = f"has waited {seconds(max(0.0, -left))} for a worker with a place free"
            return Coming(f"{attempt} {text}{most}")


def _without_workers(line: Line, roles: set[str]) -> Iterator[str]:
    """What to do where it may be that nobody works."""
    alive = [worker.name for worker in line.records.workers() if worker.alive]
    named = " ".join(sorted(roles))
    if alive:
        yield f"If it stays so, see that these roles run: {named}. Workers alive: {', '.join(alive)}."
    else:
        yield f"No worker is alive. Start the line: reportbus up (or: reportbus run {named})."


def _after_failure(view: RequestView) -> str:
    if view.refused:
        return "It cannot be retried: mend the request and submit it under a new id."
    missing = view.targets - view.delivered
    only = f", which makes {missing} of {view.targets} deliveries" if view.delivered else ""
    when = "If it is wanted after all" if view.code == "RUN_CANCELLED" else "Once that is mended"
    return f"{when}: reportbus request retry {view.request_id}{only}."
