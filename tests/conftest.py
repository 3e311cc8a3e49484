"""What every test may ask for, and what the end of a run says about the parts that were left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from servers.parts import PartMissing, leave_out
from servers.postgres import PostgresServer, start_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL, one for each process of a parallel run."""
    try:
        server = start_postgres()
    except PartMissing as missing:
        leave_out(missing)
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a fresh, empty database: `postgresql+psycopg://...`. It is dropped afterwards."""
    with postgres_server.database() as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was left out, each reason once."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.getreports("skipped")
        if isinstance(report, pytest.TestReport) and isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("left out here")
        for reason, count in reasons.most_common():
            terminalreporter.line(f"{count} {'test' if count == 1 else 'tests'}: {reason}")
