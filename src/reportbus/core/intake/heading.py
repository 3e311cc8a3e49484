"""The columns that say what a request is about, each checked for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import Problem
from reportbus.core.intake.words import Problems, shown
from reportbus.core.model import DEFAULT_PRIORITY, HIGHEST_PRIORITY, LOWEST_PRIORITY
from reportbus.core.names import check_report_name, check_request_id
from reportbus.core.text import have, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reportbus.core.intake.rules import IntakeRules
    from reportbus.core.model import JsonValue

MAX_REQUESTER: Final = 100
_LONGEST_TIME: Final = 40
_NOT_A_DATE: Final = "a date and time like 2026-11-01 06:30:00 (UTC) or 2026-11-01T06:30:00+01:00 is needed"


@dataclass(frozen=True, slots=True)
class Heading:
    """The columns, checked; a text is empty, a number or time its default, where the column is no good."""

    request_id: str
    report_type: str
    report_name: str
    priority: int
    requested_by: str
    requested_at: datetime


def read_heading(
    columns: Mapping[str, JsonValue], rules: IntakeRules, now: datetime, problems: Problems
) -> Heading:
    """The heading of a row; what is wrong with it is added to `problems`."""
    request_id = check_request_id(columns.get("REQUEST_ID"))
    report_type = _report_type(columns.get("REPORT_TYPE"), rules)
    report_name = check_report_name(columns.get("REPORT_NAME"))
    priority = _priority(columns.get("PRIORITY"))
    requested_by = _requested_by(columns.get("REQUESTED_BY"), rules)
    requested_at = _requested_at(columns.get("REQUESTED_AT"), rules, now)
    found = (request_id, report_type, report_name, priority, requested_by, requested_at)
    problems += [item for item in found if isinstance(item, Problem)]
    return Heading(
        "" if isinstance(request_id, Problem) else request_id,
        "" if isinstance(report_type, Problem) else report_type,
        "" if isinstance(report_name, Problem) else report_name,
        DEFAULT_PRIORITY if isinstance(priority, Problem) else priority,
        "" if isinstance(requested_by, Problem) else requested_by,
        now if isinstance(requested_at, Problem) else requested_at,
    )


def _report_type(raw: JsonValue, rules: IntakeRules) -> str | Problem:
    if isinstance(raw, str):
        if raw in rules.engines:
            return raw
        name = raw.strip().upper()
        if name in rules.engines:
            return name
        if name in rules.absent:
            fault = f"the engine {name} {rules.absent[name]}; {have(rules.engines)}"
            return Problem("VAL_ENGINE_DISABLED", fault, "REPORT_TYPE")
    fault = "is missing" if raw is None else f"there is no engine {shown(raw)}"
    return Problem("VAL_REPORT_TYPE", f"{fault}; {have(rules.engines)}", "REPORT_TYPE")


def _priority(raw: JsonValue) -> int | Problem:
    if raw is None:
        return DEFAULT_PRIORITY
    if type(raw) is int and HIGHEST_PRIORITY <= raw <= LOWEST_PRIORITY:
        return raw
    fault = f"{shown(raw)} is no priority; a whole number from 1 (most urgent) to 9 is, and none means 5"
    return Problem("VAL_PRIORITY", fault, "PRIORITY")


def _requested_by(raw: JsonValue, rules: IntakeRules) -> str | Problem:
    if raw is None and not rules.requester_required:
        return ""
    if isinstance(raw, str):
        name = raw.strip(" ")
        if 0 < len(name) <= MAX_REQUESTER and one_line(name) == name:
            return name
        if not name and not rules.requester_required:
            return ""
    fault = "is missing" if raw is None else f"{shown(raw)} names nobody"
    rule = f"one line of at most {MAX_REQUESTER} characters, without control characters, is needed"
    return Problem("VAL_REQUESTED_BY", f"{fault}; {rule}", "REQUESTED_BY")


def _requested_at(raw: JsonValue, rules: IntakeRules, now: datetime) -> datetime | Problem:
    if raw is None:
        return now
    time = _time(raw)
    if time is None:
        return Problem("VAL_REQUESTED_AT", f"{shown(raw)} is no time; {_NOT_A_DATE}", "REQUESTED_AT")
    age = (now - time).total_seconds()
    if age < -rules.max_ahead:
        fault = f"{time:%Y-%m-%d %H:%M:%S} UTC is in the future by more than {rules.max_ahead:g} seconds"
        return Problem("VAL_REQUESTED_AT", fault, "REQUESTED_AT")
    if age > rules.max_age:
        fault = f"{time:%Y-%m-%d %H:%M:%S} UTC is more than {rules.max_age / 3600:g} hours ago; ask again"
        return Problem("VAL_EXPIRED", fault, "REQUESTED_AT")
    return time


def _time(raw: JsonValue) -> datetime | None:
    """A time in UTC, which is also meant where no zone is given."""
    if not isinstance(raw, str) or len(raw) > _LONGEST_TIME or raw[4:5] != "-":
        return None
    try:
        time = datetime.fromisoformat(raw)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
