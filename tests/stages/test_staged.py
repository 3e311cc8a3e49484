from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from reportbus.core.created_event import Created, created_from_text, created_to_text
from reportbus.core.intake import row_to_text
from reportbus.core.redact import Redactor
from reportbus.ports import Message
from reportbus.stages.accept import Accept
from reportbus.stages.staged import Staged
from stages.embedded import RULES, TOPIC, Embedded, asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STAGED = "report-staged"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OURS = "reports/R-1/1/1/sales.csv"

SAMPLE_1 = '{"records":[{"key":"reports/R-1/1/1/sales.csv","size":10240,"sha256":"' + HASH + '"}]}'
"""An event as it is written today; it never changes."""


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path) as embedded:
        yield embedded


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


def hearing(parts: Embedded, bell: Bell) -> Staged:
    return Staged(
        consumer=parts.bus.subscribe(STAGED, "distributor"),
        operations=parts.ledger.operations,
        wake=bell,
        redactor=Redactor(),
    )


def take_in(parts: Embedded, request_id: str) -> None:
    consumer = parts.bus.subscribe(TOPIC, "orchestrator")
    parts.bus.publish(TOPIC, [Message(request_id, row_to_text("1", asked(request_id)))])
    Accept(
        consumer=consumer, intake=parts.ledger.intake, rules=RULES, clock=parts.clock, redactor=Redactor()
    ).run_once(5)


def event(key: str) -> Message:
    return Message(key, created_to_text([Created(key, 10_240, HASH)]))


def ignored(parts: Embedded, request_id: str) -> list[object]:
    return [
        row.details.get("why")
        for row in parts.ledger.records.audit(request_id)
        if row.details.get("code") == "EVT_IGNORED"
    ]


def test_an_event_of_today_is_read_and_written_as_ever() -> None:
    assert created_from_text(SAMPLE_1) == [Created(OURS, 10_240, HASH)]
    assert created_to_text(created_from_text(SAMPLE_1)) == SAMPLE_1


def test_fields_of_a_later_version_are_passed_over() -> None:
    later = SAMPLE_1.replace('"size"', '"bucket":"x","size"')[:-1] + ',"version":2}'

    assert [event.key for event in created_from_text(later)] == [OURS]


def test_events_wake_the_deliverers_once_for_a_whole_batch(parts: Embedded) -> None:
    take_in(parts, "R-1")
    bell = Bell()
    stage = hearing(parts, bell)
    parts.bus.publish(STAGED, [event(OURS)] * 10 + [event("reports/R-1/2/5/x.csv")])

    assert stage.run_once(5) == 11
    assert bell.rung == 1
    assert stage.ignored == 0
    assert parts.bus.depth(STAGED, "distributor") == 0


def test_a_key_of_a_request_that_nobody_knows_is_logged_once_for_each_request(
    parts: Embedded, caplog: pytest.LogCaptureFixture
) -> None:
    bell = Bell()
    stage = hearing(parts, bell)
    strangers = [f"reports/{request_id}/1/1/{name}.csv" for request_id in ("R-8", "R-9") for name in "ab"]
    parts.bus.publish(STAGED, [event(key) for key in strangers * 2])

    with caplog.at_level(logging.WARNING):
        assert stage.run_once(5) == 8
    assert bell.rung == 0
    assert stage.ignored == 8
    assert [message.partition(",")[2] for message in caplog.messages] == [
        " but there is no request R-8",
        " but there is no request R-9",
    ]
    assert all(message.startswith("EVT_IGNORED: ") for message in caplog.messages)
    assert parts.bus.depth(STAGED, "distributor") == 0


def test_strangers_among_the_known_do_not_keep_them_from_waking_the_deliverers(parts: Embedded) -> None:
    take_in(parts, "R-1")
    bell = Bell()
    stage = hearing(parts, bell)
    parts.bus.publish(STAGED, [event("reports/R-9/1/1/x.csv"), event(OURS)])

    assert stage.run_once(5) == 2
    assert (bell.rung, stage.ignored) == (1, 1)


def test_a_batch_costs_the_ledger_one_question_however_many_events_it_has(parts: Embedded) -> None:
    for number in range(3):
        take_in(parts, f"R-{number}")
    asked_for: list[set[str]] = []

    class Listening:
        def known(self, request_ids: set[str]) -> frozenset[str]:
            asked_for.append(request_ids)
            return parts.ledger.operations.known(request_ids)

    stage = Staged(
        consumer=parts.bus.subscribe(STAGED, "distributor"),
        operations=Listening(),  # type: ignore[arg-type]  # all it asks for events that are ours
        wake=Bell(),
        redactor=Redactor(),
    )
    parts.bus.publish(STAGED, [event(f"reports/R-{n % 3}/1/1/x.csv") for n in range(30)])

    assert stage.run_once(5) == 30
    assert stage.run_once(0) == 0
    assert asked_for == [{"R-0", "R-1", "R-2"}]


def test_nothing_heard_wakes_nobody(parts: Embedded) -> None:
    bell = Bell()

    assert hearing(parts, bell).run_once(0) == 0
    assert bell.rung == 0


@pytest.mark.parametrize(
    "key",
    [
        "reports/R-1/evil.pdf",
        "reports/R-1/1/1/../../x",
        "reports/R-1/0/1/x.csv",
        "reports/R-1/1/1/a%2Fb/c.csv",
        "reports/R-1/1/1/",
    ],
)
def test_a_forged_key_is_put_on_record_and_nothing_is_done(parts: Embedded, key: str) -> None:
    take_in(parts, "R-1")
    bell = Bell()
    stage = hearing(parts, bell)
    parts.bus.publish(STAGED, [event(key)] * 3)

    assert stage.run_once(5) == 3
    assert bell.rung == 0
    assert stage.ignored == 3
    assert len(ignored(parts, "R-1")) == 1
    assert parts.bus.depth(STAGED, "distributor") == 0


@pytest.mark.parametrize(
    "key", ["reports/evil.pdf", "other/R-1/1/1/x.csv", "", "reports/R-9/evil.pdf", "reports/../x"]
)
def test_a_key_that_belongs_to_no_request_is_logged(
    parts: Embedded, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    take_in(parts, "R-1")
    bell = Bell()
    stage = hearing(parts, bell)
    parts.bus.publish(STAGED, [event(key), event(OURS)])

    with caplog.at_level(logging.WARNING):
        assert stage.run_once(5) == 2
    assert bell.rung == 1
    assert stage.ignored == 1
    assert ignored(parts, "R-1") == []
    assert key == "" or "EVT_IGNORED" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[" * 100_000,
        '{"key": "reports/R-1/1/1/x.csv"}',
        '{"key": 5, "size": 1, "sha256": "' + HASH + '"}',
        '{"key": "reports/R-1/1/1/x.csv", "size": "1", "sha256": "' + HASH + '"}',
        '{"key": "reports/R-1/1/1/x.csv", "size": 1, "sha256": "x"}',
        '{"key": "' + "x" * 10_000 + '"}',
    ],
)
def test_a_message_that_is_no_event_is_counted_and_does_not_block_the_others(
    parts: Embedded, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    take_in(parts, "R-1")
    bell = Bell()
    stage = hearing(parts, bell)
    parts.bus.publish(STAGED, [Message("a key", body), event(OURS)])

    with caplog.at_level(logging.WARNING):
        assert stage.run_once(5) == 2
    assert stage.ignored == 1
    assert bell.rung == 1
    assert "EVT_IGNORED: the message with key 'a key' holds no created events" in caplog.text
    assert parts.bus.depth(STAGED, "distributor") == 0
