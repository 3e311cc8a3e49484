from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.judge import judge
from flows.load import mixed
from flows.points import POINTS

if TYPE_CHECKING:
    from flows.conftest import MakeStand

PAUSES = (
    "poll: rows fetched",
    "accept: messages taken",
    "engine: half of the report",
    "staging: written",
    "staging: renamed",
    "record GENERATE: after the commit",
    "deliver: half of a file",
    "deliver: synced",
    "deliver: after the call",
    "notify: synced",
    "write back: changes read",
)
"""Where the process stands still: outside of transactions, in each stage and each pump."""


@pytest.mark.parametrize("point", PAUSES)
def test_a_process_that_was_thought_dead_wakes_up_and_does_no_harm(make_stand: MakeStand, point: str) -> None:
    """It stands still for longer than its lease; meanwhile another one does all of its work."""
    stand = make_stand(worker__lease_seconds=1, poll__republish_seconds=1)
    stand.submit(mixed(30))
    paused = stand.start(point=point, hit=POINTS[point], hold=True)
    stand.freeze(paused)
    stand.start()
    stand.drain()
    stand.wake(paused)
    stand.submit(mixed(10, "S"))
    stand.drain()
    stand.stop()

    judge(stand, more_asks=1)


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("point", ["accept", "claim", "record GENERATE", "record DELIVER", "written"])
def test_a_process_that_stands_still_within_a_transaction_loses_its_locks(
    make_stand: MakeStand, point: str
) -> None:
    """PostgreSQL ends the transaction; an SQLite file stays locked for as long as the process is there."""
    stand = make_stand(worker__lease_seconds=1, poll__republish_seconds=1)
    stand.submit(mixed(30))
    paused = stand.start(point=f"{point}: before the commit", hit=2, hold=True)
    stand.freeze(paused)
    stand.start()
    stand.drain()
    stand.wake(paused)
    stand.submit(mixed(10, "S"))
    stand.drain()
    stand.stop()

    judge(stand, more_asks=1)
