"""No statement of the line reads a table whole that grows with the past; asked of SQLite's planner."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from contracts.ledger_samples import ALL, drive, refusal, submission
from reportbus.adapters.clock import SystemClock
from reportbus.adapters.ledger import schema, tables
from reportbus.adapters.ledger.sql import SqlLedger
from reportbus.core.jobs import Stage
from reportbus.ports import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reportbus.adapters.ledger.database import Database

_GROWING = [table.name for table in tables.METADATA.sorted_tables]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    schema.upgrade_url(url, SystemClock())
    with closing(SqlLedger(url, SystemClock())) as made:
        yield made


def test_what_the_line_asks_again_and_again_is_found_by_an_index(ledger: SqlLedger) -> None:
    asked = _listen(ledger.database)

    ledger.intake.accept([submission("a"), submission("b"), refusal("c")])
    worker = ledger.worker()
    drive(worker)
    worker.claim(ALL, {})
    worker.renew()
    ledger.operations.sweep()
    worker.close()
    pending = ledger.operations.unwritten(10)
    ledger.operations.written(pending)
    ledger.operations.sweep()
    ledger.operations.known(["a", "d"])
    ledger.records.find("a")
    ledger.records.jobs("a")
    ledger.records.outputs("a")
    ledger.records.workers()
    ledger.records.deliveries("a")
    for state in (DeliveryState.OPEN, DeliveryState.FAILED, DeliveryState.SKIPPED):
        ledger.records.deliveries(None, state=state)

    assert len(asked) > 20
    assert {} == {statement: plan for statement, plan in _plans(ledger.database, asked) if plan}


def test_a_claim_looks_once_for_each_stage_as_long_as_it_passes_nothing_over(ledger: SqlLedger) -> None:
    ledger.intake.accept([submission(f"r{n}") for n in range(5)])
    worker = ledger.worker()
    looks: list[str] = []
    event.listen(ledger.database._writer, "before_cursor_execute", partial(_note_look, looks))

    assert [2, 3, 0] == [len(worker.claim(dict.fromkeys(Stage, 2 + n), {})) for n in range(3)]
    assert 3 * len(Stage) == len(looks)


def _note_look(looks: list[str], _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
    if "ORDER BY jobs.rank" in statement:
        looks.append(statement)


def _listen(database: Database) -> dict[str, Any]:
    """The statements executed from now on, with values."""
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        asked.setdefault(statement, values)

    for engine in {database.engine, database._writer}:
        event.listen(engine, "before_cursor_execute", note)
    return asked


def _plans(database: Database, asked: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each statement with the steps of its plan that read a table whole and in its own order."""
    with database.read() as connection:
        for statement, values in list(asked.items()):
            if not statement.startswith(("SELECT", "UPDATE", "INSERT", "DELETE")):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [str(row[3]) for row in plan]
            yield statement, [step for step in steps if step in {f"SCAN {name}" for name in _GROWING}]
