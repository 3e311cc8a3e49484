"""A line that is started while its ledger is away, or would never be there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from flows.judge import judge
from flows.line_process import LOG
from flows.load import mixed
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Permanent, Transient

if TYPE_CHECKING:
    from pathlib import Path

    from flows.faults.conftest import StandOn
    from flows.stand import Stand
    from servers.postgres import PostgresServer

STOPPED_BY_ERROR = 1
NO_HOST = ".".join(letter * 60 for letter in "abcde")
"""Longer than a name may be: nobody need be asked for its address."""


def said(stand: Stand, text: str) -> bool:
    """Whether a process has logged this."""
    log = stand.home / LOG
    return log.exists() and text in log.read_text()


def published(stand: Stand) -> int:
    """How many rows the poller has put on the bus."""
    with closing(sqlite3.connect(stand.home / "worktable.db")) as connection:
        query = "SELECT count(*) FROM REPORT_REQUESTS WHERE PROCESSED_AT IS NOT NULL"
        return int(connection.execute(query).fetchone()[0])


def test_a_line_that_is_started_before_its_ledger_waits_for_it(
    own_server: PostgresServer, stand_on: StandOn
) -> None:
    with own_server.database() as url:
        schema.upgrade_url(url, SystemClock())
        stand = stand_on(url)
        stand.submit(mixed(20))
        own_server.stop()
        stand.start("poller", "orchestrator")
        stand.start("generator", "distributor", "notifier")
        stand.until(lambda: said(stand, "the ledger does not answer"), "it waits")
        own_server.start()
        stand.until(lambda: said(stand, "the ledger answers again"), "it goes on")
        stand.drain()
        stand.stop()
        judge(stand, more_asks=0)


def test_a_line_that_waits_for_its_ledger_can_be_stopped(
    own_server: PostgresServer, stand_on: StandOn
) -> None:
    with own_server.database() as url:
        schema.upgrade_url(url, SystemClock())
        stand = stand_on(url)
        own_server.stop()
        stand.start()
        stand.until(lambda: said(stand, "the ledger does not answer"), "it waits")
        stand.stop()
        own_server.start()


def test_a_poller_needs_no_ledger(own_server: PostgresServer, stand_on: StandOn) -> None:
    own_server.stop()
    stand = stand_on(own_server.url("nowhere"))
    stand.submit(mixed(5))
    stand.start("poller")
    stand.until(lambda: published(stand) == 5, "the rows are on the bus")
    stand.stop()
    own_server.start()

    assert not said(stand, "the ledger does not answer")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("password", "password authentication failed"),
        ("role", "password authentication failed|does not exist"),
        ("database", 'database "nowhere" does not exist'),
        ("host", "failed to resolve host"),
    ],
)
def test_no_waiting_brings_a_ledger_whose_address_is_wrong(
    postgres_server: PostgresServer, wrong: str, says: str
) -> None:
    url = postgres_server.url("postgres")
    parts = urlsplit(url)
    assert parts.password
    assert parts.username
    match wrong:
        case "password":
            url = url.replace(f":{parts.password}@", ":wrong@")
        case "role":
            url = url.replace(f"//{parts.username}:", "//nobody:")
        case "database":
            url = url.removesuffix("postgres") + "nowhere"
        case _:
            url = url.replace("@127.0.0.1:", f"@{NO_HOST}:")

    with pytest.raises(Permanent, match=f"SYS_LEDGER.*({says})"):
        SqlLedger(url, SystemClock())


def test_a_server_that_is_not_there_yet_may_come(own_server: PostgresServer) -> None:
    own_server.stop()
    with pytest.raises(Transient):
        SqlLedger(own_server.url("postgres"), SystemClock())
    own_server.start()
    with pytest.raises(Permanent, match="SYS_SCHEMA"):
        SqlLedger(own_server.url("postgres"), SystemClock())


def test_no_waiting_brings_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="SYS_LEDGER"):
        SqlLedger(f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}", SystemClock())


def test_a_line_on_a_ledger_of_another_schema_ends_at_once(postgres_url: str, stand_on: StandOn) -> None:
    stand = stand_on(postgres_url)
    process = stand.start()
    process.join(20)

    assert STOPPED_BY_ERROR == process.exitcode
    assert said(stand, "SYS_SCHEMA")
    stand.processes.remove(process)
