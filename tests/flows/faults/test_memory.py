"""How much memory the line needs does not follow from how much is asked of it at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flows.load import asked
from flows.stand import LIMIT_SECONDS

if TYPE_CHECKING:
    from flows.faults.conftest import StandOn
    from flows.load import Asked
    from flows.stand import Stand

LARGE: Final = 600
PARAMETERS: Final = json.dumps({f"p{number}": "x" * 1_000 for number in range(20)})
TO_ONE_TARGET: Final = 150
TARGETS: Final = 50
MOST_MIB: Final = 400
"""Generous: SQLite keeps up to 64 MiB of pages for each of a few connections, whatever is asked."""


def large(request_id: str) -> Asked:
    report = asked(request_id)
    return replace(report, row={**report.row, "PARAMETERS": PARAMETERS})


def peak_mib(stand: Stand) -> int:
    """The most memory that the one process has had at any time."""
    status = Path(f"/proc/{stand.processes[0].pid}/status").read_text()
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kib) // 1024


def test_many_large_requests_at_once_and_many_targets_need_bounded_memory(
    sqlite_ledger: str, stand_on: StandOn
) -> None:
    stand = stand_on(sqlite_ledger, worker__batch=64, poll__batch=500)
    stand.submit([large(f"short-{number}") for number in range(LARGE)])
    stand.submit([asked("many", targets=TARGETS)])
    stand.submit([asked(f"one-{number}") for number in range(TO_ONE_TARGET)])
    stand.start()
    stand.drain(2 * LIMIT_SECONDS)

    assert peak_mib(stand) < MOST_MIB
