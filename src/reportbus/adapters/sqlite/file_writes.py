"""Waiting for writes to a file: inotify where there is one (Linux), else the time alone."""

from __future__ import annotations

import ctypes
import os
import select
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_IN_MODIFY: Final = 0x2
_EVENTS: Final = 65_536  # bytes of events taken from the kernel at once


class FileWrites:
    """Writes to one existing file by any process. `told` says whether the kernel tells of them at all.

    For one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self._poll = select.poll()
        self._events = _inotify(path)
        self.told = self._events is not None
        if self._events is not None:
            self._poll.register(self._events, select.POLLIN)

    def interrupted_by(self, handle: int) -> None:
        """Have each wait end early, too, while this handle can be read."""
        self._poll.register(handle, select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Whether somebody wrote to the file since the last call, or does within `seconds` from now."""
        ready = {handle for handle, _ in self._poll.poll(seconds * 1000)}
        if self._events is None or self._events not in ready:
            return False
        os.read(self._events, _EVENTS)
        return True

    def close(self) -> None:
        """Let go of the kernel's handle."""
        if self._events is not None:
            self._poll.unregister(self._events)
            os.close(self._events)
            self._events = None


def _inotify(path: Path) -> int | None:
    """A handle that can be read once somebody wrote to the file; None where the kernel gives none."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    handle: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if handle < 0:
        return None
    if libc.inotify_add_watch(handle, os.fsencode(path), ctypes.c_uint32(_IN_MODIFY)) < 0:
        os.close(handle)
        return None
    return handle
