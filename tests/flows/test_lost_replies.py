from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.judge import judge
from flows.load import mixed

if TYPE_CHECKING:
    from flows.conftest import MakeStand

SHARE = 0.1


def test_commits_whose_outcome_nobody_hears_of_lose_nothing_and_double_nothing(make_stand: MakeStand) -> None:
    """Some are done, some are not. An engine whose checkpoint may not be kept is asked anew."""
    stand = make_stand()
    stand.submit(mixed(80, retries=True))
    stand.start(lost_replies=SHARE)
    stand.drain()
    stand.stop()
    stand.ledger.operations.sweep()  # that the worker retired may be what was not heard of

    judge(stand, errors=["ServiceUnavailable"], more_asks=2)


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_connections_that_the_database_cuts_under_load_are_made_anew(make_stand: MakeStand) -> None:
    stand = make_stand()
    stand.start()
    for number in range(4):
        stand.submit(mixed(40, f"R{number}"))
        stand.until(lambda: stand.ended() > len(stand.asked) - 35, "the line is busy")
        stand.cut_ledger()
    stand.drain()
    stand.stop()

    judge(stand, errors=["ServiceUnavailable"], more_asks=4)
