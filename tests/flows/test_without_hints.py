from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from flows.judge import judge
from flows.load import mixed
from reportbus.adapters.bus.sqlite import SqliteBus
from reportbus.adapters.clock import SystemClock
from reportbus.wiring.roles import ROLES

if TYPE_CHECKING:
    from flows.conftest import MakeStand
    from flows.stand import Stand


def test_with_every_wakeup_switched_off_all_requests_end(make_stand: MakeStand) -> None:
    stand = make_stand(wakeups="false")
    stand.submit(mixed(30))
    stand.start()
    stand.drain()
    stand.submit(mixed(30, "S"))
    stand.drain()
    stand.stop()

    judge(stand)


def test_with_every_wakeup_switched_off_roles_apart_find_their_work(make_stand: MakeStand) -> None:
    stand = make_stand(wakeups="false")
    for role in ROLES:
        stand.start(role)
    stand.submit(mixed(40))
    stand.drain()
    stand.stop()

    judge(stand)


@pytest.mark.parametrize("told", [0, 10])
def test_each_report_is_distributed_once_however_often_staging_tells_of_it(stand: Stand, told: int) -> None:
    stand.submit(mixed(60))
    stand.start(told=told)
    stand.drain()
    stand.stop()

    judge(stand)


def test_requests_that_the_bus_lost_are_published_again(make_stand: MakeStand) -> None:
    """All messages and all offsets are gone, with every request in them."""
    stand = make_stand(poll__republish_seconds=0.5)
    stand.submit(mixed(40))
    stand.start("poller")
    with closing(SqliteBus(stand.home / "bus.db", SystemClock())) as bus:
        stand.until(lambda: bus.depth("report-requests", "reportbus") >= 40, "all are on the bus")
    with closing(sqlite3.connect(stand.home / "bus.db", timeout=20)) as connection:
        connection.executescript("DELETE FROM messages; DELETE FROM consumer_groups; DELETE FROM holds")
    stand.start("orchestrator", "generator", "distributor", "notifier")
    stand.drain()
    stand.stop()

    judge(stand)


def test_a_bus_that_is_emptied_again_and_again_loses_no_request(make_stand: MakeStand) -> None:
    stand = make_stand(poll__republish_seconds=0.5)
    stand.start()
    for number in range(3):
        stand.submit(mixed(30, f"R{number}"))
        stand.until(lambda: stand.ended() > len(stand.asked) - 28, "the line is busy")
        with closing(sqlite3.connect(stand.home / "bus.db", timeout=20)) as connection:
            connection.execute("DELETE FROM messages")
            connection.commit()
    stand.drain()
    stand.stop()

    judge(stand)


def test_a_bus_whose_file_is_deleted_loses_no_request(make_stand: MakeStand) -> None:
    """The processes that have it open go on with a new one, as do those that start later."""
    stand = make_stand(poll__republish_seconds=0.5)
    stand.submit(mixed(40))
    stand.start("poller")
    gone = stand.start("orchestrator")
    stand.start("generator", "distributor", "notifier")
    stand.until(lambda: stand.ended() > 5, "the line is busy")
    for path in stand.home.glob("bus.db*"):
        if path.is_file():
            path.unlink()
    stand.submit(mixed(20, "S"))
    stand.kill(gone)
    stand.start("orchestrator")
    stand.drain()
    stand.stop()

    judge(stand)
