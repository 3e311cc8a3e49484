from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from reportbus.adapters.durable_files import (
    FileSyncs,
    GroupedSync,
    SeparateSync,
    file_sync,
    flush_filesystem,
    rename_new,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


class Disk:
    """A disk whose flushes take until they are let go; `next_one` waits for one to begin."""

    def __init__(self) -> None:
        self.flushes = 0
        self.fails = False
        self._begun = threading.Semaphore(0)
        self._go_on = threading.Semaphore(0)

    def flush(self, fd: int) -> None:
        fails = self.fails
        self._begun.release()
        assert self._go_on.acquire(timeout=10)
        self.flushes += 1
        if fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def next_one(self) -> None:
        assert self._begun.acquire(timeout=10)

    def let_go(self) -> None:
        self._go_on.release()


def outcome(sync: GroupedSync, mark: int) -> int:
    """0, or the number of the error."""
    try:
        sync.sync(mark, [])
    except OSError as error:
        return error.errno or -1
    return 0


def waiting(sync: GroupedSync, count: int) -> None:
    """Wait until so many callers wait for another's flush."""
    for _ in range(10_000):
        with sync._turn:
            if len(sync._turn._waiters) == count:  # type: ignore[attr-defined]
                return
        threading.Event().wait(0.001)
    raise AssertionError("nobody waits")


def test_callers_that_come_while_a_flush_runs_share_the_next_one(folder: int) -> None:
    disk = Disk()
    sync = GroupedSync(folder, disk.flush)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(outcome, sync, sync.mark())
        disk.next_one()
        later = [pool.submit(outcome, sync, sync.mark()) for _ in range(8)]
        waiting(sync, 8)
        disk.let_go()
        disk.let_go()
        assert first.result(10) == 0
        assert [each.result(10) for each in later] == [0] * 8
    assert disk.flushes == 2


def test_a_failed_write_is_told_to_everyone_whose_bytes_it_may_have_been(folder: int) -> None:
    """The kernel tells it once; also those who had begun to write then, and sync later, must hear of it."""
    disk = Disk()
    sync = GroupedSync(folder, disk.flush)
    began_before = sync.mark()
    with ThreadPoolExecutor(2) as pool:
        disk.fails = True
        first = pool.submit(outcome, sync, sync.mark())
        disk.next_one()
        disk.fails = False
        second = pool.submit(outcome, sync, sync.mark())
        waiting(sync, 1)
        disk.let_go()
        disk.let_go()
        assert (first.result(10), second.result(10)) == (errno.EIO, errno.EIO)
    disk.let_go()
    assert outcome(sync, began_before) == errno.EIO
    disk.let_go()
    assert outcome(sync, sync.mark()) == 0


def test_the_real_flush_works_on_the_filesystem_of_the_tests(folder: int) -> None:
    sync = file_sync(folder)
    sync.sync(sync.mark(), [(folder, ".")])


def test_a_flush_of_what_is_no_file_fails(folder: int) -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        flush_filesystem(-1)


def test_files_are_synced_one_by_one_where_the_whole_cannot_be_relied_on() -> None:
    proc = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    assert isinstance(file_sync(proc), SeparateSync)
    os.close(proc)


def test_a_file_that_cannot_be_synced_is_told(folder: int) -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        SeparateSync().sync(0, [(folder, "."), (-1, "a")])


def test_a_file_that_is_gone_needs_no_sync(folder: int) -> None:
    SeparateSync().sync(0, [(folder, "gone"), (folder, ".")])


def test_the_threads_that_sync_files_one_by_one_end_with_it(folder: int) -> None:
    sync = SeparateSync()
    before = set(threading.enumerate())
    sync.sync(0, [(folder, ".")])
    threads = set(threading.enumerate()) - before
    del sync
    for thread in threads:
        thread.join(10)
    assert [True] == [not thread.is_alive() for thread in threads]


def test_each_filesystem_has_one_sync(folder: int) -> None:
    syncs = FileSyncs(file_sync)
    shm = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    assert syncs.of(folder) is syncs.of(folder)
    assert syncs.of(folder) is not syncs.of(shm)
    os.close(shm)
    syncs.close()


def test_a_new_name_never_replaces_a_file(folder: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        rename_new((folder, "a"), (folder, "b"))
    assert (tmp_path / "b").read_bytes() == b"b"
    rename_new((folder, "a"), (folder, "c"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
