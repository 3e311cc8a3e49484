"""Looking at a ledger that may not be there yet, without making or changing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reportbus.adapters.ledger.database import Database
from reportbus.adapters.ledger.lasting import opening
from reportbus.adapters.ledger.revision import looked_up, require_current

if TYPE_CHECKING:
    from reportbus.ports import Clock


def looked_at(url: str, clock: Clock) -> Database | None:
    """The ledger's database, with this version's schema; None where an embedded one was not made yet.

    Raises Permanent SYS_SCHEMA for another schema, SYS_LEDGER where it cannot be reached and never will be,
    Transient where it may be later.
    """
    database = Database(url, clock)
    try:
        if _stands(database):
            with opening():
                require_current(database)
            return database
    except BaseException:
        database.close()
        raise
    database.close()
    return None


def _stands(database: Database) -> bool:
    if database.dialect.name != "sqlite":
        return True
    file = Path(database.url.database or "")
    return file.exists() and looked_up(file) is not None
