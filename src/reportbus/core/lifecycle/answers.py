"""The life of a request: every decision of the line, as one table and pure functions.

Two rules: what decides about statuses, retries or the next job stands in this folder and nowhere else; and
nothing here does I/O, reads a clock, draws a random number or logs.

A request has runs, numbered from 1. A run only moves forward through `NEXT` and ends in exactly one terminal
status. It waits for its open jobs; when the last of them is answered it moves to the next status, and that
status opens its own jobs: PENDING the generate job, GENERATED one deliver job per target, a terminal status
one notify job per rule. Notify jobs never change a status. `retry` opens the next run on a FAILED request, at
the first status whose work is not done.

Each function returns a `Step`: the new state, the jobs it opens and closes, and what to write down. Where a
function does not apply it raises `IllegalStep` and nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

from reportbus.core.errors import TRANSIENT_CODES
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
from reportbus.core.jobs import Job, Stage, channel_lane, engine_lane, target_lane
from reportbus.core.model import TERMINAL, Outcome, Status
from reportbus.core.notes import Component, ErrorNote, EventType, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from reportbus.core.model import JsonValue, Request, Target


class Trigger(StrEnum):
    """What moves a run from one status to the next."""

    STARTED = "a worker takes the report up"
    STAGED = "the report is staged"
    DELIVERED = "every target has it"
    CLOSED = "nothing is left to do"
    GAVE_UP = "refused, out of retries, cancelled or expired"


NEXT: Final[dict[Status, dict[Trigger, Status]]] = {
    Status.PENDING: {Trigger.STARTED: Status.IN_PROGRESS, Trigger.GAVE_UP: Status.FAILED},
    Status.IN_PROGRESS: {Trigger.STAGED: Status.GENERATED, Trigger.GAVE_UP: Status.FAILED},
    Status.GENERATED: {Trigger.DELIVERED: Status.DISTRIBUTED, Trigger.GAVE_UP: Status.FAILED},
    Status.DISTRIBUTED: {Trigger.CLOSED: Status.COMPLETED},
    Status.COMPLETED: {},
    Status.FAILED: {},
}
"""The table.

The diagram of the documentation and the ledger's guard against illegal moves are made from it.
"""

ENTRY_STATUSES: Final = (Status.PENDING, Status.GENERATED)
"""Where a run may begin: the first run at PENDING, a later one also at GENERATED, from staging."""


class IllegalStep(ValueError):
    """A step the table does not have; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a step is tried, and how long to wait in between.

    The waits, before jitter, with the defaults: 2, 4, 8 seconds, never more than `max_backoff`.
    `max_unknowns` bounds repeats after an outcome nobody can tell, `max_losses` the workers that may die on
    one job.
    """

    max_retries: int = 3
    backoff_base: float = 2
    max_backoff: float = 300
    retryable_errors: frozenset[str] = TRANSIENT_CODES
    max_unknowns: int = 1
    max_losses: int = 3

    def delay(self, attempt: int, jitter: float, retry_after: float | None = None) -> float:
        """Seconds to wait after failed attempt `attempt`; `jitter` in [0, 1) spreads it over the whole range.

        The other side's `retry_after` is honoured, between 0 and `max_backoff`.
        """
        wish = min(max(retry_after or 0.0, 0.0), self.max_backoff)
        return max(jitter * self.longest(attempt), wish)

    def longest(self, attempt: int) -> float:
        """Seconds that the wait after failed attempt `attempt` takes at most, by itself."""
        grown = self.backoff_base**attempt if attempt < _LONGEST_EXPONENT else self.max_backoff
        return min(grown, self.max_backoff)

    def lasting(self, seconds: float) -> Policy:
        """This policy with as many retries as last `seconds` on average; jitter leaves half of each wait."""
        retries, left = 0, 2 * seconds
        while left > 0 and retries + 1 < _LONGEST_EXPONENT:
            retries += 1
            left -= self.longest(retries)
        return replace(self, max_retries=retries + max(0, ceil(left / self.max_backoff)))


_LONGEST_EXPONENT: Final = 64

NOTICE_SECONDS: Final = 86_400.0
"""How long a notice is tried, on average: a day."""

NOTIFY_POLICY: Final = Policy().lasting(NOTICE_SECONDS)
"""Notices are tried for a day: 583 waits of any length up to five minutes, an hour more or less."""


class Past(NamedTuple):
    """What earlier runs came to: targets that have the report, and those that may have it, nobody knows."""

    delivered: Collection[int] = ()
    doubtful: Collection[int] = ()


class RunState(NamedTuple):
    """Where the newest run of a request stands.

    `open` counts its unanswered generate and deliver jobs, `failed` lists the targets given up; `ending` is
    set when the run is to end without new work (cancelled, expired); `code` and `text` say why it failed.
    """

    run: int
    status: Status
    open: int = 0
    next_job: int = 1
    failed: tuple[int, ...] = ()
    ending: str = ""
    code: str = ""
    text: str = ""

    def moved(self, status: Status, *, opened: int = 0, answered: int = 0) -> RunState:
        """The state at `status`, with so many jobs opened and answered."""
        return RunState(
            self.run,
            status,
            self.open + opened - answered,
            self.next_job + opened,
            self.failed,
            self.ending,
            self.code,
            self.text,
        )

    @property
    def ended(self) -> bool:
        """Whether the run reached its terminal status."""
        return self.status in TERMINAL


COMPONENT_OF: Final = {
    Stage.GENERATE: Component.ENGINE,
    Stage.DELIVER: Component.DISTRIBUTOR,
    Stage.NOTIFY: Component.NOTIFIER,
}

_ATTEMPT_EVENT: Final = {
    Stage.GENERATE: EventType.GENERATION,
    Stage.DELIVER: EventType.DISTRIBUTION,
    Stage.NOTIFY: EventType.NOTIFICATION,
}


class Fate(StrEnum):
    """What becomes of an answered job."""

    DONE = "DONE"
    FAILED = "FAILED"
    AGAIN = "AGAIN"
    IGNORED = "IGNORED"


class Step(NamedTuple):
    """What follows from one thing that happened.

    `fate` is the answered job's; with AGAIN, `job` is its next attempt, due in `delay` seconds, with FAILED
    what is on record of it. `opened` are new jobs, due at once.
    """

    state: RunState
    fate: Fate = Fate.DONE
    job: Job | None = None
    delay: float = 0.0
    opened: tuple[Job, ...] = ()
    notes: tuple[Note, ...] = ()
    error: ErrorNote | None = None
    outcome: Outcome | None = None


# -- the beginning and the end of a run


def accept(request: Request) -> Step:
    """The first run of a request that was found good: PENDING, with its generate job open."""
    job = Job(1, 1, Stage.GENERATE, 0, engine_lane(request.report_type))
    state = RunState(run=1, status=Status.PENDING, open=1, next_job=2)
    note = Note(
        EventType.STATUS_CHANGE, Component.ORCHESTRATOR, Status.PENDING, Status.PENDING, _asked(request)
    )
    return Step(state, opened=(job,), notes=(note,))


def refuse(code: str, text: str) -> Step:
    """The only run of a request that breaks the rules: FAILED at once, never retried."""
    state = RunState(run=1, status=Status.FAILED, code=code, text=text)
    note = Note(
        EventType.STATUS_CHANGE,
        Component.ORCHESTRATOR,
        Status.PENDING,
        Status.FAILED,
        {"code": code, "text": text},
    )
    return Step(
        state,
        notes=(note,),
        error=ErrorNote(code, text, Component.ORCHESTRATOR),
        outcome=Outcome(Status.FAILED, code, text),
    )


def start(state: RunState, job: Job) -> Step:
    """A worker takes `job` up: its attempt goes on record, and the first generate attempt starts the run."""
    new = state
    if job.stage is Stage.GENERATE and state.status is Status.PENDING and job.run == state.run:
        new = state.moved(_next(state.status, Trigger.STARTED))
    details: dict[str, JsonValue] = {
        "job": job.number,
        "run": job.run,
        "lane": job.lane,
        "attempt": job.attempt,
    }
    if job.subject:
        details["subject"] = job.subject
    kind = EventType.ATTEMPT if new is state else EventType.STATUS_CHANGE
    return Step(new, notes=(Note(kind, COMPONENT_OF[job.stage], state.status, new.status, details),))


def retry(state: RunState, request: Request, *, past: Past, staged: bool, by: str = "") -> Step:
    """The next run of a FAILED request, at the first status whose work is not done.

    `staged` says whether the report still stands on staging. Raises IllegalStep for a request that has not
    failed.
    """
    if state.status is not Status.FAILED:
        msg = f"only a FAILED request can be retried; this one is {state.status}"
        raise IllegalStep(msg)
    entry = Status.GENERATED if staged else Status.PENDING
    fresh = RunState(run=state.run + 1, status=entry, next_job=state.next_job)
    details: dict[str, JsonValue] = {"run": fresh.run, "by": by}
    note = Note(EventType.RETRY, Component.OPERATOR, Status.FAILED, entry, details)
    if not staged:
        job = Job(fresh.next_job, fresh.run, Stage.GENERATE, 0, engine_lane(request.report_type))
        return Step(fresh._replace(open=1, next_job=fresh.next_job + 1), opened=(job,), notes=(note,))
    return _deliver(fresh, request, past, (note,))


def end_early(
    state: RunState,
    code: str,
    text: str,
    *,
    closed: Collection[Job],
    request: Request,
    past: Callable[[], Past],
    by: str = "",
) -> Step:
    """Cancel or expire a run: no new work is opened; its jobs that no worker holds, `closed`, are closed.

    Jobs in a worker's hands still answer; the run ends with the last of them, with the truth of what they
    did. `past` is asked as by `step`. Raises IllegalStep once the run has ended; asking twice changes nothing
    more.
    """
    if state.ended:
        msg = f"the run has ended already, {state.status}"
        raise IllegalStep(msg)
    missing = tuple(job.subject for job in closed if job.stage is Stage.DELIVER)
    new = state._replace(
        open=state.open - len(closed),
        failed=(*state.failed, *missing),
        ending=code,
        code=code,
        text=text,
    )
    details: dict[str, JsonValue] = {
        "run": state.run,
        "code": code,
        "text": text,
        "closed": len(closed),
        "by": by,
    }
    note = Note(EventType.CANCEL, Component.OPERATOR, state.status, state.status, details)
    error = ErrorNote(code, text, Component.OPERATOR, retry_eligible=True)
    if new.open or state.status is Status.GENERATED:
        return _after(new, request, (note,))._replace(error=error)
    return _fail(new, request, _without(request, _before(state, past)), (note,))._replace(error=error)


# -- an answer


class Case(NamedTuple):
    """A job that is answered, in the run it belongs to; `past` is what earlier runs came to, if asked."""

    state: RunState
    job: Job
    request: Request
    past: Callable[[], Past]

    @property
    def ending(self) -> bool:
        """Whether the run shall end, so that the job is not done again. Notices outlast their run."""
        return bool(self.state.ending) and self.job.stage is not Stage.NOTIFY


def step(
    state: RunState,
    job: Job,
    answer: Answer,
    request: Request,
    policy: Policy,
    jitter: float,
    past: Callable[[], Past],
) -> Step:
    """What follows from the `answer` to an open job.

    `past` is asked only where there were earlier runs, when targets are opened or the run ends before that.
    Raises IllegalStep where the answer does not fit the job, or the job is of an older run (notify jobs
    excepted).
    """
    if job.stage is not Stage.NOTIFY and (job.run != state.run or state.ended or not state.open):
        msg = f"job {job.number} of run {job.run} is not open in run {state.run}, {state.status}"
        raise IllegalStep(msg)
    case = Case(state, job, request, past)
    if isinstance(answer, HandedBack | Released):
        return _given_back(case, answer)
    if isinstance(answer, Lost):
        return _lost(case, policy)
    if isinstance(answer, Failed):
        return _failed(case, answer, policy, jitter)
    if isinstance(answer, Generated) and job.stage is Stage.GENERATE:
        return _generated(case, answer)
    if isinstance(answer, Delivered) and job.stage is Stage.DELIVER:
        note = _noted(state, job, _received(answer))
        return _after(state.moved(state.status, answered=1), request, (note,))
    if isinstance(answer, Notified) and job.stage is Stage.NOTIFY:
        return Step(state, notes=(_noted(state, job, _received(answer)),))
    msg = f"{type(answer).__name__} does not answer a {job.stage} job"
    raise IllegalStep(msg)


def _generated(case: Case, answer: Generated) -> Step:
    state, job, request, past = case
    new = _next(state.status, Trigger.STAGED)
    details: dict[str, JsonValue] = {
        "run": job.run,
        "job": job.number,
        "artifacts": [
            {
                "key": item.key,
                "format": item.format,
                "size": item.size,
                "sha256": item.sha256,
                "rows": item.rows,
            }
            for item in answer.artifacts
        ],
    }
    if answer.note:
        details["note"] = answer.note
    note = Note(EventType.STATUS_CHANGE, Component.ENGINE, state.status, new, details)
    state = state.moved(new, answered=1)
    before = _before(state, past)
    if state.ending:
        return _after(state._replace(failed=_without(request, before)), request, (note,))
    return _deliver(state, request, before, (note,))


def _failed(case: Case, answer: Failed, policy: Policy, jitter: float) -> Step:
    job = case.job
    again = not case.ending and _may_repeat(job, answer, policy)
    if answer.kind is Kind.UNKNOWN or answer.code in _AT_ANY_POINT:
        job = job._replace(unknowns=job.unknowns + 1)
    component = COMPONENT_OF[job.stage]
    details: dict[str, JsonValue] = {"code": answer.code, "text": answer.text, "kind": answer.kind.value}
    eligible = answer.kind is not Kind.PERMANENT
    error = ErrorNote(answer.code, answer.text, component, job.attempt - 1, eligible, answer.trace)
    if again:
        delay = policy.delay(job.attempt, jitter, answer.retry_after)
        details["again_in"] = round(delay, 3)
        job_again = job._replace(attempt=job.attempt + 1)
        note = _noted(case.state, job, details, EventType.ERROR)
        return Step(case.state, Fate.AGAIN, job=job_again, delay=delay, notes=(note,), error=error)
    return _give_up(case._replace(job=job), _noted(case.state, job, details, EventType.ERROR), error)


def _given_back(case: Case, answer: HandedBack | Released) -> Step:
    """It costs no attempt; of a released job nobody knows how far it came."""
    if isinstance(answer, HandedBack):
        return _back(case, _noted(case.state, case.job, {"handed_back": True}))
    job = case.job._replace(unknowns=case.job.unknowns + 1)
    return _back(case._replace(job=job), _noted(case.state, job, {"released": True}))


def _lost(case: Case, policy: Policy) -> Step:
    losses = case.job.losses + 1
    job = case.job._replace(losses=losses)
    case = case._replace(job=job)
    if losses <= policy.max_losses or case.ending:
        return _back(case, _noted(case.state, job, {"lost": losses}))
    text = f"{losses} workers were lost or hung while doing this job; it is not tried again by itself"
    note = _noted(case.state, job, {"code": "SYS_CRASH_LOOP", "text": text}, EventType.ERROR)
    return _give_up(case, note, ErrorNote("SYS_CRASH_LOOP", text, COMPONENT_OF[job.stage], losses))


def _back(case: Case, note: Note) -> Step:
    """The job comes back undone: for another worker, unless the run is ending."""
    state, job = case.state, case.job
    if case.ending:
        return _give_up(case, note, ErrorNote(state.ending, state.text, COMPONENT_OF[job.stage]))
    return Step(state, Fate.AGAIN, job=job, notes=(note,))


def _give_up(case: Case, note: Note, error: ErrorNote) -> Step:
    """The job failed for good. A notice changes nothing; a report or a target does."""
    state, job, request, past = case
    if job.stage is Stage.NOTIFY:
        return Step(state, Fate.FAILED, job=job, notes=(note,), error=error)
    new = state._replace(open=state.open - 1)
    if not new.code:
        new = new._replace(code=error.code, text=error.text)
    if job.stage is Stage.GENERATE:
        step = _fail(new, request, _without(request, _before(state, past)), (note,))
    else:
        step = _after(new._replace(failed=(*new.failed, job.subject)), request, (note,))
    return step._replace(fate=Fate.FAILED, job=job, error=error)


_AT_ANY_POINT: Final = frozenset({"SYS_INTERNAL"})
"""Faults for good that may have come before the effect or after it."""


def _may_repeat(job: Job, answer: Failed, policy: Policy) -> bool:
    if job.attempt > policy.max_retries:
        return False
    if answer.kind is Kind.UNKNOWN:
        return job.unknowns < policy.max_unknowns
    return answer.kind is Kind.TRANSIENT and answer.code in policy.retryable_errors


# -- moving on


def _deliver(state: RunState, request: Request, past: Past, notes: tuple[Note, ...]) -> Step:
    """GENERATED: open the targets that do not have the report, or move on where all have it."""
    jobs = tuple(
        Job(
            number,
            state.run,
            Stage.DELIVER,
            target.number,
            target_lane(target.destination),
            unknowns=int(target.number in past.doubtful),
        )
        for number, target in enumerate(_missing(request, past), state.next_job)
    )
    if jobs:
        return Step(state.moved(state.status, opened=len(jobs)), opened=jobs, notes=notes)
    return _complete(state, request, notes)


def _after(state: RunState, request: Request, notes: tuple[Note, ...]) -> Step:
    """A job was answered or closed: end the run where none is open any more and the report was staged."""
    if state.open:
        return Step(state, notes=notes)
    return _fail(state, request, state.failed, notes) if state.failed else _complete(state, request, notes)


def _complete(state: RunState, request: Request, notes: tuple[Note, ...]) -> Step:
    """Every target has the report: the run ends well. The last of `notes` brought it there."""
    between = _next(state.status, Trigger.DELIVERED)
    final = _next(between, Trigger.CLOSED)
    move = Note(EventType.STATUS_CHANGE, Component.ORCHESTRATOR, between, final, {"run": state.run})
    notes = (*notes[:-1], notes[-1]._replace(new=between), move)
    return _end(state, request, Outcome(final), notes)


def _fail(state: RunState, request: Request, missing: tuple[int, ...], notes: tuple[Note, ...]) -> Step:
    """The run ends with these targets still without the report."""
    final = _next(state.status, Trigger.GAVE_UP)
    details: dict[str, JsonValue] = {"run": state.run, "code": state.code, "text": state.text}
    if state.failed:
        details |= {"missing": list(state.failed), "targets": len(request.targets)}
    move = Note(EventType.STATUS_CHANGE, Component.ORCHESTRATOR, state.status, final, details)
    return _end(state, request, Outcome(final, state.code, state.text, missing), (*notes, move))


def _end(state: RunState, request: Request, outcome: Outcome, notes: tuple[Note, ...]) -> Step:
    """The terminal status, and the notices that it opens."""
    rules = [position for position, rule in enumerate(request.notify) if outcome.status in rule.on]
    notices = tuple(
        Job(number, state.run, Stage.NOTIFY, position, channel_lane(request.notify[position].channel))
        for number, position in enumerate(rules, state.next_job)
    )
    ended = RunState(
        run=state.run,
        status=outcome.status,
        next_job=state.next_job + len(notices),
        failed=state.failed,
        ending=state.ending,
        code=outcome.code,
        text=outcome.text,
    )
    return Step(ended, opened=notices, notes=notes, outcome=outcome)


def _next(status: Status, trigger: Trigger) -> Status:
    try:
        return NEXT[status][trigger]
    except KeyError:
        msg = f"no way from {status} by {trigger.name}"
        raise IllegalStep(msg) from None


def _before(state: RunState, past: Callable[[], Past]) -> Past:
    """What the runs before this one came to; the first one has none before it, and nobody is asked."""
    return Past() if state.run == 1 else past()


def _missing(request: Request, past: Past) -> tuple[Target, ...]:
    return tuple(target for target in request.targets if target.number not in past.delivered)


def _without(request: Request, past: Past) -> tuple[int, ...]:
    """The numbers of the targets that do not have the report."""
    return tuple(target.number for target in _missing(request, past))


def _noted(state: RunState, job: Job, details: dict[str, JsonValue], type_: EventType | None = None) -> Note:
    """The audit row of an answer that leaves the status alone."""
    about: dict[str, JsonValue] = {"run": job.run, "job": job.number, "attempt": job.attempt}
    if job.subject or job.stage is Stage.NOTIFY:
        about["subject"] = job.subject
    return Note(
        type_ or _ATTEMPT_EVENT[job.stage],
        COMPONENT_OF[job.stage],
        state.status,
        state.status,
        about | details,
    )


def _received(answer: Delivered | Notified) -> dict[str, JsonValue]:
    receipt = answer.receipt
    details: dict[str, JsonValue] = {"location": receipt.location, "verified": receipt.verified}
    if receipt.size or receipt.sha256:
        details |= {"size": receipt.size, "sha256": receipt.sha256}
    if receipt.repeated:
        details["repeated"] = True
    if receipt.possible_duplicate:
        details["possible_duplicate"] = True
    return details


def _asked(request: Request) -> dict[str, JsonValue]:
    return {
        "run": 1,
        "report_type": request.report_type,
        "report_name": request.report_name,
        "format": request.format,
        "priority": request.priority,
        "targets": len(request.targets),
        "requested_by": request.requested_by,
    }
