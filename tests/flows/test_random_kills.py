from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from flows.judge import judge
from flows.load import mixed
from reportbus.core.lifecycle import Policy

if TYPE_CHECKING:
    from flows.stand import Stand

APART = ("poller", "orchestrator", "generator", "generator", "distributor", "distributor", "notifier")
KILLS = 9


def test_roles_apart_lose_nothing_whichever_is_killed_whenever(stand: Stand) -> None:
    chance = Random(7)  # noqa: S311 - no secret
    running = [(role, stand.start(role)) for role in APART]
    for number in range(KILLS):
        stand.submit(mixed(20, f"R{number:02}", retries=number % 3 == 0))
        left = chance.randrange(1, 20)
        stand.until(lambda: stand.ended() >= len(stand.asked) - left, "the line is busy")  # noqa: B023
        role, process = running.pop(chance.randrange(len(running)))
        stand.kill(process)
        running.append((role, stand.start(role)))
    stand.drain()
    stand.stop()

    judge(stand, more_asks=Policy().max_losses)
