from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contracts.ledger_records import LedgerRecordsContract

if TYPE_CHECKING:
    from pathlib import Path


class TestSqliteRecords(LedgerRecordsContract):
    @pytest.fixture
    def ledger_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'ledger.db'}"


class TestPostgresqlRecords(LedgerRecordsContract):
    @pytest.fixture
    def ledger_url(self, postgres_url: str) -> str:
        return postgres_url
