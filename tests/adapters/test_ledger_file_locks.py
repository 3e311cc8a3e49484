"""The files that show that a worker on a SQLite ledger lives, where the system does not let them be."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from contracts.ledger_samples import ALL, submission
from contracts.small_disk import filled, small_disk
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.errors import Transient
from servers.parts import PartMissing, leave_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    schema.upgrade_url(url, SystemClock())
    with closing(SqlLedger(url, SystemClock(), wakeups=False)) as ledger:
        yield ledger


def test_a_worker_that_finds_no_room_for_its_lock_is_not_enrolled_and_may_try_again(
    tmp_path: Path, ledger: SqlLedger
) -> None:
    locks = tmp_path / "ledger.db.workers"
    try:
        with small_disk(locks, 64):
            with filled(locks), pytest.raises(Transient, match="No space left") as refused:
                ledger.worker()
            assert str(locks) in refused.value.text
            assert [] == list(ledger.records.workers())
            with closing(ledger.worker()) as worker:
                assert worker.renew().alive
    except PartMissing as missing:
        leave_out(missing)


def test_a_sweep_that_cannot_look_at_a_lock_takes_nothing_back_and_may_try_again(
    tmp_path: Path, ledger: SqlLedger
) -> None:
    ledger.intake.accept([submission("r")])
    worker = ledger.worker()
    worker.claim(ALL, {})
    lock = tmp_path / "ledger.db.workers" / f"{worker.worker}.lock"
    aside = lock.rename(tmp_path / "aside")
    lock.symlink_to(lock)
    with pytest.raises(Transient, match="symbolic links") as refused:
        ledger.operations.sweep()
    assert str(lock) in refused.value.text
    aside.replace(lock)

    swept = ledger.operations.sweep()
    assert (0, 0) == (swept.workers, swept.jobs)
    worker.close()


def test_a_worker_whose_lock_cannot_be_removed_retires_all_the_same(
    tmp_path: Path, ledger: SqlLedger
) -> None:
    worker = ledger.worker()
    lock = tmp_path / "ledger.db.workers" / f"{worker.worker}.lock"
    lock.unlink()
    lock.mkdir()
    worker.close()

    assert [] == list(ledger.records.workers())
