from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reportbus.core.errors import Transient
from reportbus.core.jobs import Stage
from reportbus.core.redact import Redactor
from reportbus.stages.accept import Accept
from reportbus.stages.poll import Poll
from reportbus.stages.write_back import WriteBack
from stages.embedded import RULES, TOPIC, Embedded, asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportbus.core.model import JsonValue
    from reportbus.ports import WriteBack as Change

TESTS = Path(__file__).parent.parent


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Embedded]:
    with Embedded(tmp_path) as embedded:
        yield embedded


def taken_in(parts: Embedded, *rows: dict[str, JsonValue]) -> None:
    """Put the rows into the worktable and take them into the ledger."""
    parts.worktable.insert(rows)
    Poll(worktable=parts.worktable, bus=parts.bus, clock=parts.clock, topic=TOPIC).run_once()
    Accept(
        consumer=parts.bus.subscribe(TOPIC, "orchestrator"),
        intake=parts.ledger.intake,
        rules=RULES,
        clock=parts.clock,
        redactor=Redactor(),
    ).run_once(5)


def shown(parts: Embedded) -> dict[str, tuple[str, bool]]:
    """What the worktable shows: the status of each row, and whether it has a time of completion."""
    with closing(sqlite3.connect(parts.worktable._database.path)) as people:
        found = people.execute("SELECT REQUEST_ID, STATUS, COMPLETED_AT IS NOT NULL FROM REPORT_REQUESTS")
        return {request_id: (status, bool(completed)) for request_id, status, completed in found}


class Away:
    """A worktable that does not answer."""

    def write_back(self, changes: Sequence[Change]) -> int:
        raise Transient("ServiceUnavailable", "the worktable is away")


def test_a_refused_row_is_shown_failed_and_others_stay_as_they_are(parts: Embedded) -> None:
    taken_in(parts, asked("R-1"), asked("R-2", PRIORITY=0))
    stage = WriteBack(operations=parts.ledger.operations, worktable=parts.worktable)

    assert stage.run_once() > 0
    assert stage.run_once() == 0
    assert shown(parts) == {"R-1": ("PENDING", False), "R-2": ("FAILED", True)}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_the_row_shows_in_utc_when_the_request_ended_wherever_the_line_runs(
    tmp_path: Path, zone: str
) -> None:
    done = subprocess.run(
        [sys.executable, str(TESTS / "stages" / "written_back.py"), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(TESTS), "TZ": zone},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    began, completed_at, ended_at, ended = map(datetime.fromisoformat, done.stdout.split())

    assert completed_at == ended_at
    assert began <= completed_at <= ended


def test_a_row_without_usable_id_is_found_again_and_shown_failed(parts: Embedded) -> None:
    taken_in(parts, asked("../../x"), asked("R-1"))
    WriteBack(operations=parts.ledger.operations, worktable=parts.worktable).run_once()

    assert shown(parts)["../../x"] == ("FAILED", True)


def test_changes_are_written_in_batches(parts: Embedded) -> None:
    taken_in(parts, *[asked(f"R-{number}", PRIORITY=0) for number in range(5)])
    stage = WriteBack(operations=parts.ledger.operations, worktable=parts.worktable, batch=2)

    assert [stage.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert set(shown(parts).values()) == {("FAILED", True)}


def test_what_the_worktable_did_not_take_is_written_later(parts: Embedded) -> None:
    taken_in(parts, asked("R-1", PRIORITY=0))
    away = WriteBack(operations=parts.ledger.operations, worktable=Away())  # type: ignore[arg-type]  # all it uses

    with pytest.raises(Transient):
        away.run_once()
    assert shown(parts) == {"R-1": ("PENDING", False)}
    assert WriteBack(operations=parts.ledger.operations, worktable=parts.worktable).run_once() == 1
    assert shown(parts) == {"R-1": ("FAILED", True)}


def test_what_changes_while_it_is_written_is_written_again(parts: Embedded) -> None:
    taken_in(parts, asked("R-1"))
    operations = parts.ledger.operations
    worker = parts.ledger.worker()
    worker.claim({Stage.GENERATE: 1}, {})

    class Meanwhile:
        """A worktable that is slow enough for a request to end."""

        def write_back(self, changes: Sequence[Change]) -> int:
            worker.close()
            operations.cancel("R-1", "somebody")
            return parts.worktable.write_back(changes)

    slow = WriteBack(operations=operations, worktable=Meanwhile())  # type: ignore[arg-type]  # all it uses
    slow.run_once()

    assert shown(parts) == {"R-1": ("IN_PROGRESS", False)}
    assert WriteBack(operations=operations, worktable=parts.worktable).run_once() == 1
    assert shown(parts) == {"R-1": ("FAILED", True)}
