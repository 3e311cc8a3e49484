"""System calls of Linux that Python 3.11 has no function for. OSError where the kernel refuses one."""

from __future__ import annotations

import ctypes
import os
from typing import Final

NEW_MOUNTS: Final = 0x00020000
NEW_IPC: Final = 0x08000000
NEW_USERS: Final = 0x10000000
NEW_PIDS: Final = 0x20000000
NEW_NETWORK: Final = 0x40000000

NO_SUID: Final = 0x2
NO_DEVICES: Final = 0x4
NO_EXECUTION: Final = 0x8
BIND: Final = 0x1000
RECURSIVE: Final = 0x4000
PRIVATE: Final = 0x40000

ATTRIBUTE_READ_ONLY: Final = 0x1
ATTRIBUTE_NO_SUID: Final = 0x2
ATTRIBUTE_NO_DEVICES: Final = 0x4

_DETACH: Final = 2
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_MOUNT_SETATTR: Final = 442  # the same number on every architecture
_SET_PDEATHSIG: Final = 1
_SET_CHILD_SUBREAPER: Final = 36
_SET_NO_NEW_PRIVS: Final = 38

_libc: Final = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("users", ctypes.c_uint64),
    )


def unshare(flags: int) -> None:
    """Leave the namespaces the flags name for new ones."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount `source`, or a new file system of that kind, on `target`."""
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _check(result, f"mount on {target}")


def restrict(target: str, attributes: int, *, below: bool) -> None:
    """Set attributes of a mount and, with `below`, of all mounts under it."""
    wanted = _MountAttributes(set=attributes)
    result = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_AT_RECURSIVE if below else 0),
        ctypes.byref(wanted),
        ctypes.c_size_t(ctypes.sizeof(wanted)),
    )
    _check(result, f"restrict {target}")


def change_root(root: str) -> None:
    """Make a mount point the root of the file system and let go of the old one."""
    os.chdir(root)
    _check(_libc.pivot_root(b".", b"."), f"pivot_root to {root}")
    _check(_libc.umount2(b".", ctypes.c_int(_DETACH)), "umount of the old root")
    os.chdir("/")


def die_with_parent(signal: int) -> None:
    """Have the kernel send `signal` to this process when its parent is gone. Changing the user undoes it."""
    _prctl(_SET_PDEATHSIG, signal)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def never_gain_rights() -> None:
    """No program this process starts gives it more rights, whatever its file says."""
    _prctl(_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    _check(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero), f"prctl {option}")


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
