"""A stand for each test, on each ledger."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from flows.stand import Stand
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.postgres import PostgresServer


class MakeStand(Protocol):
    """Makes the stand of a test."""

    def __call__(self, **options: object) -> Stand:
        """With settings by their names: `worker__lease_seconds=1`."""


TEST_SECONDS = 240
"""A test has waits of its own, which say what did not come; this is for those that hang."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of this folder take their time on a busy machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger in a SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    schema.upgrade_url(f"sqlite:///{path}", SystemClock())
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The address of an empty ledger."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copyfile(sqlite_template, path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    template = server.template("ledger", _upgrade)
    with server.database(template) as url:
        yield url


def _upgrade(url: str) -> None:
    schema.upgrade_url(url, SystemClock())


@pytest.fixture
def make_stand(tmp_path: Path, ledger_url: str) -> Iterator[MakeStand]:
    """Makes the test's stand, which is taken down at the end."""
    made: list[Stand] = []

    def make(**options: object) -> Stand:
        variables = {f"REPORTBUS_{name.upper()}": str(value) for name, value in options.items()}
        stand = Stand(tmp_path, ledger_url, variables)
        made.append(stand.__enter__())
        return stand

    yield make
    for stand in made:
        stand.__exit__(None, None, None)


@pytest.fixture
def stand(make_stand: MakeStand) -> Stand:
    """The stand, with the usual settings."""
    return make_stand()
