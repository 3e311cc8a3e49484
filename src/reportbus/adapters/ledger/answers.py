"""What an answer does to the ledger: the step of the life cycle, entered in the book."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from random import random
from typing import TYPE_CHECKING, Final

from sqlalchemy import or_, select

from reportbus.adapters.ledger import tables
from reportbus.core import lifecycle
from reportbus.core.events import Failed, Generated
from reportbus.core.jobs import Stage, Task, about
from reportbus.core.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from reportbus.adapters.ledger.book import Book
    from reportbus.adapters.ledger.entries import Entry
    from reportbus.core.events import Answer
    from reportbus.core.jobs import Job
    from reportbus.core.lifecycle import Policies
    from reportbus.core.model import Artifact, JsonValue, Request

_log: Final = logging.getLogger(__name__)

_jobs = tables.jobs.c
_DELIVERED: Final = select(tables.deliveries.c.target).where(tables.deliveries.c.state == "DELIVERED")
_DOUBTFUL: Final = select(_jobs.subject).where(
    _jobs.stage == Stage.DELIVER.value, or_(_jobs.losses > 0, _jobs.unknowns > 0)
)


class Keeping:
    """Which of the newly opened jobs a worker takes on at once: so many per stage, none of a limited lane."""

    def __init__(self, worker: int, capacity: Mapping[Stage, int], limited: frozenset[str]) -> None:
        self.worker = worker
        self.tasks: list[Task] = []
        self._left = dict(capacity)
        self._limited = limited

    def takes(self, job: Job) -> bool:
        """Whether the worker takes this one; counts it."""
        left = self._left.get(job.stage, 0)
        if left <= 0 or job.lane in self._limited:
            return False
        self._left[job.stage] = left - 1
        return True


def apply(
    connection: Connection,
    book: Book,
    policies: Policies,
    task: Task,
    answer: Answer,
    keeping: Keeping | None = None,
) -> None:
    """Enter the answer to an open job whose row this transaction holds, and the jobs that it opens.

    Raises IllegalStep, with nothing entered, where the answer does not fit the job.
    """
    entry = book.entry(task.request_key)
    job = task.job
    step = lifecycle.step(
        entry.state,
        job,
        answer,
        task.request,
        policies.of(job),
        random(),  # noqa: S311 - jitter, not a secret
        partial(past_of, connection, entry.key),
    )
    book.take(entry, step)
    book.answered(entry, job, task.fence, answer, step)
    artifacts = answer.artifacts if isinstance(answer, Generated) else task.artifacts
    open_jobs(book, entry, step, task.request, artifacts, keeping)


def open_jobs(
    book: Book,
    entry: Entry,
    step: lifecycle.Step,
    request: Request,
    artifacts: tuple[Artifact, ...] = (),
    keeping: Keeping | None = None,
) -> None:
    """Enter the jobs a step opens; those that `keeping` takes are started for its worker at once."""
    for job in step.opened:
        if keeping is None or not keeping.takes(job):
            book.open(entry, job)
            continue
        book.open(entry, job, keeping.worker)
        book.take(entry, lifecycle.start(entry.state, job))
        outcome = step.outcome if job.stage is Stage.NOTIFY else None
        until = datetime.fromtimestamp(entry.expires_at, UTC)
        keeping.tasks.append(Task(entry.key, job, 1, request, until, artifacts, outcome))


def refuse_answer(book: Book, task: Task, answer: Answer, why: str) -> None:
    """Enter an answer that changes nothing, because it comes late, twice or from a worker that was outrun."""
    entry = book.entry(task.request_key)
    details: dict[str, JsonValue] = {
        "answer": type(answer).__name__,
        "code": answer.code if isinstance(answer, Failed) else "",
        "job": task.job.number,
        "run": task.job.run,
        "fence": task.fence,
        "why": why,
    }
    book.ignored(entry, lifecycle.COMPONENT_OF[task.job.stage], details)
    book.refused.append((entry.request_id, task.job, why))


def tell(book: Book) -> None:
    """Log which jobs the book gave up and which answers it refused, once it is committed."""
    for request_id, job, error in book.given_up:
        _log.warning("given up: %s: %s", error.code, clean(error.text), extra=about(request_id, job))
    for request_id, job, why in book.refused:
        _log.warning("an answer is refused: %s", why, extra=about(request_id, job))


def past_of(connection: Connection, request_key: int) -> lifecycle.Past:
    """What the request's ended runs came to."""
    delivered = _DELIVERED.where(tables.deliveries.c.request_key == request_key)
    first = tables.job_key(request_key, 0)
    doubtful = _DOUBTFUL.where(_jobs.job_key.between(first, first + tables.JOBS_PER_REQUEST - 1))
    return lifecycle.Past(
        frozenset(connection.execute(delivered).scalars()),
        frozenset(connection.execute(doubtful).scalars()),
    )
