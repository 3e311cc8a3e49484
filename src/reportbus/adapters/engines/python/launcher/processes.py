"""The end of every process that came of a script."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Final

_LIMIT_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.002


def end_all(uid: int | None) -> bool:
    """Kill every descendant of this process, which adopts orphans, and wait until none is left.

    With `uid`, a user that nobody else runs as, all are killed in one stroke, so that none is born between
    look and kill. Only children are killed one by one: their process ids cannot be another's before they are
    waited for, and what they leave becomes a child itself. False where some are left after ten seconds.
    """
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline:
        if uid is not None:
            _kill_all_of(uid)
        for child in _children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        if not reap():
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def reap() -> bool:
    """Wait for the children that ended already; whether any child is left."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True


def _kill_all_of(uid: int) -> None:
    """As the user itself, kill all that it may kill."""
    helper = os.fork()
    if helper == 0:
        with suppress(OSError):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(helper, 0)


def _children() -> list[int]:
    try:
        with open("/proc/thread-self/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:  # a kernel built without that list
        return [
            pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _parent(pid) == os.getpid()
        ]


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0
