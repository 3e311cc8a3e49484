from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from reportbus.core.intake import row_to_text
from reportbus.core.model import Status
from reportbus.core.redact import Redactor
from reportbus.ports import Filter, Message
from reportbus.stages.accept import Accept
from reportbus.stages.poll import Poll
from stages.embedded import RULES, TOPIC, Embedded, asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path) as embedded:
        yield embedded


def accept(parts: Embedded) -> Accept:
    return Accept(
        consumer=parts.bus.subscribe(TOPIC, "orchestrator"),
        intake=parts.ledger.intake,
        rules=RULES,
        clock=parts.clock,
        redactor=Redactor(),
        batch=100,
    )


def poll(parts: Embedded) -> Poll:
    return Poll(worktable=parts.worktable, bus=parts.bus, clock=parts.clock, topic=TOPIC, batch=20)


def pending(parts: Embedded) -> list[str]:
    views = parts.ledger.records.list(Filter(limit=10_000))
    return sorted(view.request_id for view in views if view.status is Status.PENDING)


def test_a_message_that_comes_twice_makes_one_request(parts: Embedded) -> None:
    """Twice in one batch, and again in later ones."""
    stage = accept(parts)
    message = Message("R-1", row_to_text("1", asked("R-1")))
    for _ in range(3):
        parts.bus.publish(TOPIC, [message, message])
        assert stage.run_once(5) == 2

    assert pending(parts) == ["R-1"]
    assert parts.ledger.records.errors(None) == []
    assert list(parts.ledger.records.verify()) == []


def test_four_pollers_make_each_row_one_request(parts: Embedded) -> None:
    """They may publish a row several times; the ledger takes it in once."""
    parts.worktable.insert([asked(f"R-{number}") for number in range(200)])
    with ThreadPoolExecutor(4) as pool:
        pollers = [poll(parts) for _ in range(4)]
        published = sum(pool.map(lambda stage: sum(iter(stage.run_once, 0)), pollers))
    stage = accept(parts)
    taken = sum(iter(lambda: stage.run_once(0), 0))

    assert taken == published >= 200
    assert len(pending(parts)) == 200
    assert list(parts.ledger.records.verify()) == []
