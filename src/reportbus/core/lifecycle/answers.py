"""What follows from the answer to a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

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
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import record
from reportbus.core.lifecycle.moving import deliver, end_unstaged, go_on
from reportbus.core.lifecycle.record import COMPONENT_OF
from reportbus.core.lifecycle.state import Fate, Step
from reportbus.core.lifecycle.table import IllegalStep, Trigger, next_status
from reportbus.core.notes import ErrorNote

if TYPE_CHECKING:
    from collections.abc import Callable

    from reportbus.core.jobs import Job
    from reportbus.core.lifecycle.policy import Policy
    from reportbus.core.lifecycle.state import Past, RunState
    from reportbus.core.model import Request
    from reportbus.core.notes import Note


class _Case(NamedTuple):
    """A job that is answered, and the run it belongs to."""

    state: RunState
    job: Job
    request: Request
    past: Callable[[], Past]

    @property
    def ending(self) -> bool:
        """Whether the run shall end, so that the job is not done again."""
        return self.state.calls_off(self.job.stage)


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

    `past` is asked only where there were earlier runs, when the report is staged or the run ends without it.
    Raises IllegalStep where the answer does not fit the job, or the job is of an older run (notify jobs
    excepted).
    """
    if job.stage is not Stage.NOTIFY and (job.run != state.run or state.ended or not state.open):
        msg = f"job {job.number} of run {job.run} is not open in run {state.run}, {state.status}"
        raise IllegalStep(msg)
    case = _Case(state, job, request, past)
    if isinstance(answer, HandedBack | Released):
        return _given_back(case, answer)
    if isinstance(answer, Lost):
        return _lost(case, policy)
    if isinstance(answer, Failed):
        return _failed(case, answer, policy, jitter)
    if isinstance(answer, Generated) and job.stage is Stage.GENERATE:
        return _generated(case, answer)
    if isinstance(answer, Delivered) and job.stage is Stage.DELIVER:
        note = record.received(state, job, answer)
        return go_on(state.moved(state.status, answered=1), request, (note,))
    if isinstance(answer, Notified) and job.stage is Stage.NOTIFY:
        return Step(state, notes=(record.received(state, job, answer),))
    msg = f"{type(answer).__name__} does not answer a {job.stage} job"
    raise IllegalStep(msg)


def _generated(case: _Case, answer: Generated) -> Step:
    state, job, request, past = case
    new = next_status(state.status, Trigger.STAGED)
    note = record.staged(state, job, answer, new)
    return deliver(state.moved(new, answered=1), request, state.before(past), (note,))


def _failed(case: _Case, answer: Failed, policy: Policy, jitter: float) -> Step:
    state, job = case.state, case.job
    again = not case.ending and policy.repeats(job, answer)
    if answer.kind is Kind.UNKNOWN or answer.code in _AT_ANY_POINT:
        job = job._replace(unknowns=job.unknowns + 1)
    component = COMPONENT_OF[job.stage]
    eligible = answer.kind is not Kind.PERMANENT
    error = ErrorNote(answer.code, answer.text, component, job.attempt - 1, eligible, answer.trace)
    if again:
        delay = policy.delay(job.attempt, jitter, answer.retry_after)
        note = record.fault(state, job, answer, delay)
        job = job._replace(attempt=job.attempt + 1)
        return Step(state, Fate.AGAIN, job=job, delay=delay, notes=(note,), error=error)
    return _give_up(case._replace(job=job), record.fault(state, job, answer, None), error)


_AT_ANY_POINT: Final = frozenset({"SYS_INTERNAL"})
"""Faults for good that may have come before the effect or after it."""


def _given_back(case: _Case, answer: HandedBack | Released) -> Step:
    """It costs no attempt; of a released job nobody knows how far it came."""
    state, job = case.state, case.job
    if isinstance(answer, HandedBack):
        return _back(case, record.came_back(state, job, {"handed_back": True}))
    job = job._replace(unknowns=job.unknowns + 1)
    return _back(case._replace(job=job), record.came_back(state, job, {"released": True}))


def _lost(case: _Case, policy: Policy) -> Step:
    losses = case.job.losses + 1
    job = case.job._replace(losses=losses)
    case = case._replace(job=job)
    if losses <= policy.max_losses or case.ending:
        return _back(case, record.came_back(case.state, job, {"lost": losses}))
    text = f"{losses} workers were lost or hung while doing this job; it is not tried again by itself"
    error = ErrorNote("SYS_CRASH_LOOP", text, COMPONENT_OF[job.stage], losses)
    return _give_up(case, record.crash_loop(case.state, job, error), error)


def _back(case: _Case, note: Note) -> Step:
    """The job comes back undone: for another worker, unless the run is ending."""
    state, job = case.state, case.job
    if case.ending:
        return _give_up(case, note, ErrorNote(state.ending, state.text, COMPONENT_OF[job.stage]))
    return Step(state, Fate.AGAIN, job=job, notes=(note,))


def _give_up(case: _Case, note: Note, error: ErrorNote) -> Step:
    """The job failed for good. A notice changes nothing; a report or a target does."""
    state, job, request, past = case
    if job.stage is Stage.NOTIFY:
        return Step(state, Fate.FAILED, job=job, notes=(note,), error=error)
    new = state._replace(open=state.open - 1)
    if not new.code:
        new = new._replace(code=error.code, text=error.text)
    if job.stage is Stage.GENERATE:
        step = end_unstaged(new, request, new.before(past), (note,))
    else:
        step = go_on(new._replace(failed=(*new.failed, job.subject)), request, (note,))
    return step._replace(fate=Fate.FAILED, job=job, error=error)
