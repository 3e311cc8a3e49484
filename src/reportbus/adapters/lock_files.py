"""Locks that the kernel lets go of with their process: on files that stand for somebody, and on folders."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_PAUSE_SECONDS: Final = 0.002


def locked(path: Path) -> int | None:
    """The handle of the file, made where it is missing, with its lock.

    None where somebody took the file for left over meanwhile. Raises OSError.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    kept = False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept = os.path.samestat(os.fstat(handle), path.stat())
    except (BlockingIOError, FileNotFoundError):
        pass
    finally:
        if not kept:
            os.close(handle)
    return handle if kept else None


def is_left(path: Path) -> bool:
    """Whether the file is missing, or nobody holds its lock; then it is removed. Raises OSError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that look must not see one another
    except BlockingIOError:
        return False
    else:
        remove(path)
        return True
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove the file where that can be done: one that nobody locks says the same as a missing one."""
    with suppress(OSError):
        path.unlink()


def lock_within(handle: int, seconds: float) -> bool:
    """Lock an open file or folder; False where others keep its lock for so long. Raises OSError."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
