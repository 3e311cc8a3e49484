"""What a notice says to a person, as the subject and the text of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reportbus.core.codes import CODES
from reportbus.core.model import Status, TargetType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reportbus.core.model import Artifact, Target
    from reportbus.ports import Notice

_NOT_MENDED_BY_RETRY: Final = frozenset({"VAL", "TPL"})
"""Areas whose failures lie in the request itself, which never changes."""


def notice_subject(notice: Notice) -> str:
    """One line: what became of which report."""
    name = notice.request.report_name
    if notice.outcome.status is Status.COMPLETED:
        return f"Report {name} is ready"
    if notice.delivered:
        total = len(notice.delivered) + len(notice.missing)
        return f"Report {name} failed: {len(notice.delivered)} of {total} delivered"
    return f"Report {name} failed: {notice.outcome.code}"


def notice_text(notice: Notice) -> str:
    """The whole story in plain words; no report content, and no address of a recipient."""
    return "\n".join(_lines(notice)) + "\n"


def _lines(notice: Notice) -> Iterator[str]:
    request, outcome = notice.request, notice.outcome
    done = outcome.status is Status.COMPLETED
    yield (
        f'The report "{request.report_name}" is ready.'
        if done
        else f'The report "{request.report_name}" failed.'
    )
    yield ""
    yield f"Request:   {request.request_id}"
    yield f"Report:    {request.report_name} ({request.report_type}, {request.format})"
    yield f"Asked for: {_time(request.requested_at)}" + (
        f" by {request.requested_by}" if request.requested_by else ""
    )
    yield f"Ended:     {_time(notice.at)}, {outcome.status}"
    yield from _section("Files", [_file(artifact) for artifact in notice.artifacts])
    targets = {target.number: _target(target) for target in request.targets}
    yield from _section("Delivered", [targets.get(number, f"target {number}") for number in notice.delivered])
    yield from _section(
        "Not delivered", [targets.get(number, f"target {number}") for number in notice.missing]
    )
    if not done:
        yield from _failure(notice)
    if notice.possible_duplicate:
        yield ""
        yield "The outcome of an earlier attempt to send this notice is not known: you may have it twice."


def _failure(notice: Notice) -> Iterator[str]:
    code = notice.outcome.code
    known = CODES.get(code)
    reasons = [notice.outcome.text, f"Code {code}: {known.meaning}" if known else f"Code {code}"]
    yield from _section("Why", [reason for reason in reasons if reason])
    steps = [known.remedy] if known else []
    if code.partition("_")[0] not in _NOT_MENDED_BY_RETRY:
        only = "   (delivers only what is missing)" if notice.delivered else ""
        steps.append(f"reportbus request retry {notice.request.request_id}{only}")
    yield from _section("What to do", steps)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _file(artifact: Artifact) -> str:
    rows = "" if artifact.rows is None else f", {artifact.rows:,} rows"
    return f"{artifact.file_name} ({artifact.format}, {artifact.size:,} bytes{rows})"


def _target(target: Target) -> str:
    if target.type is TargetType.EMAIL and target.mail is not None:
        count = len(target.mail.to) + len(target.mail.cc) + len(target.mail.bcc)
        return f"{target.number}. mail to {count} {'recipient' if count == 1 else 'recipients'}"
    place = "/".join(part for part in (target.path, target.file_name) if part)
    return f"{target.number}. {target.type} {target.destination}: {place}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
