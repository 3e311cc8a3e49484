from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import update

from flows.judge import judge
from flows.load import asked
from flows.points import GO_ON
from flows.tapped import ENGINE_LOG
from reportbus.adapters.ledger import tables

if TYPE_CHECKING:
    from flows.conftest import MakeStand


def test_what_a_lost_worker_left_running_stops_although_the_process_has_a_new_worker(
    make_stand: MakeStand,
) -> None:
    """One report is held at the engine when the lease is lost; those behind it are the new worker's alone."""
    stand = make_stand(worker__threads=1, worker__batch=40, poll__batch=100)
    first = [asked(f"first-{number}") for number in range(8)]
    stand.submit(first)
    stand.start(point="engine: half of the report", hit=len(first) + 4, hold=True)
    stand.drain()  # by now the worker knows that many go together
    stand.submit([asked(f"R-{number}") for number in range(80)])
    stand.held()
    begun = set((stand.home / ENGINE_LOG).read_text().split())
    with stand.ledger.database.write() as connection:
        connection.execute(update(tables.workers).values(gone=True))
    stand.drain()
    (stand.home / GO_ON).touch()
    stand.submit([asked(f"last-{number}") for number in range(8)])
    stand.drain()
    stand.stop()

    asks = Counter((stand.home / ENGINE_LOG).read_text().split())
    assert {1} == {asks[id_] for id_ in stand.asked if id_ not in begun}
    judge(stand, more_asks=1)
