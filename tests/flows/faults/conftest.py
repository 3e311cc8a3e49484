"""Stands on a PostgreSQL of the test's own, which may be stopped, and behind a proxy, which may cut."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Protocol

import pytest

from flows.stand import Stand
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema
from servers.parts import PartMissing, leave_out
from servers.postgres import PostgresServer, start_postgres
from servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StandOn(Protocol):
    """Makes the stand of a test on a ledger at this address."""

    def __call__(self, url: str, **options: object) -> Stand:
        """With settings by their names: `worker__lease_seconds=1`."""


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test alone."""
    try:
        server = start_postgres()
    except PartMissing as missing:
        leave_out(missing)
    yield server
    server.close()


@pytest.fixture
def empty_ledger(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty ledger on the PostgreSQL that the tests share."""
    with postgres_server.database(postgres_server.template("ledger", _upgrade)) as url:
        yield url


@pytest.fixture
def sqlite_ledger(tmp_path: Path, sqlite_template: Path) -> str:
    """The address of an empty ledger in a SQLite file."""
    path = shutil.copyfile(sqlite_template, tmp_path / "ledger.db")
    return f"sqlite:///{path}"


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[Proxy]:
    """A network in front of the PostgreSQL that the tests share."""
    with Proxy(postgres_server.port) as proxy:
        yield proxy


@pytest.fixture
def stand_on(tmp_path: Path) -> Iterator[StandOn]:
    """Makes the test's stand on the ledger that it names; it is taken down at the end."""
    made: list[Stand] = []

    def make(url: str, **options: object) -> Stand:
        variables = {f"REPORTBUS_{name.upper()}": str(value) for name, value in options.items()}
        stand = Stand(tmp_path, url, variables)
        made.append(stand.__enter__())
        return stand

    yield make
    for stand in made:
        stand.__exit__(None, None, None)


def _upgrade(url: str) -> None:
    schema.upgrade_url(url, SystemClock())
