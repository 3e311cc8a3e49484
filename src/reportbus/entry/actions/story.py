"""The story of a request, told from its audit rows: every wait, attempt and answer, in sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reportbus.core.model import Status
from reportbus.core.notes import EventType
from reportbus.entry.actions.refusals import problems_in
from reportbus.entry.actions.words import (
    count,
    first_line,
    number_of,
    rule_words,
    seconds,
    subject_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from reportbus.core.model import JsonValue, Request
    from reportbus.ports import AuditRow

_SHORT: Final = 0.05
"""A wait of fewer seconds is not worth a word."""

_STAGE_OF_LANE: Final = {"engine": "generate", "target": "deliver", "channel": "notify"}
_STAGE_OF_EVENT: Final = {
    EventType.GENERATION: "generate",
    EventType.DISTRIBUTION: "deliver",
    EventType.NOTIFICATION: "notify",
    EventType.ERROR: "failed",
}


_CALLED_OFF: Final = {
    "RUN_CANCELLED": "the request was cancelled",
    "RUN_EXPIRED": "the request's deadline had passed",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: when, in which run, in a word what, in a sentence how.

    `waited` and `took` are the seconds before an attempt began, and until it was answered.
    """

    at: datetime
    run: int
    what: str
    text: str
    waited: float | None = None
    took: float | None = None


@dataclass(slots=True)
class _Past:
    """What earlier rows said that later ones need: since when jobs are due, and attempts under way.

    `called_off` is the code under which the run is being ended early.
    """

    opened: datetime
    run: int = 1
    called_off: str = ""
    due: dict[int, datetime] = field(default_factory=dict)
    began: dict[int, datetime] = field(default_factory=dict)
    subjects: dict[int, str] = field(default_factory=dict)


def moments(rows: Iterable[AuditRow], request: Request | None) -> Iterator[Moment]:
    """The story; `request` is what was asked for, None where it was refused."""
    past: _Past | None = None
    for row in rows:
        past = past or _Past(opened=row.at)
        past.run = number_of(row.details.get("run")) or past.run
        yield _moment(row, past, request)


def _moment(row: AuditRow, past: _Past, request: Request | None) -> Moment:
    type_ = EventType(row.event_type)
    match type_:
        case EventType.IGNORED:
            return Moment(row.at, past.run, "ignored", _ignored(row.details))
        case EventType.CANCEL:
            past.called_off = str(row.details.get("code"))
            return Moment(row.at, past.run, "stop", _stopped(row.details))
        case EventType.RETRY:
            past.opened, past.called_off = row.at, ""
            return Moment(row.at, past.run, "retry", _retried(row))
        case EventType.STATUS_CHANGE if "job" not in row.details:
            past.opened = row.at
            return Moment(row.at, past.run, row.new_status, _moved(row))
        case _ if "lane" in row.details:
            return _began(row, past, request)
        case _:
            return _answered(row, past, type_)


def _began(row: AuditRow, past: _Past, request: Request | None) -> Moment:
    job, lane = number_of(row.details.get("job")), str(row.details.get("lane"))
    subject = subject_words(lane, number_of(row.details.get("subject")), request)
    waited = max(0.0, (row.at - past.due.pop(job, past.opened)).total_seconds())
    past.subjects[job] = subject
    past.began[job] = row.at
    wait = f" after waiting {seconds(waited)}" if waited >= _SHORT else ""
    text = f"{subject}: attempt {row.details.get('attempt')} began{wait}"
    return Moment(row.at, past.run, _STAGE_OF_LANE[lane.partition(":")[0]], text, waited=waited)


def _answered(row: AuditRow, past: _Past, type_: EventType) -> Moment:
    details, job = row.details, number_of(row.details.get("job"))
    began = past.began.pop(job, None)
    took = None if began is None else (row.at - began).total_seconds()
    wait = details.get("again_in")
    past.due[job] = row.at + timedelta(seconds=float(wait) if isinstance(wait, int | float) else 0.0)
    what = _STAGE_OF_EVENT.get(type_, "staged")
    if what == "staged":
        past.opened = row.at
    subject = past.subjects.get(job, f"job {job}")
    after = "" if took is None else f" after {seconds(took)}"
    called_off = _CALLED_OFF.get(past.called_off) if "handed_back" in details else None
    answer = f"it was stopped{after}, since {called_off}" if called_off else _answer(details, after)
    return Moment(row.at, past.run, what, f"{subject}: {answer}", took=took)


def _answer(details: Mapping[str, JsonValue], after: str) -> str:
    """What an attempt came to."""
    match details:
        case {"artifacts": [*artifacts]}:
            files = "; ".join(_artifact(item) for item in artifacts if isinstance(item, dict))
            note = f" ({details['note']})" if "note" in details else ""
            return f"staged{after}: {files}{note}"
        case {"code": code, "text": text}:
            again = f", in {details['again_in']} s" if "again_in" in details else ""
            return f"failed{after}. {code}: {first_line(str(text))} ({rule_words(details)}{again})"
        case {"lost": losses}:
            return f"the worker that did it is gone or hung{after} (loss {losses}); another one takes it over"
        case {"released": _}:
            return f"the worker stopped, or was cut off,{after} in the middle of it; it is done again"
        case {"handed_back": _}:
            return f"the worker stopped{after} and handed it back; that costs no attempt"
        case _:
            return f"done{after}: {_receipt(details)}"


def _receipt(details: Mapping[str, JsonValue]) -> str:
    size = details.get("size")
    weight = f", {size:,} bytes" if isinstance(size, int) else ""
    repeated = "; it was there already, from an earlier attempt" if details.get("repeated") else ""
    doubled = "; possibly a second copy" if details.get("possible_duplicate") else ""
    if details.get("verified") == "superseded":
        return f"a newer request's file stands at {details.get('location')}; it was not replaced"
    return f"{details.get('location')}{weight}, checked by {details.get('verified')}{repeated}{doubled}"


def _artifact(item: Mapping[str, JsonValue]) -> str:
    rows = item.get("rows")
    counted = f", {count(rows, 'row')}" if isinstance(rows, int) else ""
    return f"{item.get('key')}, {number_of(item.get('size')):,} bytes{counted}"


def _moved(row: AuditRow) -> str:
    """A change of the request's status that no single job made."""
    details = row.details
    if row.new_status == Status.PENDING:
        by = f", asked for by {details['requested_by']}" if details.get("requested_by") else ""
        what = f"{details.get('report_type')} {details.get('report_name')} as {details.get('format')}"
        targets = count(number_of(details.get("targets")), "target")
        return f"taken in: {what}, priority {details.get('priority')}, {targets}{by}"
    if row.new_status != Status.FAILED:
        return "every target has it, nothing is left to do"
    if "run" not in details:
        return f"refused, for {count(len(problems_in(str(details.get('text')))), 'problem')}"
    missing = details.get("missing")
    targets = count(number_of(details.get("targets")), "target")
    lacking = f"; {len(missing)} of {targets} missing" if isinstance(missing, list) else ""
    return f"{details.get('code')}: {first_line(str(details.get('text')))}{lacking}"


def _stopped(details: Mapping[str, JsonValue]) -> str:
    closed = count(number_of(details.get("closed")), "job")
    return f"{details.get('code')}: {details.get('text')}; {closed} that no worker held closed"


def _retried(row: AuditRow) -> str:
    by = f" by {row.details['by']}" if row.details.get("by") else ""
    start = "from staging, without the engine" if row.new_status == Status.GENERATED else "from the engine on"
    return f"run {row.details.get('run')} opened{by}, {start}"


def _ignored(details: Mapping[str, JsonValue]) -> str:
    code = f"{details['code']}: " if details.get("code") else ""
    return f"{code}{details.get('why')}; nothing was changed"
