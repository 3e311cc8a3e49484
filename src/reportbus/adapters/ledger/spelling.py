"""How what happened is spelled as rows of the ledger's tables: the values of their columns, in order.

Each function gives one row, or one per file; `stamp` is the transaction's time as the database takes it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from reportbus.adapters.ledger import tables
from reportbus.core.codec import encode
from reportbus.core.events import Delivered, Failed
from reportbus.core.lifecycle import Fate
from reportbus.core.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.events import Answer, Generated
    from reportbus.core.jobs import Job
    from reportbus.core.lifecycle import RunState, Step
    from reportbus.core.model import JsonValue, Outcome
    from reportbus.core.notes import ErrorNote

REASON_WIDTH: Final = 2000
TRACE_WIDTH: Final = 20_000


def opened_job(key: int, rank: float, job: Job, now: float, worker: int) -> tuple[Any, ...]:
    """A row of `jobs`: ready for anybody, or running with fence 1 in the hands of `worker`."""
    return (
        tables.job_key(key, job.number),
        key,
        job.number,
        job.run,
        str(job.stage),
        job.subject,
        job.lane,
        job.attempt,
        job.losses,
        job.unknowns,
        "RUNNING" if worker else "READY",
        rank,
        now,
        1 if worker else 0,
        worker,
        "",
    )


JOB_UPDATES: Final = ("state", "attempt", "losses", "unknowns", "due_at", "worker")


def answered_job(key: int, job: Job, fence: int, state: str, due_at: float) -> tuple[Any, ...]:
    """A job's key, its fence, and its `JOB_UPDATES`: nobody has it any more."""
    return (tables.job_key(key, job.number), fence, state, job.attempt, job.losses, job.unknowns, due_at, 0)


def outputs(key: int, job: Job, answer: Generated, stamp: object) -> list[tuple[Any, ...]]:
    """The rows of `outputs`."""
    return [
        (key, job.run, number, a.key, a.file_name, a.format, a.size, a.sha256, a.rows, stamp)
        for number, a in enumerate(answer.artifacts, 1)
    ]


def delivery(key: int, job: Job, answer: Answer, step: Step, stamp: object) -> tuple[Any, ...]:
    """A row of `deliveries`: how the job of one target ended."""
    head = (key, job.subject, job.run)
    if isinstance(answer, Delivered) and step.fate is Fate.DONE:
        receipt = answer.receipt
        location = clean(receipt.location, REASON_WIDTH)
        proof = (location, receipt.verified, receipt.size, receipt.sha256)
        return (*head, "DELIVERED", *proof, job.attempt, receipt.possible_duplicate, "", "", stamp)
    code = answer.code if isinstance(answer, Failed) else (step.error.code if step.error else "")
    text = answer.text if isinstance(answer, Failed) else (step.error.text if step.error else "")
    reason = clean(text, REASON_WIDTH)
    doubtful = (step.job or job).doubtful
    return (*head, "FAILED", "", "", 0, "", job.attempt, doubtful, code, reason, stamp)


def ended_run(key: int, run: int, outcome: Outcome, stamp: object) -> tuple[Any, ...]:
    """A row of `runs`."""
    reason = clean(outcome.text, REASON_WIDTH)
    return (key, run, outcome.status.value, outcome.code, reason, numbers(outcome.missing), stamp)


def error(id_: str, key: int, request_id: str, note: ErrorNote, stamp: object) -> tuple[Any, ...]:
    """A row of `error_log`."""
    return (
        id_,
        request_id,
        stamp,
        note.code,
        clean(note.text, REASON_WIDTH),
        clean(note.trace, TRACE_WIDTH),
        note.component.value,
        note.retry_count,
        note.retry_eligible,
        key,
    )


def run_state(state: RunState) -> tuple[Any, ...]:
    """The columns of `requests` that hold the state of its newest run, without its times."""
    return (
        state.run,
        str(state.status),
        state.open,
        state.next_job,
        numbers(state.failed),
        state.ending,
        state.code,
        clean(state.text, REASON_WIDTH),
    )


def particulars(details: Mapping[str, JsonValue]) -> str:
    """The details of an audit row as JSON; half a character, which no column takes, is escaped."""
    try:
        text = encode(details)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(dict(details), sort_keys=True)
    return text


def numbers(targets: tuple[int, ...]) -> str:
    """Targets as a column holds them: empty, or a JSON list."""
    return encode(list(targets)) if targets else ""
