from __future__ import annotations

from dataclasses import replace

import pytest

from core.worktable_rows import RULES, codes, fields, good, read, row
from reportbus.core.model import TERMINAL, NotifyRule, Status


def telling(*items: object) -> dict[str, object]:
    """A DISTRIBUTION_CONFIG with these notices."""
    return {"targets": "none", "notify": list(items)}


def test_a_notice_says_how_whom_and_when_to_tell() -> None:
    notices = telling(
        {"type": "EMAIL", "to": ["ops@corp.com"], "on": ["FAILED"]},
        {"type": "email", "to": "boss@corp.com", "on": "completed"},
        {"type": "LOG"},
    )

    assert good(row(config=notices)).notify == (
        NotifyRule("EMAIL", ("ops@corp.com",), frozenset({Status.FAILED})),
        NotifyRule("EMAIL", ("boss@corp.com",), frozenset({Status.COMPLETED})),
        NotifyRule("LOG", (), TERMINAL),
    )


def test_the_rules_own_notices_stand_in_where_a_request_says_nothing() -> None:
    rules = replace(RULES, notify=(NotifyRule("LOG"),))

    assert good(row(), rules).notify == (NotifyRule("LOG"),)
    assert good(row(config=telling()), rules).notify == ()


@pytest.mark.parametrize(
    ("notice", "code", "field"),
    [
        ({"type": "SMS", "to": "1"}, "CFG_CHANNEL", "type"),
        ({"to": "a@corp.com"}, "CFG_CHANNEL", "type"),
        ({"type": 5}, "CFG_CHANNEL", "type"),
        ({"type": "EMAIL"}, "VAL_EMAIL", "to"),
        ({"type": "EMAIL", "to": []}, "VAL_EMAIL", "to"),
        ({"type": "EMAIL", "to": ["a@evil.com"]}, "SEC_TARGET_FORBIDDEN", "to"),
        ({"type": "EMAIL", "to": ["a@corp.com\nBcc: b"]}, "SEC_HEADER_INJECTION", "to"),
        ({"type": "LOG", "to": "https://evil.example"}, "CFG_UNKNOWN_FIELD", "to"),
        ({"type": "LOG", "on": "STARTED"}, "CFG_NOTIFY_ON", "on"),
        ({"type": "LOG", "on": []}, "CFG_NOTIFY_ON", "on"),
        ({"type": "LOG", "on": ["FAILED", 5]}, "CFG_NOTIFY_ON", "on"),
        ({"type": "LOG", "on": {"FAILED": 1}}, "CFG_NOTIFY_ON", "on"),
        ({"type": "LOG", "when": "FAILED"}, "CFG_UNKNOWN_FIELD", ""),
        ("LOG", "CFG_TYPE", ""),
    ],
)
def test_a_notice_that_could_not_be_sent_is_refused_at_intake(notice: object, code: str, field: str) -> None:
    where = "DISTRIBUTION_CONFIG.notify[0]"

    assert codes(row(config=telling(notice))) == [code]
    assert fields(row(config=telling(notice))) == [f"{where}.{field}" if field else where]


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (["DONE"], "'DONE' is no end of a request"),
        (["FAILED", 5], "5 is no end of a request"),
        ("STARTED", "'STARTED' is no end of a request"),
        ([], "an empty list is no end of a request"),
    ],
)
def test_what_is_no_end_is_named_beside_those_there_are(on: object, said: str) -> None:
    (problem,) = read(row(config=telling({"type": "LOG", "on": on}))).problems

    assert problem.text == f"{said}; have COMPLETED, FAILED, and nothing means both"


def test_notices_are_a_list_and_not_a_long_one() -> None:
    assert codes(row(config={"targets": "none", "notify": {"type": "LOG"}})) == ["CFG_TYPE"]
    assert codes(row(config=telling(*[{"type": "LOG"}] * 21))) == ["CFG_LIMIT"]
