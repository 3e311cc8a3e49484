from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import exc, select

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema, tables
from reportbus.adapters.ledger.database import Database, our_errors
from reportbus.core.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    schema.upgrade_url(url, SystemClock())
    with closing(Database(url, SystemClock())) as made:
        yield made


def test_a_bug_of_ours_is_not_taken_for_a_database_that_is_away(database: Database) -> None:
    with pytest.raises(exc.NoResultFound), database.read() as connection:
        connection.execute(select(tables.requests)).one()
    with pytest.raises(exc.ArgumentError), database.write() as connection:
        connection.execute("SELECT 1")  # type: ignore[call-overload] # that is the bug


def test_a_connection_that_is_long_in_coming_may_come_later() -> None:
    with pytest.raises(Transient, match=r"ServiceUnavailable.*limit of size 8") as raised, our_errors():
        raise exc.TimeoutError("QueuePool limit of size 8 overflow 4 reached, connection timed out")

    assert "\n" not in str(raised.value)
