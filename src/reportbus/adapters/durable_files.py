"""Files made durable together: what staging, the folder destination and the Maildirs have in common.

A file is published in four steps, each for a whole batch: write it under a temporary name, sync, rename it,
sync again. The first sync brings the bytes to the disk before their name can be seen, the second brings the
name there before anybody is told of it. An fsync for each file and folder does the same, many times slower.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Place: TypeAlias = tuple[int, str]
"""A file or folder: the descriptor of an open folder, and a path below it."""

Failpoint: TypeAlias = "Callable[[str], None]"
"""Called with the name of each step that is done: where a crash test ends the process."""

FAILPOINTS: Final = ("written", "synced", "renamed", "settled")
"""The steps of publishing a batch, in their order: a crash behind each of them must do no harm."""

WAIT_LIMIT: Final = 120.0
"""Seconds a caller waits for a sync that another caller runs."""

_FSYNCS_AT_ONCE: Final = 8
_FILESYSTEMS: Final = 8
_RENAME_NOREPLACE: Final = 1
_FIRST_KERNEL: Final = (5, 8)  # the first whose syncfs tells of failed writes
_SYNCED_WHOLE: Final = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # xfs
        0x9123683E,  # btrfs
        0xF2F52010,  # f2fs
        0x01021994,  # tmpfs
        0x6969,  # nfs
    }
)
"""The filesystems whose syncfs writes everything and tells of what failed; FUSE, CIFS and overlays do not."""

_libc: Final = ctypes.CDLL(None, use_errno=True)
_syncfs: Final = getattr(_libc, "syncfs", None)
_fstatfs: Final = getattr(_libc, "fstatfs", None)
_renameat2: Final = getattr(_libc, "renameat2", None)


class FileSync(Protocol):
    """Brings files to the disk. Safe to use from several threads."""

    def mark(self) -> int:
        """A point before the first write of a batch, for `sync`."""

    def sync(self, mark: int, places: Iterable[Place]) -> None:
        """Everything written to `places` before the call is durable when it returns.

        Raises OSError where a write since `mark` failed, also one that another caller's sync ran into: nobody
        can tell whose bytes they were. TimeoutError where it took longer than `WAIT_LIMIT`.
        """


SyncMaker: TypeAlias = "Callable[[int], FileSync]"
"""Gives the sync for the filesystem of an open folder."""


class GroupedSync:
    """One flush of the whole filesystem for all callers at once.

    A caller that comes while a flush runs may have written too late for it: all who come meanwhile share the
    next one. The kernel tells an open descriptor only once of a failed write, hence the count.
    """

    def __init__(self, folder: int, flush: Callable[[int], None]) -> None:
        self._fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        weakref.finalize(self, os.close, self._fd)
        self._flush = flush
        self._turn = threading.Condition()
        self._started = 0
        self._finished = 0
        self._failures = 0
        self._failed = OSError()

    def mark(self) -> int:
        return self._failures

    def sync(self, mark: int, places: Iterable[Place]) -> None:
        if self._leads(time.monotonic() + WAIT_LIMIT):
            self._lead()
        if self._failures > mark:
            raise OSError(self._failed.errno, self._failed.strerror)

    def _leads(self, until: float) -> bool:
        """Whether the caller has to run the next flush; False once one that began after the call is over."""
        with self._turn:
            needed = self._started + 1
            while self._finished < needed:
                if self._finished == self._started:
                    self._started += 1
                    return True
                if not self._turn.wait(until - time.monotonic()):
                    raise TimeoutError(errno.ETIMEDOUT, "the disk is still busy with an earlier sync")
        return False

    def _lead(self) -> None:
        failed: OSError | None = InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
        try:
            self._flush(self._fd)
            failed = None
        except OSError as error:
            failed = error
        finally:
            with self._turn:
                if failed is not None:
                    self._failed = failed
                    self._failures += 1
                self._finished = self._started
                self._turn.notify_all()


class SeparateSync:
    """One fsync for each place, several at once: for filesystems that cannot be flushed as a whole.

    Its threads end with it, as those of any pool that nobody holds any more.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_FSYNCS_AT_ONCE, "fsync")

    def mark(self) -> int:
        return 0

    def sync(self, mark: int, places: Iterable[Place]) -> None:
        ended, running = wait([self._pool.submit(_fsync, place) for place in set(places)], WAIT_LIMIT)
        if running:
            raise TimeoutError(errno.ETIMEDOUT, "the disk does not answer")
        for each in ended:
            each.result()


def file_sync(folder: int) -> FileSync:
    """The quickest sync that can be relied on for the filesystem of this open folder."""
    if _syncfs is not None and _kernel() >= _FIRST_KERNEL and _filesystem(folder) in _SYNCED_WHOLE:
        return GroupedSync(folder, flush_filesystem)
    return SeparateSync()


class FileSyncs:
    """The `FileSync` of each filesystem that folders lie on. Safe to use from several threads."""

    def __init__(self, make: SyncMaker) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._by_device: dict[int, FileSync] = {}

    def of(self, folder: int) -> FileSync:
        """The one for this open folder."""
        device = os.fstat(folder).st_dev
        with self._lock:
            sync = self._by_device.get(device)
            if sync is None:
                if len(self._by_device) >= _FILESYSTEMS:  # shares that came and went
                    self._by_device.clear()
                sync = self._by_device[device] = self._make(folder)
            return sync

    def close(self) -> None:
        """Let go of the filesystems."""
        with self._lock:
            self._by_device.clear()


def flush_filesystem(fd: int) -> None:
    """Bring everything written so far to the filesystem of `fd` onto its disk; OSError where that fails."""
    if _syncfs is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if _syncfs(fd) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def write_whole(fd: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of `data`, however little the system takes at a time."""
    written = os.write(fd, data)
    if written < len(data):
        rest = memoryview(data)
        while written < len(rest):
            written += os.write(fd, rest[written:])


def rename_new(source: Place, target: Place) -> None:
    """Give the file at `source` the name `target`; FileExistsError where it is taken, and nothing changes."""
    if _renameat2 is not None:
        names = os.fsencode(source[1]), os.fsencode(target[1])
        if _renameat2(source[0], names[0], target[0], names[1], _RENAME_NOREPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code not in {errno.ENOSYS, errno.EINVAL}:  # a kernel or a filesystem that cannot
            raise OSError(code, os.strerror(code), target[1])
    os.link(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False)
    os.unlink(source[1], dir_fd=source[0])


def no_failpoint(name: str) -> None:
    """Outside of crash tests nothing happens at a failpoint."""


def _fsync(place: Place) -> None:
    try:
        fd = os.open(place[1], os.O_RDONLY, dir_fd=place[0])
    except FileNotFoundError:  # whoever renames it next will be told
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _filesystem(folder: int) -> int:
    """The kernel's number for the kind of filesystem: the first word of `struct statfs`."""
    answer = ctypes.create_string_buffer(512)
    if _fstatfs is None or _fstatfs(folder, answer) != 0:
        return 0
    return int(ctypes.c_ulong.from_buffer(answer).value)


def _kernel() -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", platform.release()) if platform.system() == "Linux" else None
    return tuple(map(int, found.groups())) if found else (0,)
