from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from flows.judge import judge
from flows.load import asked, mixed
from flows.points import POINTS, RECOVERY_POINTS, STOP_POINTS
from flows.ready_engine import HANGING

if TYPE_CHECKING:
    from flows.conftest import MakeStand
    from flows.stand import Stand

PAIRS = [tuple(Random(seed).sample(sorted(POINTS), 2)) for seed in range(8)]  # noqa: S311 - no secrets


@pytest.mark.parametrize("point", RECOVERY_POINTS)
def test_a_recovery_that_is_killed_is_done_by_the_next_one(stand: Stand, point: str) -> None:
    stand.submit(mixed(30))
    stand.dies(stand.start(point="deliver: synced", hit=2))
    stand.dies(stand.start(point=point, hit=RECOVERY_POINTS[point]))
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand)


@pytest.mark.parametrize("point", STOP_POINTS)
def test_a_stop_that_is_killed_leaves_nothing_undone(make_stand: MakeStand, point: str) -> None:
    """With work in hand that does not end by itself."""
    stand = make_stand(stop__grace_seconds=0.5)
    stand.submit([asked(f"R-{number}", name=HANGING) for number in range(3)])
    stopped = stand.start(point=point, hit=STOP_POINTS[point])
    stand.until(lambda: stand.at_the_engine() == 3, "the engine hangs")
    stopped.terminate()
    stand.dies(stopped)
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_kills_do_no_more_harm_than_one(stand: Stand, first: str, second: str) -> None:
    """Any two, with more requests coming in between."""
    stand.submit(mixed(30))
    stand.dies(stand.start(point=first, hit=POINTS[first]))
    stand.submit(mixed(30, "S"))
    stand.dies(stand.start(point=second, hit=POINTS[second]))
    stand.start()
    stand.drain()
    stand.stop()

    judge(stand)
