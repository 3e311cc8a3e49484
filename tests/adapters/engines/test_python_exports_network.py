"""A network that takes what is sent to PostgreSQL and never gives an answer: nobody waits for ever."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import make_url

from adapters.engines.export_bench import ExportBench, MemorySink
from adapters.engines.export_sources import ENDLESS
from reportbus.adapters.clock import ManualClock
from reportbus.adapters.postgresql import Session
from reportbus.core.errors import ReportbusError
from servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_SECONDS = 30.0


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    port = make_url(postgres_url).port
    assert port is not None
    with Proxy(port) as proxy:
        yield proxy


def under_way(url: str) -> bool:
    """Whether the server is at a query's rows."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        looked = connection.execute(
            """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
               AND query LIKE 'FETCH%' AND pid <> pg_backend_pid()"""
        )
        return looked.fetchone() is not None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgresql", "sqlalchemy"])
@pytest.mark.parametrize("end", ["ConnectionTimeout", "RUN_CANCELLED"])
def test_a_query_whose_network_swallows_everything_ends_all_the_same(
    kind: str, end: str, postgres_url: str, proxy: Proxy
) -> None:
    """The server cannot be asked to end the query either."""
    clock = ManualClock()
    bench = ExportBench({"kind": kind, "url": proxy.url(postgres_url)}, clock)
    engine = bench.engine(sql=ENDLESS["postgresql"])
    swallowed = threading.Event()
    raised: list[str] = []

    def cancelled() -> bool:
        if not swallowed.is_set() and under_way(postgres_url):
            proxy.swallow()
            swallowed.set()
            if end == "ConnectionTimeout":
                clock.advance(61)
        return swallowed.is_set() and end == "RUN_CANCELLED"

    def make() -> None:
        try:
            engine.generate(bench.work("CSV", seconds=60, cancelled=cancelled), MemorySink())
        except ReportbusError as error:
            raised.append(error.code)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join(LIMIT_SECONDS)
    hangs = thread.is_alive()
    proxy.heal()
    proxy.break_all()
    thread.join(LIMIT_SECONDS)
    assert not hangs
    assert raised == [end]
    bench.close()
    gc.collect()  # a cursor that was left open would tell of itself now


def test_a_session_that_is_at_no_query_waits_for_no_answer_for_ever(postgres_url: str, proxy: Proxy) -> None:
    address = proxy.url(postgres_url).replace("+psycopg", "")
    with Session.opened((address,), {}, reply_seconds=0.5, settings={}) as session:
        with session.unhurried():
            assert session.execute("SELECT pg_sleep(1)").fetchone() == ("",)
        proxy.swallow()
        with pytest.raises(Exception, match="has not answered within"):
            session.execute("SELECT 1")
