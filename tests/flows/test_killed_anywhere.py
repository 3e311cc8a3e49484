from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.judge import judge
from flows.load import mixed
from flows.points import PASSED, POINTS, RECOVERY_POINTS, STOP_POINTS

if TYPE_CHECKING:
    from flows.stand import Stand

REQUESTS = 40


def test_every_point_lies_on_the_way_of_the_requests(stand: Stand) -> None:
    """A point that nothing passes would be a test of nothing."""
    stand.submit(mixed(REQUESTS))
    stand.start()
    stand.drain()
    stand.stop()

    passed = set((stand.home / PASSED).read_text().splitlines())
    assert set(POINTS) == passed - set(STOP_POINTS) - set(RECOVERY_POINTS)
    judge(stand)


@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_lost_or_doubled_where_the_line_is_killed(stand: Stand, point: str) -> None:
    stand.submit(mixed(REQUESTS, retries="record GENERATE" in point))
    stand.dies(stand.start(point=point, hit=POINTS[point]))
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand)
