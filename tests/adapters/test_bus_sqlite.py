from __future__ import annotations

import functools
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.bus import BusContract
from contracts.bus_member import remote_member
from contracts.bus_messages import GROUP, TOPIC, drain, keys, messages, numbered, take
from reportbus.adapters.bus.sqlite import SqliteBus
from reportbus.adapters.bus.sqlite_consumer import HOLD_SECONDS, MAX_BATCH
from reportbus.adapters.clock import ManualClock, SystemClock
from reportbus.core.errors import Permanent
from reportbus.ports import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reportbus.ports import Bus


@pytest.fixture
def clock() -> ManualClock:
    """It starts now: members in other processes go by the machine's clock."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bus.db"


@pytest.fixture
def bus(path: Path, clock: ManualClock) -> Iterator[SqliteBus]:
    with closing(SqliteBus(path, clock)) as bus:
        yield bus


@pytest.fixture
def open_bus(path: Path) -> Callable[[], Bus]:
    return functools.partial(SqliteBus, path, SystemClock())


@pytest.fixture
def later(clock: ManualClock) -> Callable[[], datetime]:
    def later() -> datetime:
        clock.advance(1)
        return clock.now()

    return later


@pytest.fixture
def lapse(clock: ManualClock) -> Callable[[], None]:
    return functools.partial(clock.advance, HOLD_SECONDS)


class TestSqliteBus(BusContract):
    pass


def rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608 - a test's own name
    return count


def test_a_batch_costs_one_row_however_many_messages_it_has(bus: SqliteBus, path: Path) -> None:
    bus.publish(TOPIC, numbered(500))
    consumer = bus.subscribe(TOPIC, GROUP)
    batch = consumer.poll(500, 0)
    assert (len(batch.messages), rows(path, "holds")) == (500, 1)
    consumer.commit(batch)
    assert rows(path, "holds") == 0


def test_a_batch_of_large_messages_ends_early_so_that_memory_stays_small(bus: SqliteBus) -> None:
    count = MAX_BATCH // 250_000 + 2
    bus.publish(TOPIC, [Message(str(number), "x" * 250_000) for number in range(count)])
    consumer = bus.subscribe(TOPIC, GROUP)
    first = take(consumer)
    assert 1 < len(first) < count
    assert len(first) + len(take(consumer)) == count


def test_what_a_dead_process_left_is_tidied_up(
    bus: SqliteBus, path: Path, open_bus: Callable[[], Bus]
) -> None:
    members = path.with_name("bus.db-members")
    with remote_member(open_bus, TOPIC, GROUP) as member:
        member.ready()
        assert len(list(members.iterdir())) == 1
        member.kill()
        with closing(bus.subscribe(TOPIC, GROUP)):
            assert len(list(members.iterdir())) == 1
    assert list(members.iterdir()) == []


def test_a_member_that_holds_a_batch_in_another_process_is_not_taken_for_dead(
    bus: SqliteBus, open_bus: Callable[[], Bus]
) -> None:
    bus.publish(TOPIC, messages("1"))
    with remote_member(open_bus, TOPIC, GROUP) as member:
        assert member.poll(1, 10) == ["1"]
        consumers = [bus.subscribe(TOPIC, GROUP) for _ in range(3)]
        assert [keys(consumer.poll(1, 0.3)) for consumer in consumers] == [[], [], []]


def test_a_topic_that_somebody_emptied_goes_on_with_the_next_message(bus: SqliteBus, path: Path) -> None:
    bus.publish(TOPIC, messages("1", "2"))
    ann, ben = (bus.subscribe(TOPIC, GROUP) for _ in range(2))
    ann.poll(1, 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM messages")
        connection.execute("DELETE FROM consumer_groups")
    ann.close()
    bus.publish(TOPIC, messages("3"))
    assert drain(ben) == ["3"]
    assert bus.depth(TOPIC, GROUP) == 0


def test_many_messages_are_trimmed_in_steps(bus: SqliteBus, clock: ManualClock) -> None:
    bus.publish(TOPIC, [Message("", "") for _ in range(25_000)])
    assert bus.trim(TOPIC, clock.now() + timedelta(seconds=1)) == 25_000
    assert bus.depth(TOPIC, GROUP) == 0


def test_a_file_with_other_tables_is_refused(path: Path, clock: ManualClock) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE messages (id, topic, at, key, content)")
    with pytest.raises(Permanent, match="BODY") as refused:
        SqliteBus(path, clock)
    assert refused.value.code == "SYS_BUS_SCHEMA"


def test_a_file_that_is_no_database_is_refused(path: Path, clock: ManualClock) -> None:
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(Permanent) as refused:
        SqliteBus(path, clock)
    assert refused.value.code == "SYS_BUS"


def test_a_place_for_members_that_is_no_folder_is_named(bus: SqliteBus, path: Path) -> None:
    path.with_name("bus.db-members").write_text("")
    with pytest.raises(Permanent, match="db-members") as refused:
        bus.subscribe(TOPIC, GROUP)
    assert refused.value.code == "SYS_BUS"
