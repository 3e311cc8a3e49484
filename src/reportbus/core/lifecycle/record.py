"""How the steps of a run are written down: one audit row each, with its particulars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.core.notes import Component, EventType, Note

if TYPE_CHECKING:
    from reportbus.core.events import Delivered, Failed, Generated, Notified
    from reportbus.core.jobs import Job
    from reportbus.core.lifecycle.state import RunState
    from reportbus.core.model import JsonValue, Request
    from reportbus.core.notes import ErrorNote

COMPONENT_OF: Final = {
    Stage.GENERATE: Component.ENGINE,
    Stage.DELIVER: Component.DISTRIBUTOR,
    Stage.NOTIFY: Component.NOTIFIER,
}
"""Who does the jobs of a stage."""

_EVENT_OF: Final = {
    Stage.GENERATE: EventType.GENERATION,
    Stage.DELIVER: EventType.DISTRIBUTION,
    Stage.NOTIFY: EventType.NOTIFICATION,
}


# -- a run


def accepted(request: Request) -> Note:
    """The request was found good."""
    details: dict[str, JsonValue] = {
        "run": 1,
        "report_type": request.report_type,
        "report_name": request.report_name,
        "format": request.format,
        "priority": request.priority,
        "targets": len(request.targets),
        "requested_by": request.requested_by,
    }
    return moved(Status.PENDING, Status.PENDING, details)


def refused(code: str, text: str) -> Note:
    """The request breaks the rules."""
    return moved(Status.PENDING, Status.FAILED, {"code": code, "text": text})


def retried(run: int, entry: Status, by: str) -> Note:
    """Somebody asked for the next run, `run`, which begins at `entry`."""
    return Note(EventType.RETRY, Component.OPERATOR, Status.FAILED, entry, {"run": run, "by": by})


def called_off(state: RunState, code: str, text: str, *, closed: int, by: str) -> Note:
    """The run shall end without new work; so many jobs were closed."""
    details: dict[str, JsonValue] = {"run": state.run, "code": code, "text": text, "closed": closed, "by": by}
    return Note(EventType.CANCEL, Component.OPERATOR, state.status, state.status, details)


def failed(state: RunState, final: Status, request: Request) -> Note:
    """The run ended badly. Targets that it gave up are named."""
    details: dict[str, JsonValue] = {"run": state.run, "code": state.code, "text": state.text}
    if state.failed:
        details |= {"missing": list(state.failed), "targets": len(request.targets)}
    return moved(state.status, final, details)


def moved(old: Status, new: Status, details: dict[str, JsonValue]) -> Note:
    """The status changed, and no job's answer says so already."""
    return Note(EventType.STATUS_CHANGE, Component.ORCHESTRATOR, old, new, details)


# -- a job


def taken_up(state: RunState, job: Job, new: Status) -> Note:
    """A worker began an attempt, and with the first one the run."""
    details: dict[str, JsonValue] = {
        "job": job.number,
        "run": job.run,
        "lane": job.lane,
        "attempt": job.attempt,
    }
    if job.subject:
        details["subject"] = job.subject
    kind = EventType.ATTEMPT if new is state.status else EventType.STATUS_CHANGE
    return Note(kind, COMPONENT_OF[job.stage], state.status, new, details)


def staged(state: RunState, job: Job, answer: Generated, new: Status) -> Note:
    """The report is staged."""
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
    return Note(EventType.STATUS_CHANGE, Component.ENGINE, state.status, new, details)


def received(state: RunState, job: Job, answer: Delivered | Notified) -> Note:
    """A target has the file, or a channel took the notice."""
    receipt = answer.receipt
    details: dict[str, JsonValue] = {"location": receipt.location, "verified": receipt.verified}
    if receipt.size or receipt.sha256:
        details |= {"size": receipt.size, "sha256": receipt.sha256}
    if receipt.repeated:
        details["repeated"] = True
    if receipt.possible_duplicate:
        details["possible_duplicate"] = True
    return _attempt(_EVENT_OF[job.stage], state, job, details)


def fault(state: RunState, job: Job, answer: Failed, again_in: float | None) -> Note:
    """The attempt failed; with `again_in` there is another one, in so many seconds."""
    details: dict[str, JsonValue] = {"code": answer.code, "text": answer.text, "kind": answer.kind.value}
    if again_in is not None:
        details["again_in"] = round(again_in, 3)
    return _attempt(EventType.ERROR, state, job, details)


def crash_loop(state: RunState, job: Job, error: ErrorNote) -> Note:
    """The job lost more workers than it may."""
    return _attempt(EventType.ERROR, state, job, {"code": error.code, "text": error.text})


def came_back(state: RunState, job: Job, details: dict[str, JsonValue]) -> Note:
    """The job came back undone; `details` say how."""
    return _attempt(_EVENT_OF[job.stage], state, job, details)


def _attempt(type_: EventType, state: RunState, job: Job, details: dict[str, JsonValue]) -> Note:
    """The end of an attempt that leaves the status alone."""
    about: dict[str, JsonValue] = {"run": job.run, "job": job.number, "attempt": job.attempt}
    if job.subject or job.stage is Stage.NOTIFY:
        about["subject"] = job.subject
    return Note(type_, COMPONENT_OF[job.stage], state.status, state.status, about | details)
