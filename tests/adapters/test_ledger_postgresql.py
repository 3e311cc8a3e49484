from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text, update

from contracts.ledger import LedgerContract
from contracts.ledger_samples import ALL, NONE, drive, submission, succeeded
from reportbus.adapters.ledger import tables
from reportbus.core.jobs import Stage
from reportbus.core.model import Status
from reportbus.ports import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.adapters.ledger.sql import SqlLedger
    from reportbus.adapters.ledger.work import SqlWorkLedger


class TestPostgresqlLedger(LedgerContract):
    @pytest.fixture
    def ledger_url(self, postgres_url: str) -> str:
        return postgres_url

    def undefended(self, ledger: SqlLedger) -> None:
        with ledger.database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))

    @pytest.mark.parametrize("how", ["cancelled", "expired"])
    @pytest.mark.parametrize("stage", [Stage.GENERATE, Stage.DELIVER])
    def test_a_job_that_somebody_looked_at_while_its_run_was_called_off_is_not_done(
        self, ledger: SqlLedger, worker: SqlWorkLedger, how: str, stage: Stage
    ) -> None:
        """A claim locks those too that it passes over: these stay ready, and the run open, until the next."""
        ledger.intake.accept([submission("a", targets=2, notify=True)])
        if stage is Stage.DELIVER:
            worker.record([succeeded(task) for task in worker.claim(ALL, {})], NONE)
        with looked_at(ledger):
            call_off(ledger, how)
        claimed = worker.claim(ALL, {})
        view = ledger.records.find("a")

        assert view is not None
        assert ([], Status.FAILED) == (claimed, view.status)
        assert view.code == {"cancelled": "RUN_CANCELLED", "expired": "RUN_EXPIRED"}[how]
        if stage is not Stage.GENERATE:
            states = [each.state for each in ledger.records.deliveries("a")]
            assert [DeliveryState.FAILED] * 2 == states
        assert [Stage.NOTIFY] == [task.job.stage for task in worker.claim(ALL, {})]
        assert [] == list(ledger.records.verify())

    def test_what_is_not_called_off_is_claimed_beside_what_is(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a"), submission("b")])
        with looked_at(ledger):
            ledger.operations.cancel("a", "ann")

        assert ["b"] == [task.request.request_id for task in worker.claim(ALL, {})]
        assert 1 == ledger.records.counts()[Status.FAILED]

    def test_a_job_that_came_due_while_its_run_was_called_off_is_not_done(
        self, ledger: SqlLedger, worker: SqlWorkLedger
    ) -> None:
        ledger.intake.accept([submission("a")])
        with ledger.database.write() as connection:
            connection.execute(update(tables.jobs).values(state="WAITING"))
        with ledger.database.write() as connection:
            connection.execute(update(tables.jobs).values(state="READY"))
            assert ledger.operations.cancel("a", "ann") is Status.PENDING

        assert [] == worker.claim(ALL, {})
        assert (0, 1) == (drive(worker), ledger.records.counts()[Status.FAILED])


@contextmanager
def looked_at(ledger: SqlLedger) -> Iterator[None]:
    """Somebody's claim has locked all open jobs, and takes none of them."""
    with ledger.database.write() as connection:
        connection.execute(select(tables.jobs).where(tables.jobs.c.state == "READY").with_for_update())
        yield


def call_off(ledger: SqlLedger, how: str) -> None:
    """End the runs of all requests early."""
    if how == "cancelled":
        ledger.operations.cancel("a", "ann")
        return
    with ledger.database.write() as connection:
        connection.execute(update(tables.requests).values(expires_at=0))
    assert 1 == ledger.operations.sweep().expired
