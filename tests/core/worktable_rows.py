"""Worktable rows to be read, good but for what a test changes, and what they are held against."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reportbus.core.errors import Problem
from reportbus.core.intake import DestinationRule, IntakeRules, RawRow, read_row
from reportbus.core.model import Request, TargetType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reportbus.core.intake import Reading
    from reportbus.core.model import JsonValue

NOW = datetime(2026, 11, 1, 7, 0, tzinfo=UTC)


def check(name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
    """An engine that has every report but one, and knows one parameter it cannot do without."""
    problems = []
    if name == "unheard_of":
        problems.append(Problem("VAL_REPORT_UNKNOWN", "there is no such report", "REPORT_NAME"))
    if parameters.get("region") == "nowhere":
        problems.append(Problem("VAL_PARAM_TYPE", "must be a region", "PARAMETERS.region"))
    if format_ == "ZIP":
        problems.append(
            Problem("VAL_FORMAT", "cannot be had as ZIP; have CSV, PDF", "DISTRIBUTION_CONFIG.format")
        )
    return problems


RULES = IntakeRules(
    engines={"PYTHON": check, "SSRS": check},
    absent={"OBIEE": "has no adapter yet", "DEMO": "is switched off"},
    destinations={
        "archive": DestinationRule(TargetType.NAS, default=True),
        "share": DestinationRule(TargetType.SMB, secret="share-login"),
        "acme": DestinationRule(TargetType.SFTP, default=True, secret="acme-key"),
        "partner": DestinationRule(TargetType.FTPS),
        "bucket": DestinationRule(TargetType.S3, default=True),
        "mail": DestinationRule(TargetType.EMAIL, default=True),
    },
    channels={"EMAIL": True, "LOG": False},
    mail_domains=frozenset({"corp.com", "example.com"}),
)


def row(
    *distribution: Mapping[str, object], ref: object = "1", config: object = None, **changed: object
) -> RawRow:
    """A row of REPORT_REQUESTS; `config` is its DISTRIBUTION_CONFIG as data, unless told one NAS target."""
    columns: dict[str, object] = {
        "REQUEST_ID": "R-1",
        "REPORT_TYPE": "PYTHON",
        "REPORT_NAME": "/Finance/Monthly",
        "PARAMETERS": '{"region": "N", "as_of": "2026-10-31"}',
        "DISTRIBUTION_CONFIG": json.dumps({"targets": [{"type": "NAS"}]} if config is None else config),
        "PRIORITY": 5,
        "REQUESTED_BY": "analyst",
        "REQUESTED_AT": "2026-11-01 06:30:00",
        "STATUS": "PENDING",
        "PROCESSED_AT": None,
        "COMPLETED_AT": None,
    }
    return RawRow(str(ref), columns | changed, distribution)  # type: ignore[arg-type]  # odd values are what it is for


def entry(type_: object = "NAS", path: object = None, **changed: object) -> dict[str, object]:
    """A row of the table DISTRIBUTION_CONFIG."""
    return {
        "CONFIG_ID": "C-1",
        "REQUEST_ID": "R-1",
        "TARGET_TYPE": type_,
        "TARGET_PATH": path,
        "CREDENTIALS_SECRET": None,
        "ENABLED": True,
    } | changed


def read(raw: RawRow, rules: IntakeRules = RULES) -> Reading:
    """What intake makes of the row."""
    return read_row(raw, rules, NOW)


def good(raw: RawRow, rules: IntakeRules = RULES) -> Request:
    """The request of a good row."""
    reading = read(raw, rules)
    assert reading.problems == ()
    assert reading.request is not None
    return reading.request


def codes(raw: RawRow, rules: IntakeRules = RULES) -> list[str]:
    """The codes a bad row is refused with."""
    reading = read(raw, rules)
    assert reading.request is None
    return [problem.code for problem in reading.problems]


def fields(raw: RawRow, rules: IntakeRules = RULES) -> list[str]:
    """The fields a bad row's problems are about."""
    return [problem.field for problem in read(raw, rules).problems]
