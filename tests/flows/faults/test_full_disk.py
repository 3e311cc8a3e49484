"""The disk under one part of the line takes nothing for a while: it is full, or read-only."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from contracts.small_disk import filled, small_disk
from flows.judge import judge
from flows.line_process import LOG
from flows.load import asked, mixed
from reportbus.core.model import Status
from servers.parts import PartMissing, leave_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flows.faults.conftest import StandOn
    from flows.stand import Stand

REQUESTS: Final = 40
DESTINATIONS: Final = """\
destinations:
  delivered: {type: NAS, root: delivered}
  other: {type: NAS, root: elsewhere}
"""
DISKS: Final = {"ledger": "disk", "bus": "disk", "staging": "staging", "destination": "delivered"}
RETRIES: Final = 20
"""Waits are a second here and not a minute: so many are far longer than the disk is bad."""


class Line:
    """A stand with one part of it on a disk of its own."""

    def __init__(self, stand: Stand, disk: Path) -> None:
        self.stand = stand
        self.disk = disk


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """While the block runs nothing can be written there, as after an error of the disk."""
    _mount("remount,ro", disk)
    try:
        yield
    finally:
        _mount("remount,rw", disk)


def _mount(options: str, disk: Path) -> None:
    subprocess.run(["/bin/mount", "-o", options, str(disk)], check=True, timeout=10)


@pytest.fixture
def line(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_ledger: str, stand_on: StandOn
) -> Iterator[Line]:
    """Two processes at work, with one part of the line on a disk of its own."""
    place: str = request.param
    with ExitStack() as mounted:
        try:
            disk = mounted.enter_context(small_disk(tmp_path / DISKS[place], 24_000))
        except PartMissing as missing:
            leave_out(missing)
        if place == "ledger":
            sqlite_ledger = f"sqlite:///{shutil.copy(tmp_path / 'ledger.db', disk)}"
        bus = (disk if place == "bus" else tmp_path) / "bus.db"
        stand = stand_on(sqlite_ledger, retry__max_retries=RETRIES, bus__path=bus)
        stand.submit(mixed(REQUESTS))
        stand.start()
        stand.start()
        stand.until(lambda: stand.ended() > REQUESTS // 4, "it works")
        yield Line(stand, disk)


def is_told(line: Line, words: str) -> bool:
    """Whether the log has it, or the error log of a request."""
    errors = line.stand.ledger.records.errors(None)
    return words in (line.stand.home / LOG).read_text() or any(words in error.text for error in errors)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ledger", "database or disk is full"),
        ("bus", "bus.db: the disk is full"),
        ("staging", "No space left on device"),
        ("destination", "the disk is full (DST_NO_SPACE)"),
    ],
    indirect=["line"],
)
def test_a_full_disk_is_told_and_costs_time_and_nothing_else(line: Line, words: str) -> None:
    stand = line.stand
    with filled(line.disk):
        stand.submit(mixed(REQUESTS, "S"))
        stand.until(lambda: is_told(line, words), f"it says {words!r}")
    stand.drain()
    stand.stop()
    judge(stand, more_asks=RETRIES, errors=["ServiceUnavailable"])


@pytest.mark.parametrize("spoilt", [filled, read_only])
@pytest.mark.parametrize("line", ["destination"], indirect=True)
def test_a_destination_whose_disk_takes_nothing_holds_up_no_other(
    line: Line, spoilt: Callable[[Path], AbstractContextManager[None]], tmp_path: Path
) -> None:
    stand = line.stand
    stand.drain()
    stand.stop()
    config = stand.home / "config" / "destinations.yaml"
    config.write_text(DESTINATIONS)
    stand.start()
    with spoilt(line.disk):
        stand.submit([asked(f"waits-{number}") for number in range(5)])
        stand.until(lambda: is_told(line, "the disk is full") or is_told(line, "read-only"), "it waits")
        goes = [asked(f"goes-{number}", destination="other") for number in range(5)]
        stand.submit(goes)
        stand.until(lambda: stand.ended() == REQUESTS + len(goes), "the others have ended")
    stand.drain()
    stand.stop()
    assert stand.ledger.records.counts()[Status.COMPLETED] >= 10
    assert {f"goes-{n}.txt" for n in range(5)} == {p.name for p in (tmp_path / "elsewhere").rglob("*.txt")}
