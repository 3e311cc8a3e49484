"""The ledger on SQLite and PostgreSQL, put together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from reportbus.adapters.ledger.contents import Contents
from reportbus.adapters.ledger.database import IDLE_SECONDS, Database
from reportbus.adapters.ledger.doorbell import FileChanges, Silence
from reportbus.adapters.ledger.intake import SqlIntake
from reportbus.adapters.ledger.lasting import opening
from reportbus.adapters.ledger.liveness import AdvisoryLocks, FileLocks
from reportbus.adapters.ledger.operations import SqlOperations
from reportbus.adapters.ledger.records import SqlRecords
from reportbus.adapters.ledger.revision import require_current
from reportbus.adapters.ledger.work import SqlWorkLedger
from reportbus.core.lifecycle import Policies

if TYPE_CHECKING:
    from reportbus.adapters.ledger.doorbell import Doorbell
    from reportbus.adapters.ledger.liveness import Liveness
    from reportbus.ports import Clock

LEASE_SECONDS: Final = 60.0
DEADLINE_SECONDS: Final = 86_400.0


class SqlLedger:
    """One ledger database and its faces: `intake`, `operations`, `records`, and a `worker` for each.

    `deadline_seconds` is what the run that a retry opens has from then on; the first run's comes with the
    request.
    `url` is `sqlite:///path` or `postgresql://…`. Raises Permanent SYS_SCHEMA where the database's schema is
    not the one this version works with; `reportbus.adapters.ledger.schema.upgrade` brings it there. Raises
    Permanent SYS_LEDGER where it cannot be reached and never will be, Transient where it may be later.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        policies: Policies | None = None,
        lease_seconds: float = LEASE_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
        wakeups: bool = True,
        pool: int = 8,
    ) -> None:
        self.database = Database(url, clock, pool=pool, idle=min(lease_seconds, IDLE_SECONDS))
        try:
            with opening():
                require_current(self.database)
        except BaseException:
            self.database.close()
            raise
        self._policies = policies or Policies()
        self._lease_seconds = lease_seconds
        self._contents = Contents(self.database.dialect)
        self._liveness = _liveness(self.database)
        self._doorbell = _doorbell(self.database, wakeups=wakeups)
        self.intake = SqlIntake(self.database, self._contents)
        self.operations = SqlOperations(
            self.database,
            self._contents,
            self._policies,
            self._liveness,
            deadline_seconds=deadline_seconds,
        )
        self.records = SqlRecords(self.database)

    def worker(self, name: str = "") -> SqlWorkLedger:
        """Enroll a new worker; `name` is shown to people."""
        return SqlWorkLedger(
            self.database,
            self._contents,
            self._policies,
            self._liveness,
            self._doorbell,
            lease_seconds=self._lease_seconds,
            name=name,
        )

    def ring(self) -> None:
        """Wake the workers of this process: there may be work."""
        self._doorbell.ring()

    def close(self) -> None:
        """Close the doorbell and all connections; workers that were not closed are gone for the others."""
        self._doorbell.close()
        self._liveness.close()
        self.database.close()


def _liveness(database: Database) -> Liveness:
    if database.dialect.name == "sqlite":
        path = Path(database.url.database or "")
        return FileLocks(path.with_name(f"{path.name}.workers"))
    return AdvisoryLocks(database)


def _doorbell(database: Database, *, wakeups: bool) -> Doorbell:
    if not wakeups:
        return Silence()
    if database.dialect.name == "sqlite":
        return FileChanges(Path(database.url.database or ""))
    from reportbus.adapters.ledger.listen import Listen  # noqa: PLC0415 - psycopg is an extra

    return Listen(database)
