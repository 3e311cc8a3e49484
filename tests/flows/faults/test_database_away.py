from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from flows.judge import judge
from flows.line_process import LOG
from flows.load import mixed
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema
from servers.proxy import Proxy

if TYPE_CHECKING:
    from flows.faults.conftest import StandOn
    from flows.stand import Stand
    from servers.postgres import PostgresServer

REQUESTS: Final = 200
ATTEMPTS: Final = 24
"""So many attempts to connect are waited for while the database is away."""

SECONDS: Final = 1.0
"""They have to take longer than that: two processes with five loops each."""


def lines_said(stand: Stand) -> int:
    return (stand.home / LOG).read_text().count("\n")


@pytest.mark.parametrize("immediate", [False, True])
def test_a_database_that_is_stopped_under_load_costs_time_and_nothing_else(
    own_server: PostgresServer, stand_on: StandOn, *, immediate: bool
) -> None:
    """The line pauses without a busy loop and without filling its log, and then goes on by itself."""
    with own_server.database() as url, Proxy(own_server.port) as proxy:
        schema.upgrade_url(url, SystemClock())
        stand = stand_on(proxy.url(url))
        stand.submit(mixed(REQUESTS))
        stand.start()
        stand.start()
        stand.until(lambda: stand.ended() > REQUESTS // 4, "a quarter has ended")

        own_server.stop(immediate=immediate)
        stopped, lines = time.monotonic(), lines_said(stand)
        wanted = proxy.accepted + ATTEMPTS
        stand.until(lambda: proxy.accepted >= wanted, "all loops have tried again and again")
        assert time.monotonic() - stopped > SECONDS
        assert lines_said(stand) - lines < ATTEMPTS + 12

        own_server.start()
        stand.ledger.database.engine.dispose()
        stand.drain()
        stand.stop()
        judge(stand, more_asks=2)
