from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from contracts.ledger import LedgerContract

if TYPE_CHECKING:
    from pathlib import Path

    from reportbus.adapters.ledger.sql import SqlLedger


class TestSqliteLedger(LedgerContract):
    @pytest.fixture
    def ledger_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'ledger.db'}"

    def undefended(self, ledger: SqlLedger) -> None:
        with ledger.database.engine.begin() as connection:
            for name in ("audit_log_no_update", "audit_log_no_delete"):
                connection.execute(text(f"DROP TRIGGER {name}"))
