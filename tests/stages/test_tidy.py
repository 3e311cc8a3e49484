from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.bus.sqlite import SqliteBus
from reportbus.adapters.clock import ManualClock, SystemClock
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.ports import Message
from reportbus.stages.tidy import Tidy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86_400.0
TOPICS = ("asked", "staged")
KEY = "reports/R-1/1/1/sales.csv"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now())


@pytest.fixture
def bus(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteBus]:
    with closing(SqliteBus(tmp_path / "bus.db", clock)) as bus:
        yield bus


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[FolderStaging]:
    with closing(FolderStaging(tmp_path / "staging")) as staging:
        yield staging


@pytest.fixture
def tidy(staging: FolderStaging, bus: SqliteBus, clock: ManualClock) -> Tidy:
    return Tidy(staging=staging, bus=bus, clock=clock, staging_days=7, bus_days=3, topics=TOPICS)


def stage(staging: FolderStaging) -> None:
    with staging.writer(KEY, limit=100) as writer:
        writer.write(b"bytes")
        staging.publish([writer])


def read_all(bus: SqliteBus, topic: str) -> None:
    """One message, taken and committed by a group."""
    with closing(bus.subscribe(topic, "group")) as consumer:
        bus.publish(topic, [Message("R-1", "{}")])
        consumer.commit(consumer.poll(10, 0))


def kept(bus: SqliteBus) -> list[int]:
    """How many messages each topic still has: what a new group has before it."""
    return [bus.depth(topic, "new") for topic in TOPICS]


def test_staged_files_go_once_they_are_as_old_as_they_are_kept(
    tidy: Tidy, staging: FolderStaging, clock: ManualClock
) -> None:
    stage(staging)
    clock.advance(6.9 * DAY)
    tidy.run_once()
    assert staging.find(KEY) is not None
    clock.advance(0.2 * DAY)
    tidy.run_once()
    assert staging.find(KEY) is None


def test_messages_of_every_topic_go_once_they_are_as_old_as_they_are_kept(
    tidy: Tidy, bus: SqliteBus, clock: ManualClock
) -> None:
    for topic in TOPICS:
        read_all(bus, topic)
    clock.advance(2.9 * DAY)
    tidy.run_once()
    assert kept(bus) == [1, 1]
    clock.advance(0.2 * DAY)
    tidy.run_once()
    assert kept(bus) == [0, 0]


def test_a_message_that_a_group_has_not_committed_stays(
    tidy: Tidy, bus: SqliteBus, clock: ManualClock
) -> None:
    bus.subscribe("asked", "slow")
    read_all(bus, "asked")
    clock.advance(30 * DAY)
    tidy.run_once()
    assert kept(bus) == [1, 0]


def test_it_never_asks_to_be_run_again_at_once(tidy: Tidy, bus: SqliteBus, clock: ManualClock) -> None:
    read_all(bus, "asked")
    clock.advance(timedelta(days=30).total_seconds())
    assert tidy.run_once() == 0
