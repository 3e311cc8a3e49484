from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.clock import ManualClock
from reportbus.core.errors import Transient
from reportbus.core.intake import RawRow, row_from_text
from reportbus.core.intake.message import MAX_MESSAGE
from reportbus.stages.poll import Poll
from stages.embedded import TOPIC, Embedded, asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reportbus.ports import Bus, Clock, Message


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path) as embedded:
        yield embedded


def poll(
    parts: Embedded,
    *,
    bus: Bus | None = None,
    clock: Clock | None = None,
    batch: int = 100,
    per_second: int = 100,
) -> Poll:
    return Poll(
        worktable=parts.worktable,
        bus=bus or parts.bus,
        clock=clock or parts.clock,
        topic=TOPIC,
        batch=batch,
        republish_seconds=600,
        republish_per_second=per_second,
    )


def messages(parts: Embedded, group: str = "reader") -> list[Message]:
    consumer = parts.bus.subscribe(TOPIC, group)
    found: list[Message] = []
    while (batch := consumer.poll(1_000, 0)).messages:
        found += batch.messages
        consumer.commit(batch)
    consumer.close()
    return found


def rows(parts: Embedded) -> list[RawRow]:
    return [row_from_text(message.body) for message in messages(parts)]


class NoBus:
    """A bus that does not answer."""

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        raise Transient("ServiceUnavailable", "the bus is away")


def test_each_pending_row_is_published_once_with_its_targets(parts: Embedded, tmp_path: Path) -> None:
    parts.worktable.insert([asked("R-1"), asked("R-2"), asked("R-3", STATUS="FAILED")])
    with closing(sqlite3.connect(tmp_path / "worktable.db")) as people, people:
        insert = "INSERT INTO DISTRIBUTION_CONFIG (CONFIG_ID, REQUEST_ID, TARGET_TYPE) VALUES (?, ?, ?)"
        people.execute(insert, ("C-1", "R-2", "NAS"))
    stage = poll(parts)

    assert stage.run_once() == 2
    assert stage.run_once() == 0
    first, second = rows(parts)
    assert first.columns["PARAMETERS"] == '{"region":"N"}'
    assert first.distribution == ()
    assert second.distribution[0]["CONFIG_ID"] == "C-1"


def test_rows_are_published_in_batches(parts: Embedded) -> None:
    parts.worktable.insert([asked(f"R-{number}") for number in range(5)])
    stage = poll(parts, batch=2)

    assert [stage.run_once() for _ in range(4)] == [2, 2, 1, 0]


def test_a_row_that_stays_pending_is_published_again(parts: Embedded) -> None:
    parts.worktable.insert([asked("R-1")])
    clock = ManualClock(parts.clock.now())
    stage = poll(parts, clock=clock)

    assert stage.run_once() == 1
    clock.advance(599)
    assert stage.run_once() == 0
    clock.advance(2)
    assert stage.run_once() == 1
    assert len(messages(parts)) == 2


def test_new_rows_go_before_those_that_are_published_again_and_not_in_their_place(parts: Embedded) -> None:
    parts.worktable.insert([asked(f"old-{number}") for number in range(4)])
    clock = ManualClock(parts.clock.now())
    stage = poll(parts, clock=clock, batch=2, per_second=2)
    assert [stage.run_once() for _ in range(3)] == [2, 2, 0]
    messages(parts)
    clock.advance(601)
    parts.worktable.insert([asked(f"new-{number}") for number in range(4)])

    assert [stage.run_once() for _ in range(3)] == [4, 2, 0]
    found = [str(row.columns["REQUEST_ID"]) for row in rows(parts)]
    assert found == ["new-0", "new-1", "old-0", "old-1", "new-2", "new-3"]


def test_a_backlog_is_published_again_at_a_bounded_pace_and_each_row_gets_its_turn(parts: Embedded) -> None:
    parts.worktable.insert([asked(f"R-{number}") for number in range(30)])
    clock = ManualClock(parts.clock.now())
    stage = poll(parts, clock=clock, per_second=2)
    assert stage.run_once() == 30
    messages(parts)
    clock.advance(601)

    taken = []
    for _ in range(20):
        taken.append(stage.run_once())
        clock.advance(1)
    assert sum(taken[:5]) <= 10
    assert sum(taken) == 30
    assert {row.columns["REQUEST_ID"] for row in rows(parts)} == {f"R-{number}" for number in range(30)}


def test_a_row_that_moved_on_is_not_published_again(parts: Embedded) -> None:
    parts.worktable.insert([asked("R-1")])
    clock = ManualClock(parts.clock.now())
    stage = poll(parts, clock=clock)
    stage.run_once()
    with closing(sqlite3.connect(parts.worktable._database.path)) as people, people:
        people.execute("UPDATE REPORT_REQUESTS SET STATUS = 'IN_PROGRESS'")
    clock.advance(10_000)

    assert stage.run_once() == 0


def test_nothing_is_stamped_while_the_bus_is_away(parts: Embedded) -> None:
    parts.worktable.insert([asked("R-1")])

    with pytest.raises(Transient):
        poll(parts, bus=NoBus()).run_once()  # type: ignore[arg-type]  # all a poller uses
    assert poll(parts).run_once() == 1


def test_an_empty_worktable_leaves_the_bus_alone(parts: Embedded) -> None:
    assert poll(parts, bus=NoBus()).run_once() == 0  # type: ignore[arg-type]  # all a poller uses


def test_rows_of_one_request_id_have_one_key_and_rows_without_have_their_own(parts: Embedded) -> None:
    parts.worktable.insert([asked("R-1"), asked("R-1 "), asked(None), asked(None), asked("x" * 500 + "\n")])
    poll(parts).run_once()
    keys = sorted(message.key for message in messages(parts))

    assert keys.count("R-1") == 2
    assert len(set(keys)) == 4
    assert all(len(key) <= 100 for key in keys)


def test_odd_values_of_a_table_anybody_writes_to_pass_through_and_are_judged_later(
    parts: Embedded, tmp_path: Path
) -> None:
    odd = [b'{"region":"N"}', b"\xff\xfe", 1.5, float("inf"), "\x00", None, 2**62, "x" * 16_000_000]
    with closing(sqlite3.connect(tmp_path / "worktable.db")) as people, people:
        insert = (
            "INSERT INTO REPORT_REQUESTS (REQUEST_ID, REPORT_TYPE, REPORT_NAME, PARAMETERS)"
            " VALUES (?, 'PYTHON', 'sales', ?)"
        )
        people.executemany(insert, [(f"R-{number}", value) for number, value in enumerate(odd)])

    assert poll(parts).run_once() == len(odd)
    found = messages(parts)
    assert all(len(message.body.encode()) <= MAX_MESSAGE for message in found)
    assert len([row_from_text(message.body) for message in found]) == len(odd)


def test_a_topic_wiped_with_messages_in_it_costs_time_and_no_request(parts: Embedded) -> None:
    parts.worktable.insert([asked("R-1")])
    clock = ManualClock(parts.clock.now())
    stage = poll(parts, clock=clock)
    stage.run_once()
    assert parts.bus.trim(TOPIC, clock.now() + timedelta(days=1)) >= 0
    messages(parts, "lost")
    clock.advance(601)

    assert stage.run_once() == 1
