from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from contracts.ledger import LedgerContract

if TYPE_CHECKING:
    from reportbus.adapters.ledger.sql import SqlLedger


class TestPostgresqlLedger(LedgerContract):
    @pytest.fixture
    def ledger_url(self, postgres_url: str) -> str:
        return postgres_url

    def undefended(self, ledger: SqlLedger) -> None:
        with ledger.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
