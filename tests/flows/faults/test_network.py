"""The network between the line and its PostgreSQL: it cuts, swallows, is slow; the server ends sessions."""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from random import Random
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from flows.judge import judge
from flows.load import mixed
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger.database import Database
from reportbus.core.errors import Transient
from servers.proxy import Cut
from waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flows.faults.conftest import StandOn
    from flows.stand import Stand
    from servers.proxy import Proxy

REQUESTS: Final = 80
REPLY: Final = 0.5
LEASE: Final = 2
GRACE: Final = 1
LOOKING: Final = "looking"

CHECKPOINT: Final = ("ServiceUnavailable",)
"""An engine that cannot save where it stands gives up this attempt, and the next one comes."""

SESSIONS: Final = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> %s"""


@pytest.fixture
def line(empty_ledger: str, proxy: Proxy, stand_on: StandOn) -> Stand:
    """Two processes of the line at work behind the proxy; whoever looks at it is not behind it."""
    stand = stand_on(
        f"{empty_ledger}?application_name={LOOKING}",
        ledger__url=proxy.url(empty_ledger),
        worker__lease_seconds=LEASE,
        stop__grace_seconds=GRACE,
    )
    stand.submit(mixed(REQUESTS))
    stand.start()
    stand.start()
    stand.until(lambda: stand.ended() > 5, "it works")
    return stand


@contextmanager
def meanwhile(do: Callable[[], object], every: float) -> Iterator[None]:
    """Do something again and again while the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(every):
            do()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def one(database: Database) -> int:
    with database.write() as connection:
        return int(connection.exec_driver_sql("SELECT 1").scalar_one())


def test_a_server_that_never_answers_is_given_up(empty_ledger: str, proxy: Proxy) -> None:
    """It takes what it is sent, so that the system sees nothing wrong with the connection."""
    with closing(Database(proxy.url(empty_ledger), SystemClock(), reply=REPLY)) as database:
        assert 1 == one(database)
        proxy.swallow()
        started = time.monotonic()
        with pytest.raises(Transient, match="has not answered"):
            one(database)
        assert time.monotonic() - started < LIMIT_SECONDS
        proxy.heal()
        assert 1 == one(database)


def test_commits_cut_at_random_lose_and_double_nothing(line: Stand, proxy: Proxy) -> None:
    random = Random(7)  # noqa: S311 - the same each time
    with meanwhile(lambda: proxy.cut_next(*[None] * random.randrange(6), random.choice(list(Cut))), 0.1):
        line.until(lambda: line.ended() > REQUESTS * 3 // 4, "most have ended")
    proxy.forgive()
    line.drain()
    line.stop()

    assert proxy.cut > 3
    judge(line, more_asks=4, errors=CHECKPOINT)


def test_a_network_that_swallows_everything_for_a_while_loses_and_doubles_nothing(
    line: Stand, proxy: Proxy
) -> None:
    """For longer than the lease: the workers stop by themselves, and nothing is done twice by that."""
    proxy.swallow()
    threading.Event().wait(LEASE + 1)
    proxy.heal()
    line.drain()
    line.stop()

    judge(line, more_asks=4, errors=CHECKPOINT)


def test_a_slow_network_makes_the_line_slow_and_nothing_else(line: Stand, proxy: Proxy) -> None:
    proxy.delay(0.02)
    line.until(lambda: line.ended() > 15, "it works slowly")
    proxy.heal()
    line.drain()
    line.stop()

    judge(line)


def test_sessions_that_the_server_ends_at_random_lose_and_double_nothing(
    line: Stand, empty_ledger: str
) -> None:
    """Also those that show that a worker lives: others take its jobs, and what it still says is refused."""
    random = Random(11)  # noqa: S311 - the same each time
    with closing(psycopg.connect(empty_ledger.replace("+psycopg", ""), autocommit=True)) as server:

        def end_one() -> None:
            if found := server.execute(SESSIONS, (LOOKING,)).fetchall():
                server.execute("SELECT pg_terminate_backend(%s)", random.choice(found))

        with meanwhile(end_one, 0.1):
            line.until(lambda: line.ended() > REQUESTS * 3 // 4, "most have ended")
    line.drain()
    line.stop()

    judge(line, more_asks=4, errors=CHECKPOINT)


def test_a_stop_ends_although_the_database_does_not_answer(line: Stand, proxy: Proxy) -> None:
    (first, _) = line.processes
    proxy.swallow()
    line.stop(first, within=GRACE + LIMIT_SECONDS, code=1)
    proxy.heal()
    line.start()
    line.drain()
    line.stop()

    judge(line, more_asks=2, errors=CHECKPOINT)
