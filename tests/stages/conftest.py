"""What tests of the stages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema
from reportbus.adapters.ledger.sql import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    """An empty ledger on SQLite, on the machine's clock."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    schema.upgrade_url(url, SystemClock())
    ledger = SqlLedger(url, SystemClock())
    yield ledger
    ledger.close()
