"""Why a request is where it is: its story, the rule that decided, what happens next, and the fix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reportbus.core.codes import CODES
from reportbus.core.jobs import Stage
from reportbus.core.lifecycle import COMPONENT_OF
from reportbus.core.model import Status
from reportbus.core.notes import EventType
from reportbus.core.text import quoted
from reportbus.entry.actions.finding import find, own_id
from reportbus.entry.actions.outlook import outlook, outlook_in_worktable
from reportbus.entry.actions.refusals import problems_in
from reportbus.entry.actions.story import Moment, moments
from reportbus.entry.actions.submitting import problems_of
from reportbus.entry.actions.words import number_of, rule_words, subject_words, target_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reportbus.core.model import JsonValue, Request
    from reportbus.entry.actions.finding import Found
    from reportbus.entry.actions.outlook import Coming, Line
    from reportbus.ports import AuditRow, RequestView, WorktableRow

_STAGE_OF: Final = {component.value: stage for stage, component in COMPONENT_OF.items()}
_CODE: Final = re.compile(r"\b[A-Z]{2,3}_[A-Z_]+\b")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way: what it is about, its code, the rule that decided, and the remedy."""

    about: str
    code: str
    text: str
    rule: str = ""
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """The whole answer, as far as not said otherwise about the newest run.

    `earlier` says how the runs before it ended, `others` what became of further rows with its id. `coming` is
    what happens by itself, `todo` what a person can do beside the reasons' remedies.
    """

    request_id: str
    status: str
    summary: str
    moments: tuple[Moment, ...]
    reasons: tuple[Reason, ...]
    earlier: tuple[Reason, ...]
    others: tuple[Reason, ...]
    coming: tuple[Coming, ...]
    todo: tuple[str, ...]


def why(request_id: str, line: Line) -> Why:
    """The answer for a request in the ledger or still in the worktable.

    Raises Refused RUN_UNKNOWN_REQUEST for one that is in neither.
    """
    found = find(request_id, line.records, line.worktable)
    if found.view is not None:
        return _in_ledger(found, found.view, line)
    if found.row is None:
        raise AssertionError(request_id)
    return _in_worktable(found, found.row, line)


def _in_worktable(found: Found, row: WorktableRow, line: Line) -> Why:
    problems = problems_of(row.columns, row.distribution, line.rules(), line.clock.now())
    reasons = tuple(_reason("intake", problem.code, str(problem), "will be refused") for problem in problems)
    coming, todo = outlook_in_worktable(row, line)
    summary = f"{found.status or 'Without a STATUS'} in the worktable, not taken in yet"
    return Why(found.request_id, found.status, summary, (), reasons, (), (), coming, todo)


def _in_ledger(found: Found, view: RequestView, line: Line) -> Why:
    request = line.records.content(view.request_id)
    rows = list(line.records.audit(view.request_id))
    coming, todo = outlook(view, request, line)
    return Why(
        view.request_id,
        view.status,
        _summary(found, view),
        tuple(moments(rows, request)),
        tuple(_refusal(view, rows) if view.refused else _reasons(view, request, rows, line)),
        tuple(_earlier(rows, view.run)),
        tuple(_others(view, rows, line)),
        coming,
        todo,
    )


def _refusal(view: RequestView, rows: Sequence[AuditRow]) -> Iterator[Reason]:
    """Every problem that the request was refused for; the record has them whole, its view has not."""
    whole = (str(row.details.get("text")) for row in rows if row.new_status == Status.FAILED)
    for code, text in problems_in(next(whole, view.text)):
        yield _reason("", code, text, "")


def _summary(found: Found, view: RequestView) -> str:
    refused = ", refused" if view.refused else ""
    delivered = f", {view.delivered} of {view.targets} delivered" if view.targets else ""
    run = f" in run {view.run}" if view.run > 1 else ""
    row = f"; the row {quoted(found.request_id)} of the worktable" if found.row else ""
    return f"{view.report_type} {view.report_name}: {view.status}{refused}{run}{delivered}{row}"


def _reasons(
    view: RequestView, request: Request | None, rows: Sequence[AuditRow], line: Line
) -> Iterator[Reason]:
    """What made the newest run fail, or what it is being held up by."""
    faults = _faults(rows, view.run)
    if view.status is Status.FAILED:
        deliveries = line.records.deliveries(view.request_id)
        failed = [each for each in deliveries if each.state == "FAILED" and each.run == view.run]
        targets = {target.number: target_words(target) for target in request.targets} if request else {}
        for each in failed:
            fault = faults.get((Stage.DELIVER, each.target), {})
            yield _reason(targets[each.target], each.code, each.text, _rule(fault, each.code))
        if view.code not in {each.code for each in failed}:
            fault = faults.get((Stage.GENERATE, 0), {})
            yield _reason("", view.code, view.text, _rule(fault, view.code))
        return
    for job in line.records.jobs(view.request_id):
        fault = faults.get((job.stage, job.subject), {})
        if fault:
            about = subject_words(job.lane, job.subject, request)
            yield _reason(about, str(fault.get("code")), str(fault.get("text")), rule_words(fault))


def _earlier(rows: Sequence[AuditRow], newest: int) -> Iterator[Reason]:
    """How the runs before the newest one ended."""
    for row in rows:
        run = number_of(row.details.get("run"))
        ended = row.new_status == Status.FAILED and row.old_status != Status.FAILED
        if ended and 0 < run < newest:
            yield Reason(f"run {run}", str(row.details.get("code")), str(row.details.get("text")))


def _others(view: RequestView, rows: Sequence[AuditRow], line: Line) -> Iterator[Reason]:
    """What became of further rows with the request's id, of which its record has a word."""
    if not any(row.event_type == EventType.IGNORED for row in rows):
        return
    alike = line.worktable.alike(view.request_id)
    views = line.records.of_rows({row.ref: own_id(row) for row in alike})
    for row in alike:
        other = views.get(row.ref)
        if other is not None and other.request_id != view.request_id:
            about = f"row {quoted(str(row.columns.get('REQUEST_ID')))}, on record as {other.request_id}"
            yield _reason(about, other.code, other.text, "")


def _rule(fault: Mapping[str, JsonValue], code: str) -> str:
    """The rule that decided, where it was this fault that ended with this code."""
    return rule_words(fault) if fault.get("code") == code else ""


def _faults(rows: Sequence[AuditRow], run: int) -> Mapping[tuple[Stage, int], Mapping[str, JsonValue]]:
    """The particulars of each job's newest failed attempt in this run."""
    return {
        (_STAGE_OF[row.component], number_of(row.details.get("subject"))): row.details
        for row in rows
        if row.event_type == EventType.ERROR and row.details.get("run") == run
    }


def _reason(about: str, code: str, text: str, rule: str) -> Reason:
    """The reason, with the remedy of every code that its text names."""
    codes = [code, *_CODE.findall(text)]
    remedies = dict.fromkeys(CODES[name].remedy for name in codes if name in CODES)
    return Reason(about, code, text.removeprefix(f"{code}: "), rule, tuple(remedies))
