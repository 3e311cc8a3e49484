"""Somebody changes what waits on staging, between its making and its delivery."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from flows.load import asked
from flows.ready_engine import content
from flows.watcher import files_below, request_of
from reportbus.adapters.staging.folder import FolderStaging
from reportbus.core.model import Status
from reportbus.entry.actions.retrying import retry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flows.faults.conftest import StandOn
    from flows.stand import Stand

GOOD: Final = 10
TARGETS: Final = 2


def one_byte(path: Path) -> None:
    first, *rest = path.read_bytes()
    path.write_bytes(bytes([first ^ 1, *rest]))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"1")


def link(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "byte": (one_byte, "STG_MISMATCH"),
    "cut": (cut, "STG_MISMATCH"),
    "longer": (longer, "STG_MISMATCH"),
    "link": (link, "STG_MISMATCH"),
    "pipe": (pipe, "STG_MISMATCH"),
    "removed": (lambda path: path.unlink(), "STG_MISSING"),
}


def staged(stand: Stand) -> dict[str, Path]:
    return {request_of(path): path for path in files_below(stand.home / "staging" / "reports")}


def found(stand: Stand, request_id: str) -> tuple[Status, str]:
    view = stand.ledger.records.find(request_id)
    assert view is not None
    return (view.status, view.code)


def test_what_was_changed_on_staging_is_not_delivered_and_a_retry_makes_it_anew(
    sqlite_ledger: str, stand_on: StandOn
) -> None:
    """The others of the slice are delivered, to a target that is shared with those that were changed."""
    stand = stand_on(sqlite_ledger)
    stand.submit([asked(f"good-{number}", targets=TARGETS) for number in range(GOOD)])
    stand.submit([asked(name, targets=TARGETS) for name in CHANGES])
    for role in ("poller", "orchestrator", "generator"):
        stand.start(role)
    stand.until(lambda: stand.open_jobs("READY") == TARGETS * len(stand.asked), "all reports are made")
    files = staged(stand)
    for name, (change, _) in CHANGES.items():
        change(files[name])

    stand.start("distributor")
    stand.start("notifier")
    stand.drain()
    for name, (_, code) in CHANGES.items():
        assert (Status.FAILED, code) == found(stand, name)
    assert GOOD == stand.ledger.records.counts()[Status.COMPLETED]

    staging = FolderStaging(stand.home / "staging")
    for name in CHANGES:
        assert not retry(name, "tester", stand.ledger.operations, stand.ledger.records, staging).staged
    staging.close()
    stand.drain()
    stand.stop()
    assert len(stand.asked) == stand.ledger.records.counts()[Status.COMPLETED]
    delivered = sorted(files_below(stand.delivered))
    assert TARGETS * len(stand.asked) == len(delivered)
    assert all(path.read_bytes() == content(request_of(path)) for path in delivered)
    assert [] == [bad for bad in stand.watcher.bad if str(stand.delivered) in bad]
