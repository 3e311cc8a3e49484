"""One process of the line for the flow tests, with an engine that has its reports at hand.

Each is forked from a server that has everything imported, so that a start costs a tenth of a second; the
process itself is as fresh as one started from a shell, stops as `reportbus run` does, and ends with the
server it was forked from, should a test run be killed.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.points import Killer
from flows.tapped import TappedParts
from reportbus.config.loading import load
from reportbus.entry.cli.roles import _end, _stop
from reportbus.wiring import line
from reportbus.wiring.opening import wait_for_ledger

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

LOG: Final = "log"
LISTENING: Final = "listening"
"""The processes that hear signals by now."""

_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG

_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "__main__",
        "alembic",
        "psycopg",
        "reportbus.adapters.bus.sqlite",
        "reportbus.adapters.channels.maildir",
        "reportbus.adapters.destinations.folder",
        "reportbus.adapters.ledger.listen",
        "reportbus.adapters.ledger.schema",
        "reportbus.adapters.ledger.sql",
        "reportbus.adapters.staging.folder",
        "reportbus.adapters.worktable.sqlite",
        "reportbus.entry.cli.roles",
        "reportbus.wiring.line",
        "sqlalchemy.dialects.postgresql.psycopg",
    ]
)


@dataclass(frozen=True, slots=True)
class Orders:
    """What one process is to do.

    It dies at the `hit`-th pass of `point`; with `hold` the thread is held there instead. Of each staged file
    the bus is told `told` times. `lost_replies` is the share of the ledger's commits whose outcome is not
    heard of: half of those are done, half are not.
    """

    home: Path
    environment: dict[str, str]
    roles: tuple[str, ...]
    point: str = ""
    hit: int = 1
    hold: bool = False
    told: int = 1
    lost_replies: float = 0.0


def start(orders: Orders) -> ForkServerProcess:
    """A process that has got its orders."""
    process = _CONTEXT.Process(target=serve, args=(orders,), name="-".join(orders.roles) or "line")
    process.start()
    return process


def serve(orders: Orders) -> None:
    """Run the roles until SIGTERM."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    output = os.open(orders.home / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s: %(message)s")
    settings = load(orders.environment, orders.home)
    stop = _stop(settings.stop.grace_seconds)
    with (orders.home / LISTENING).open("a") as file:
        file.write(f"{os.getpid()}\n")
    killer = Killer(orders.home, orders.point, orders.hit, hold=orders.hold)
    with TappedParts(settings, killer, told=orders.told, lost_replies=orders.lost_replies) as parts:
        there = wait_for_ledger(parts, orders.roles, stop)
        well = not there or line.run(line.loops(parts, orders.roles), stop)
    if line.at_work():
        _end(0 if well else 1)
    sys.exit(0 if well else 1)
