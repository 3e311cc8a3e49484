"""How a run begins, and how it is ended from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.jobs import Job, Stage, engine_lane
from reportbus.core.lifecycle import record
from reportbus.core.lifecycle.moving import deliver, end_unstaged, go_on
from reportbus.core.lifecycle.state import RunState, Step
from reportbus.core.lifecycle.table import IllegalStep, Trigger, next_status
from reportbus.core.model import Outcome, Status
from reportbus.core.notes import Component, ErrorNote

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from reportbus.core.lifecycle.state import Past
    from reportbus.core.model import Request
    from reportbus.core.notes import Note


def accept(request: Request) -> Step:
    """The first run of a request that was found good: PENDING, with its generate job open."""
    return _generate(RunState(run=1, status=Status.PENDING), request, record.accepted(request))


def refuse(code: str, text: str) -> Step:
    """The only run of a request that breaks the rules: FAILED at once, never retried."""
    return Step(
        RunState(run=1, status=Status.FAILED, code=code, text=text),
        notes=(record.refused(code, text),),
        error=ErrorNote(code, text, Component.ORCHESTRATOR),
        outcome=Outcome(Status.FAILED, code, text),
    )


def start(state: RunState, job: Job) -> Step:
    """A worker takes `job` up: its attempt goes on record, and the first generate attempt starts the run."""
    new = state
    if job.stage is Stage.GENERATE and state.status is Status.PENDING and job.run == state.run:
        new = state.moved(next_status(state.status, Trigger.STARTED))
    return Step(new, notes=(record.taken_up(state, job, new.status),))


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
    note = record.retried(fresh.run, entry, by)
    return deliver(fresh, request, past, (note,)) if staged else _generate(fresh, request, note)


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
    did. `past` is asked only where there were earlier runs, and the run ends now without a report. Raises
    IllegalStep once the run has ended; asking twice changes nothing more.
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
    notes = (record.called_off(state, code, text, closed=len(closed), by=by),)
    if new.open or new.status is Status.GENERATED:
        step = go_on(new, request, notes)
    else:
        step = end_unstaged(new, request, new.before(past), notes)
    return step._replace(error=ErrorNote(code, text, Component.OPERATOR, retry_eligible=True))


def _generate(state: RunState, request: Request, note: Note) -> Step:
    """PENDING, with the generate job open."""
    job = Job(state.next_job, state.run, Stage.GENERATE, 0, engine_lane(request.report_type))
    return Step(state.moved(state.status, opened=1), opened=(job,), notes=(note,))
