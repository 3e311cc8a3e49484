from __future__ import annotations

from typing import TYPE_CHECKING

from flows.judge import judge
from flows.load import asked, with_bad_ones

if TYPE_CHECKING:
    from flows.conftest import MakeStand
    from flows.stand import Stand

POLLERS = 4
ORCHESTRATORS = 3


def test_many_pollers_and_orchestrators_make_each_row_one_request(make_stand: MakeStand) -> None:
    stand = make_stand(poll__batch=100, worker__batch=64)
    stand.submit([asked(f"short-{number:04}", folder=number % 9) for number in range(1000)])
    for _ in range(POLLERS):
        stand.start("poller")
    for _ in range(ORCHESTRATORS):
        stand.start("orchestrator")
    stand.start("generator", "distributor", "notifier")
    stand.drain()
    stand.stop()

    judge(stand, more_asks=0)


def test_bad_rows_are_refused_and_do_not_touch_their_neighbours(stand: Stand) -> None:
    stand.submit(with_bad_ones(200))
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand, more_asks=0)
    errors = [error for error in stand.ledger.records.errors(None) if error.code == "VAL_FORMAT"]
    assert [(20, False)] == [(len(errors), any(error.retry_eligible for error in errors))]
    assert all("PIE" in error.text for error in errors)
