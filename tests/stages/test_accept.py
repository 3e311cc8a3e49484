from __future__ import annotations

import base64
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reportbus.core.errors import Transient
from reportbus.core.intake import row_to_text
from reportbus.core.intake.asked import FILE_FIELDS, MAIL_FIELDS
from reportbus.core.model import Status
from reportbus.core.redact import Redactor
from reportbus.ports import Filter, Intake, Message
from reportbus.stages.accept import Accept
from stages.embedded import RULES, TOPIC, Embedded, asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reportbus.core.errors import Problem
    from reportbus.core.intake import IntakeRules
    from reportbus.core.model import JsonValue
    from reportbus.ports import Intaken, Submission

CANARY = "CANARY-s3cr3t-4711"
STRAY = "Str4y-s3cr3t-0815"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path) as embedded:
        yield embedded


def accept(
    parts: Embedded,
    *,
    intake: Intake | None = None,
    rules: IntakeRules = RULES,
    redactor: Redactor | None = None,
) -> Accept:
    return Accept(
        consumer=parts.bus.subscribe(TOPIC, "orchestrator"),
        intake=intake or parts.ledger.intake,
        rules=rules,
        clock=parts.clock,
        redactor=redactor or Redactor(),
        batch=100,
    )


def publish(parts: Embedded, *bodies: str) -> None:
    parts.bus.publish(TOPIC, [Message(f"key {number}", body) for number, body in enumerate(bodies)])


def body(request_id: JsonValue, ref: str = "1", **changed: JsonValue) -> str:
    return row_to_text(ref, asked(request_id, **changed))


def statuses(parts: Embedded) -> dict[str, Status]:
    return {view.request_id: view.status for view in parts.ledger.records.list(Filter(limit=1_000))}


class AwayOnce:
    """A ledger that does not answer the first time."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._away = True

    def accept(self, submissions: Sequence[Submission]) -> Sequence[Intaken]:
        if self._away:
            self._away = False
            raise Transient("ServiceUnavailable", "the ledger is away")
        return self._intake.accept(submissions)


def test_a_batch_of_rows_is_taken_in_and_committed(parts: Embedded) -> None:
    stage = accept(parts)
    publish(parts, *[body(f"R-{number}") for number in range(3)])

    assert stage.run_once(5) == 3
    assert statuses(parts) == dict.fromkeys(["R-0", "R-1", "R-2"], Status.PENDING)
    assert parts.bus.depth(TOPIC, "orchestrator") == 0
    assert stage.run_once(0) == 0


def test_a_bad_row_is_refused_with_all_its_problems_and_its_neighbours_go_on(parts: Embedded) -> None:
    stage = accept(parts)
    publish(parts, body("R-1"), body("R-2", PRIORITY=99, PARAMETERS="[]"), body("R-3"), body(None, ref="7"))

    assert stage.run_once(5) == 4
    found = statuses(parts)
    nameless = next(request_id for request_id in found if request_id.startswith("invalid-"))
    assert found == {
        "R-1": Status.PENDING,
        "R-2": Status.FAILED,
        "R-3": Status.PENDING,
        nameless: Status.FAILED,
    }
    view = parts.ledger.records.find("R-2")
    assert view is not None
    assert view.code == "VAL_PRIORITY"
    assert "VAL_PARAMETERS_TYPE" in view.text
    (error,) = parts.ledger.records.errors("R-2")
    assert not error.retry_eligible


@pytest.mark.parametrize(
    "poison",
    ["", "{", "[" * 100_000, "null", '{"v":2,"ref":"1","columns":{}}', '{"v":1,"ref":"1","columns":7}'],
)
def test_a_message_that_is_no_row_is_counted_and_does_not_block_the_others(
    parts: Embedded, caplog: pytest.LogCaptureFixture, poison: str
) -> None:
    stage = accept(parts)
    publish(parts, body("R-1"), poison, body("R-2"))

    with caplog.at_level(logging.WARNING):
        assert stage.run_once(5) == 3
    assert stage.ignored == 1
    assert "EVT_IGNORED: the message with key 'key 1' is no worktable row" in caplog.text
    assert sorted(statuses(parts)) == ["R-1", "R-2"]
    assert parts.bus.depth(TOPIC, "orchestrator") == 0


def test_a_batch_of_nothing_but_poison_is_done_with(parts: Embedded) -> None:
    stage = accept(parts)
    publish(parts, "{", "}")

    assert stage.run_once(5) == 2
    assert parts.bus.depth(TOPIC, "orchestrator") == 0


def test_nothing_is_committed_while_the_ledger_is_away(parts: Embedded) -> None:
    publish(parts, body("R-1"), body("R-2"))
    intake = AwayOnce(parts.ledger.intake)
    first = accept(parts, intake=intake)

    with pytest.raises(Transient):
        first.run_once(5)
    assert parts.bus.depth(TOPIC, "orchestrator") == 2
    first._consumer.close()
    assert accept(parts, intake=intake).run_once(5) == 2
    assert sorted(statuses(parts)) == ["R-1", "R-2"]


def test_a_batch_the_ledger_could_not_take_is_tried_again_before_any_other(parts: Embedded) -> None:
    """The bus would give it out anew only after a minute, and the next batches meanwhile."""
    stage = accept(parts, intake=AwayOnce(parts.ledger.intake))
    publish(parts, body("R-1"))
    with pytest.raises(Transient):
        stage.run_once(5)
    publish(parts, body("R-2"))

    assert stage.run_once(5) == 1
    assert list(statuses(parts)) == ["R-1"]
    assert stage.run_once(5) == 1
    assert parts.bus.depth(TOPIC, "orchestrator") == 0


def test_another_request_under_a_known_id_changes_nothing_and_is_on_record(parts: Embedded) -> None:
    stage = accept(parts)
    publish(parts, body("R-1"), body("R-1", ref="2", PARAMETERS='{"region":"S"}'))
    stage.run_once(5)

    content = parts.ledger.records.content("R-1")
    assert content is not None
    assert content.parameters == {"region": "N"}
    assert "VAL_DUPLICATE_ID_CONFLICT" in [
        row.details.get("code") for row in parts.ledger.records.audit("R-1")
    ]


def test_a_row_too_large_for_the_bus_is_refused_by_its_id(parts: Embedded) -> None:
    stage = accept(parts)
    publish(parts, body("R-1", PARAMETERS='{"a":"' + "x" * 1_000_000 + '"}'))
    stage.run_once(5)

    view = parts.ledger.records.find("R-1")
    assert view is not None
    assert (view.status, view.code) == (Status.FAILED, "VAL_TOO_LARGE")


# What a row might hold that nobody may read again, by shape; CANARY is known as a secret, the others are not.
SHAPES = [
    CANARY,
    f"sftp://user:{STRAY}@sftp.example.com/in",
    f"sftp://user:a/{STRAY} b@sftp.example.com/in",
    f"https://user:{STRAY}@example.com/in?x=1",
    f"https://example.com/in?sig={STRAY}",
    f"https://example.com/in?X-Amz-Credential=a&X-Amz-Signature={STRAY}",
    f"user:{STRAY}@sftp.example.com",
    f"Authorization: Bearer {STRAY}",
    f"password={STRAY}",
    f'{{"user": "ann", "password": "{STRAY}"}}',
    f"-----BEGIN PRIVATE KEY-----\n{STRAY}\n-----END PRIVATE KEY-----",
    base64.b64encode(f"anna:{STRAY}".encode()).decode(),
]

COLUMNS = [
    "REPORT_TYPE",
    "REPORT_NAME",
    "PARAMETERS",
    "DISTRIBUTION_CONFIG",
    "PRIORITY",
    "REQUESTED_BY",
    "REQUESTED_AT",
]
TARGET_COLUMNS = ["CONFIG_ID", "TARGET_TYPE", "TARGET_PATH", "CREDENTIALS_SECRET", "ENABLED"]
PLACES = [
    *[{"format": None}, {"file_name": None}, {"file_name": "{{ %s }}"}, {"targets": None}, {"notify": None}],
    *[{"targets": [{"type": "NAS", name: None}]} for name in FILE_FIELDS],
    *[{"targets": [{"type": "EMAIL", "to": ["a@b.example"]} | {name: None}]} for name in MAIL_FIELDS],
    *[{"targets": [{"type": "EMAIL", "to": [None]}]}, {"targets": [None]}, {"targets": [{"type": None}]}],
    *[{"notify": [{"type": "LOG"} | {name: None}]} for name in ("type", "to", "on")],
    *[{"notify": [{"type": "LOG", "on": [None]}]}, {"notify": [None]}],
]


def rows_that_hold(secret: str) -> Iterator[str]:
    """Messages of bad rows that have the secret in each place there is, as value and as name."""
    columns: list[dict[str, JsonValue]] = [{name: secret} for name in COLUMNS]
    columns += [{"PARAMETERS": json.dumps([secret])}, {"PARAMETERS": json.dumps({secret: "\0"})}]
    for place in PLACES:
        text = json.dumps(place).replace("%s", json.dumps(secret)[1:-1]).replace("null", json.dumps(secret))
        columns.append({"DISTRIBUTION_CONFIG": text})
    columns += [{"DISTRIBUTION_CONFIG": json.dumps({secret: 1, "targets": [{secret: 1, "type": "NAS"}]})}]
    for number, changed in enumerate(columns):
        # The other place for what is wrong, so that a row is refused whatever is made of the secret.
        yield body(f"C-{number}", f"c{number}", **{"PRIORITY": 99, **changed})
    for number, name in enumerate(TARGET_COLUMNS):
        target: dict[str, JsonValue] = {"CONFIG_ID": "c", "TARGET_TYPE": "NAS", "TARGET_PATH": "in"}
        row = asked(f"T-{number}", PRIORITY=99)
        yield row_to_text(f"t{number}", row, [target | {name: secret}])
    yield body(f"{secret}\n", "id")


@pytest.mark.parametrize("secret", SHAPES)
def test_no_secret_of_a_refused_row_gets_anywhere(
    parts: Embedded, caplog: pytest.LogCaptureFixture, tmp_path: Path, secret: str
) -> None:
    redactor = Redactor()
    redactor.register(CANARY)
    stage = accept(parts, redactor=redactor)
    bodies = list(rows_that_hold(secret))
    publish(parts, *bodies)
    parts.bus.publish(TOPIC, [Message(secret, secret), Message("key", json.dumps({"v": secret}))])

    with caplog.at_level(logging.DEBUG):
        assert stage.run_once(5) == len(bodies) + 2
    views = parts.ledger.records.list(Filter(limit=1_000))
    assert [view.status for view in views] == [Status.FAILED] * len(bodies)
    told = [*views, *parts.ledger.records.errors(None), *parts.ledger.records.audit(), caplog.text]
    assert "***" in str(told)
    for form in (CANARY, STRAY, base64.b64encode(f"anna:{STRAY}".encode()).decode()):
        assert form not in str(told)
        for file in tmp_path.glob("ledger.db*"):
            assert form.encode() not in file.read_bytes()


def test_a_security_refusal_is_told_to_the_log_once_and_in_a_line_a_code(
    parts: Embedded, caplog: pytest.LogCaptureFixture
) -> None:
    stage = accept(parts)
    bad = '{"targets":[{"type":"NAS","path":"../x"},{"type":"NAS","path":"/y"}]}'
    login = '{"targets":[{"type":"NAS","path":"user:pw@host"}]}'
    flood = [body(f"R-{number}", f"{number}", DISTRIBUTION_CONFIG=bad) for number in range(9)]
    for _ in range(2):
        publish(parts, *flood, body("R-9", "9", DISTRIBUTION_CONFIG=login), body("R-10", "10", PRIORITY=0))

        with caplog.at_level(logging.WARNING):
            assert stage.run_once(5) == 11
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]

    assert [record.message for record in warned] == [
        "SEC_INLINE_SECRET: refused: R-9",
        "SEC_PATH: refused: R-0, R-1, R-2, R-3, R-4 and 4 more",
    ]
    assert warned[0].__dict__["request_id"] == "R-9"


def test_a_fault_of_ours_stops_one_row_and_says_nothing_of_its_content(
    parts: Embedded, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(name: str, parameters: Mapping[str, JsonValue], format_: str) -> Sequence[Problem]:
        if parameters.get("region") == "trouble":
            raise KeyError(CANARY)
        return ()

    stage = accept(parts, rules=replace(RULES, engines={"PYTHON": faulty}))
    publish(parts, body("R-1"), body("R-2", PARAMETERS='{"region":"trouble"}'), body("R-3"))

    assert stage.run_once(5) == 3
    view = parts.ledger.records.find("R-2")
    assert view is not None
    assert (view.status, view.code) == (Status.FAILED, "SYS_INTERNAL")
    assert "KeyError" in view.text
    assert "KeyError" in caplog.text
    assert CANARY not in view.text + caplog.text
    assert statuses(parts)["R-3"] is Status.PENDING


def test_bad_rows_among_good_ones_are_taken_in_together(parts: Embedded) -> None:
    stage = accept(parts)
    publish(parts, *[body(f"R-{n}", PRIORITY=0 if n % 10 == 0 else 5) for n in range(100)])

    assert stage.run_once(5) == 100
    found = list(statuses(parts).values())
    assert (found.count(Status.PENDING), found.count(Status.FAILED)) == (90, 10)
