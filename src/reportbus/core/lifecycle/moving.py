"""How a run moves on once its report is staged, and how it ends, with the notices of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reportbus.core.jobs import Job, Stage, channel_lane, target_lane
from reportbus.core.lifecycle import record
from reportbus.core.lifecycle.state import RunState, Step
from reportbus.core.lifecycle.table import Trigger, next_status
from reportbus.core.model import Outcome

if TYPE_CHECKING:
    from reportbus.core.lifecycle.state import Past
    from reportbus.core.model import Request, Target
    from reportbus.core.notes import Note


def deliver(state: RunState, request: Request, past: Past, notes: tuple[Note, ...]) -> Step:
    """GENERATED: open the targets that do not have the report; a run that shall end gives them up."""
    wanted = _missing(request, past)
    if state.ending:
        return go_on(state._replace(failed=_numbers(wanted)), request, notes)
    jobs = tuple(
        Job(
            number,
            state.run,
            Stage.DELIVER,
            target.number,
            target_lane(target.destination),
            unknowns=int(target.number in past.doubtful),
        )
        for number, target in enumerate(wanted, state.next_job)
    )
    if jobs:
        return Step(state.moved(state.status, opened=len(jobs)), opened=jobs, notes=notes)
    return go_on(state, request, notes)


def go_on(state: RunState, request: Request, notes: tuple[Note, ...]) -> Step:
    """Wait for the jobs that are open; where none is, end the run, which is GENERATED."""
    if state.open:
        return Step(state, notes=notes)
    if state.failed:
        return _fail(state, request, state.failed, notes)
    between = next_status(state.status, Trigger.DELIVERED)
    final = next_status(between, Trigger.CLOSED)
    *others, last = notes
    move = record.moved(between, final, {"run": state.run})
    return _end(state, request, Outcome(final), (*others, last._replace(new=between), move))


def end_unstaged(state: RunState, request: Request, past: Past, notes: tuple[Note, ...]) -> Step:
    """End a run that has no report: what earlier runs did not bring to its target is missing there."""
    return _fail(state, request, _numbers(_missing(request, past)), notes)


def _fail(state: RunState, request: Request, missing: tuple[int, ...], notes: tuple[Note, ...]) -> Step:
    final = next_status(state.status, Trigger.GAVE_UP)
    outcome = Outcome(final, state.code, state.text, missing)
    return _end(state, request, outcome, (*notes, record.failed(state, final, request)))


def _end(state: RunState, request: Request, outcome: Outcome, notes: tuple[Note, ...]) -> Step:
    """The terminal status, and the notices of those who want to know of it."""
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


def _missing(request: Request, past: Past) -> tuple[Target, ...]:
    return tuple(target for target in request.targets if target.number not in past.delivered)


def _numbers(targets: tuple[Target, ...]) -> tuple[int, ...]:
    return tuple(target.number for target in targets)
