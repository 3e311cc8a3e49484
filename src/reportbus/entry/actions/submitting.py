"""Submitting requests: from JSON to rows of the worktable, all of them or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from reportbus.core.errors import Problem, Refused
from reportbus.core.intake import read_row, row_from_text, row_to_text
from reportbus.core.strict_json import decode
from reportbus.core.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from reportbus.core.intake import IntakeRules
    from reportbus.core.model import JsonValue
    from reportbus.ports import Worktable

    Row = Mapping[str, JsonValue]

FIELDS: Final = (
    "request_id",
    "report_type",
    "report_name",
    "parameters",
    "distribution_config",
    "priority",
    "requested_by",
    "requested_at",
)
"""What a request has as JSON: the columns people fill in, in small letters."""

MAX_SUBMITTED: Final = 64 * 1024 * 1024
"""Bytes of JSON that are read at once."""


def requests_from_json(text: str | bytes) -> list[Mapping[str, JsonValue]]:
    """The requests in JSON text: one object, or a list of them. Raises Refused for anything else."""
    value = decode(text, what="the file", max_bytes=MAX_SUBMITTED)
    items = value if isinstance(value, list) else [value]
    problems = [
        Problem("CFG_TYPE", "a request is a JSON object", f"[{number}]")
        for number, item in enumerate(items)
        if not isinstance(item, dict)
    ]
    if not items:
        problems.append(Problem("CFG_TYPE", "there is no request in it", "the file"))
    if problems:
        raise Refused(problems)
    return [item for item in items if isinstance(item, dict)]


def rows_of(requests: Sequence[Mapping[str, JsonValue]], by: str) -> list[Row]:
    """The rows that ask for these requests.

    Those without an id get one, those without a requester are asked for `by`. Raises Refused where a field is
    none of a request's.
    """
    problems = [
        Problem("CFG_UNKNOWN_FIELD", f"there is no field {quoted(name)}; have {', '.join(FIELDS)}", where)
        for where, request in _numbered(requests)
        for name in request
        if name not in FIELDS
    ]
    if problems:
        raise Refused(problems)
    return [_row(request, by) for request in requests]


def check(rows: Sequence[Row], rules: IntakeRules, now: datetime) -> list[Problem]:
    """Everything intake would refuse the rows for; of several, each problem names the one it is about."""
    return [
        replace(problem, field=".".join(filter(None, (where, problem.field))))
        for where, row in _numbered(rows)
        for problem in problems_of(row, (), rules, now)
    ]


def problems_of(
    row: Row, distribution: Sequence[Row], rules: IntakeRules, now: datetime
) -> Sequence[Problem]:
    """What intake would refuse one row for, with its rows of the table DISTRIBUTION_CONFIG.

    It is read as it comes from the bus, where what is too large was cut.
    """
    published = row_from_text(row_to_text("", row, distribution))
    return read_row(published, rules, now).problems


def submit(rows: Sequence[Row], worktable: Worktable) -> list[str]:
    """Put the rows into the worktable, in one transaction; their ids.

    Raises Permanent VAL_DUPLICATE_ID_CONFLICT where an id is taken, with nothing put in.
    """
    worktable.insert(rows)
    return [str(row["REQUEST_ID"]) for row in rows]


def _numbered(items: Sequence[Mapping[str, JsonValue]]) -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    """Each item with how problems name it: not at all where it is the only one."""
    for number, item in enumerate(items):
        yield f"[{number}]" if len(items) > 1 else "", item


def _row(request: Mapping[str, JsonValue], by: str) -> Row:
    given = {name.upper(): request[name] for name in FIELDS if request.get(name) is not None}
    return {"REQUEST_ID": str(uuid4()), "REQUESTED_BY": by, **given}
