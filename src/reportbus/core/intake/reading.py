"""A worktable row, read: either a complete request, or everything that is wrong with it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from reportbus.core.errors import MAX_PROBLEMS, Problem, Refused
from reportbus.core.formats import FORMATS
from reportbus.core.intake.config import FIELD, config_of, format_of, no_format, notices_of
from reportbus.core.intake.content import content_of, made_up_id, text_of
from reportbus.core.intake.heading import Heading, read_heading
from reportbus.core.intake.message import BODY, MAX_MESSAGE, RawRow
from reportbus.core.intake.naming import Naming, values_for
from reportbus.core.intake.places import Context
from reportbus.core.intake.targets import check_number, read_targets
from reportbus.core.intake.words import Problems, shown
from reportbus.core.model import DEFAULT_PRIORITY, Request
from reportbus.core.names import check_request_id
from reportbus.core.strict_json import decode
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reportbus.core.intake.rules import IntakeRules
    from reportbus.core.model import JsonValue

_PATH: Final = re.compile(rf"{FIELD}(?:\.targets)?\[[0-9]+\]\.path")


class Reading(NamedTuple):
    """What a row turned out to be: `request`, or the `problems` it is refused for.

    `content` is what the row asks for as canonical JSON, `digest` its SHA-256: the same for the same row,
    however it is written. The texts are fit to be stored and shown; a row without a usable id has a made-up
    one.
    """

    ref: str
    request_id: str
    digest: str
    report_type: str
    report_name: str
    requested_by: str
    priority: int
    requested_at: datetime
    content: str
    request: Request | None = None
    problems: tuple[Problem, ...] = ()


def read_row(row: RawRow, rules: IntakeRules, now: datetime) -> Reading:
    """The row, judged by `rules` at the time `now` (UTC). What is wrong with it is a problem, no error."""
    problems = Problems()
    heading = read_heading(row.columns, rules, now, problems)
    decoded: dict[str, JsonValue] = {}
    request = None
    if row.cut:
        fault = f"the row has more than {MAX_MESSAGE:,} bytes, the most allowed; it was not read further"
        problems.insert(0, Problem("VAL_TOO_LARGE", fault))
    else:
        for name in BODY:
            _decode(name, row.columns.get(name), decoded, problems)
        request = _request(row, heading, decoded, rules, now, problems)
    content, digest = content_of(row, heading.request_id, decoded)
    return Reading(
        ref=row.ref,
        request_id=heading.request_id or made_up_id(row.ref, digest),
        digest=digest,
        report_type=heading.report_type or text_of(row, "REPORT_TYPE"),
        report_name=heading.report_name or text_of(row, "REPORT_NAME"),
        requested_by=heading.requested_by or text_of(row, "REQUESTED_BY"),
        priority=heading.priority,
        requested_at=heading.requested_at,
        content=content,
        request=request,
        problems=tuple(problems[:MAX_PROBLEMS]),
    )


def refuse_row(row: RawRow, problem: Problem, now: datetime) -> Reading:
    """The row, refused for `problem` without a look at what it asks for."""
    found = check_request_id(row.columns.get("REQUEST_ID"))
    request_id = "" if isinstance(found, Problem) else found
    content, digest = content_of(row, request_id, {})
    return Reading(
        ref=row.ref,
        request_id=request_id or made_up_id(row.ref, digest),
        digest=digest,
        report_type=text_of(row, "REPORT_TYPE"),
        report_name=text_of(row, "REPORT_NAME"),
        requested_by=text_of(row, "REQUESTED_BY"),
        priority=DEFAULT_PRIORITY,
        requested_at=now,
        content=content,
        problems=(problem,),
    )


def _decode(name: str, raw: JsonValue, decoded: dict[str, JsonValue], problems: Problems) -> None:
    """Add a JSON column's value to `decoded`, whether the database gave JSON text or what the text means."""
    try:
        if isinstance(raw, list | dict):
            raw = json.dumps(raw)
        decoded[name] = decode(raw, what=name) if isinstance(raw, str) else raw
    except Refused as refusal:
        problems += map(_of_its_field, refusal.problems)
    except RecursionError:
        problems.add("VAL_JSON_DEPTH", "has objects and arrays too deep in one another", name)


def _request(
    row: RawRow,
    heading: Heading,
    decoded: Mapping[str, JsonValue],
    rules: IntakeRules,
    now: datetime,
    problems: Problems,
) -> Request | None:
    """The request, complete; None where there are problems with it."""
    parameters = _parameters(decoded, problems)
    config = config_of(decoded.get("DISTRIBUTION_CONFIG"), problems)
    asked = format_of(config, rules, problems)
    unread = ("VAL_PARAM_",) * (parameters is None) + ("VAL_FORMAT",) * ("DISTRIBUTION_CONFIG" not in decoded)
    problems += _asking_faults(heading, parameters or {}, asked, rules, unread)
    format_ = asked if asked in FORMATS else ""
    named = parameters is not None and format_ and heading.report_name
    values = values_for(heading, format_, parameters or {}) if named and heading.request_id else None
    naming = Naming(format_ or rules.default_format, values)
    file_name = naming.file_name(config.get("file_name"), f"{FIELD}.file_name", problems)
    before = len(problems)
    column = config.get("targets")
    targets = read_targets(column, row.distribution, Context(rules, naming, file_name), problems)
    if len(problems) == before and "DISTRIBUTION_CONFIG" in decoded:
        check_number(column, len(targets), rules, problems)
    notify = notices_of(config, rules, problems)
    if problems or parameters is None:
        return None
    return Request(
        request_id=heading.request_id,
        report_type=heading.report_type,
        report_name=heading.report_name,
        format=format_,
        file_name=file_name.rpartition("/")[2],
        requested_at=heading.requested_at,
        expires_at=now + timedelta(seconds=rules.deadline),
        parameters=parameters,
        targets=targets,
        notify=notify,
        priority=heading.priority,
        requested_by=heading.requested_by,
    )


def _of_its_field(problem: Problem) -> Problem:
    """A path with a control character is refused as such, in JSON as elsewhere."""
    path = problem.code == "VAL_CONTROL_CHAR" and _PATH.fullmatch(problem.field)
    return replace(problem, code="SEC_PATH") if path else problem


def _asking_faults(
    heading: Heading,
    parameters: Mapping[str, JsonValue],
    format_: str,
    rules: IntakeRules,
    unread: tuple[str, ...],
) -> Sequence[Problem]:
    """What the engine finds wrong, which knows its reports' formats; at least that a format is none.

    Codes that begin with one of `unread` are about what could not be read, and not told.
    """
    found: list[Problem] = []
    if format_ and heading.report_name and heading.report_type:
        found += rules.engines[heading.report_type](heading.report_name, parameters, format_)
    if format_ and format_ not in FORMATS and all(problem.code != "VAL_FORMAT" for problem in found):
        found.insert(0, no_format(quoted(format_)))
    return [problem for problem in found if not problem.code.startswith(unread)]


def _parameters(decoded: Mapping[str, JsonValue], problems: Problems) -> Mapping[str, JsonValue] | None:
    """The parameters; None where they are no good."""
    if "PARAMETERS" not in decoded:
        return None
    value = decoded["PARAMETERS"]
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    hint = "; it is a text that may hold JSON: store the object itself" if isinstance(value, str) else ""
    problems.add("VAL_PARAMETERS_TYPE", f"must be a JSON object, not {shown(value)}{hint}", "PARAMETERS")
    return None
