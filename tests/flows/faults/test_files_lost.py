"""The SQLite files under the line are removed, damaged, replaced or locked, while it runs or in between."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from flows.judge import judge
from flows.line_process import LOG
from flows.load import mixed
from flows.stand import LIMIT_SECONDS, write_lock

if TYPE_CHECKING:
    from pathlib import Path

    from flows.faults.conftest import StandOn
    from flows.stand import Stand

REQUESTS: Final = 60
LOCK_SECONDS: Final = 6.0
"""Longer than anybody waits for the lock of the worktable or the bus."""


@pytest.fixture
def stand(sqlite_ledger: str, stand_on: StandOn) -> Stand:
    """Two processes at work; what the bus lost is published again after a second."""
    stand = stand_on(sqlite_ledger, poll__republish_seconds=1)
    stand.submit(mixed(REQUESTS))
    stand.start()
    stand.start()
    stand.until(lambda: stand.ended() > REQUESTS // 6, "it works")
    return stand


def belonging(stand: Stand, name: str) -> list[Path]:
    """The database file and what SQLite has put beside it."""
    return [path for end in ("", "-wal", "-shm") if (path := stand.home / f"{name}{end}").exists()]


def remove(stand: Stand, name: str) -> None:
    for path in belonging(stand, name):
        path.unlink()


def spoil(stand: Stand, name: str) -> None:
    """Write noise over the file and its log, and cut off the second half."""
    for path in belonging(stand, name):
        if not path.name.endswith("-shm"):
            with path.open("r+b") as file:
                file.write(os.urandom(path.stat().st_size))
                file.truncate(path.stat().st_size // 2)


def said(stand: Stand, words: str) -> None:
    stand.until(lambda: words in (stand.home / LOG).read_text(), f"it says {words!r}")


def ends_well(stand: Stand) -> None:
    stand.drain()
    stand.stop()
    judge(stand, more_asks=2)


@pytest.mark.parametrize("all_of_it", [True, False])
def test_a_bus_that_is_removed_is_made_anew_and_what_it_held_is_published_again(
    stand: Stand,
    all_of_it: bool,  # noqa: FBT001 - pytest passes by name
) -> None:
    """Also where its log stays, which SQLite would take for the log of the new file."""
    stand.submit(mixed(REQUESTS, "S"))
    for path in belonging(stand, "bus.db")[: None if all_of_it else 1]:
        path.unlink()
    ends_well(stand)
    assert "bus.db was removed or replaced" in (stand.home / LOG).read_text()


def test_a_damaged_bus_is_named_and_once_it_is_removed_the_line_goes_on_by_itself(stand: Stand) -> None:
    spoil(stand, "bus.db")
    stand.submit(mixed(REQUESTS, "S"))
    said(stand, "SYS_BUS: ")
    remove(stand, "bus.db")
    ends_well(stand)


def test_nothing_starts_on_a_damaged_bus_and_once_it_is_removed_nothing_is_lost(stand: Stand) -> None:
    stand.submit(mixed(REQUESTS, "S"))
    stand.stop()
    spoil(stand, "bus.db")
    process = stand.start()
    process.join(LIMIT_SECONDS)
    stand.processes.remove(process)
    assert 1 == process.exitcode
    assert "SYS_BUS: " in stand.log_end()

    remove(stand, "bus.db")
    stand.start()
    ends_well(stand)


def test_a_worktable_that_is_replaced_is_read_and_written_back_to(stand: Stand, tmp_path: Path) -> None:
    """By a copy, with more rows; whoever looks finds out how requests ended that came from the old one."""
    copy = tmp_path / "copy.db"
    with write_lock(stand.home / "worktable.db"):
        with (
            closing(sqlite3.connect(stand.home / "worktable.db")) as old,
            closing(sqlite3.connect(copy)) as new,
        ):
            old.backup(new)
        remove(stand, "worktable.db")
        copy.rename(stand.home / "worktable.db")
    stand.submit(mixed(REQUESTS, "S"))
    ends_well(stand)


def test_a_worktable_that_is_away_is_missed_and_once_it_is_back_the_line_goes_on(
    stand: Stand, tmp_path: Path
) -> None:
    """No empty one is made in its place, into which the one that is put back would be written."""
    files = belonging(stand, "worktable.db")
    aside = [path.rename(tmp_path / f"aside-{number}") for number, path in enumerate(files)]
    said(stand, "worktable.db was removed; put it back")
    assert [] == belonging(stand, "worktable.db")
    for path, name in reversed([*zip(aside, files, strict=True)]):  # the log before the file it belongs to
        path.rename(name)
    stand.submit(mixed(REQUESTS, "S"))
    ends_well(stand)


def test_locks_that_another_program_keeps_cost_time_and_nothing_else(stand: Stand) -> None:
    with (
        write_lock(stand.home / "worktable.db"),
        write_lock(stand.home / "bus.db"),
        write_lock(stand.home / "ledger.db"),
    ):
        threading.Event().wait(LOCK_SECONDS)
    assert [None, None] == [process.exitcode for process in stand.processes]
    stand.submit(mixed(REQUESTS, "S"))
    ends_well(stand)
    assert "another program holds its lock" in (stand.home / LOG).read_text()
