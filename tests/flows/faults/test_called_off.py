"""Requests are cancelled and run out of time at any moment, while processes are killed at any moment."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Final

from flows.load import asked, mixed
from flows.ready_engine import HANGING
from flows.watcher import TEMPORARY, files_below, request_of
from reportbus.core.errors import Refused
from reportbus.core.model import Status
from reportbus.ports import Filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flows.conftest import MakeStand
    from flows.stand import Stand
    from reportbus.ports import RequestView

KILLS: Final = 4
BATCH: Final = 14
DEADLINE: Final = 3.0
APART: Final = ("poller", "orchestrator", "generator", "generator", "distributor", "distributor", "notifier")
CALLED_OFF: Final = frozenset({"RUN_CANCELLED", "RUN_EXPIRED"})
CODES: Final = CALLED_OFF | {"", "VAL_FORMAT", "ENG_BAD_OUTPUT"}
MOMENT: Final = 0.05
"""Seconds between a file's time and the ledger's, by two clocks of one machine."""


def test_what_is_called_off_ends_once_and_is_not_delivered_after_its_end(make_stand: MakeStand) -> None:
    stand = make_stand(intake__request_deadline_seconds=DEADLINE)
    chance = Random(3)  # noqa: S311 - no secret
    running = [(role, stand.start(role)) for role in APART]
    for number in range(KILLS):
        batch = mixed(BATCH, f"R{number}")
        stand.submit([*batch, asked(f"H{number}", name=HANGING)])
        goal = len(stand.asked) - chance.randrange(3, BATCH)
        stand.until(lambda: cancels_one(stand, chance) and stand.ended() >= goal, "the line is busy")  # noqa: B023
        role, process = running.pop(chance.randrange(len(running)))
        stand.kill(process)
        running.append((role, stand.start(role)))
    stand.submit([asked("late", name=HANGING)])
    stand.drain()
    stand.stop()

    views = {view.request_id: view for view in stand.ledger.records.list(Filter(limit=10_000))}
    codes = {view.code for view in views.values()}
    assert views["late"].code == "RUN_EXPIRED"
    assert codes >= CALLED_OFF
    assert codes <= CODES
    complaints = [*told(stand, views), *late(stand, views), *unknown(stand, views), *stand.watcher.bad]
    assert [] == complaints + [str(broken) for broken in stand.ledger.records.verify()]


def cancels_one(stand: Stand, chance: Random) -> bool:
    """Cancel some request, if it is there and has not ended."""
    with suppress(Refused):
        stand.ledger.operations.cancel(chance.choice(list(stand.asked)), "tester")
    return True


def told(stand: Stand, views: dict[str, RequestView]) -> Iterator[str]:
    """The worktable says how each request ended."""
    for request_id, status in stand.worktable_statuses().items():
        if views[request_id].status != status:
            yield f"{request_id}: {status} in the worktable, {views[request_id].status} in the ledger"


def late(stand: Stand, views: dict[str, RequestView]) -> Iterator[str]:
    """No file has come after its request had ended."""
    for path in files_below(stand.delivered):
        ended = views[request_of(path)].ended_at if not path.name.startswith(TEMPORARY) else None
        if ended is not None and path.stat().st_ctime > ended.timestamp() + MOMENT:
            yield f"{path} came after the request's end"


def unknown(stand: Stand, views: dict[str, RequestView]) -> Iterator[str]:
    """What was completed was delivered; more stands there only of what was called off while it was done."""
    files = {(path.parent.name, request_of(path)) for path in files_below(stand.delivered)}
    recorded = {
        (str(each.target - 1), each.request_id)
        for each in stand.ledger.records.deliveries(None, limit=100_000)
        if each.state == "DELIVERED"
    }
    yield from (f"{request_id}: not at {target}" for target, request_id in recorded - files)
    for target, request_id in files - recorded:
        if request_id in views and views[request_id].status is Status.COMPLETED:
            yield f"{request_id}: at {target} without a record"
