"""Users for scripts: one of its own for each where the launcher is root, else the launcher's own."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

from reportbus.adapters.engines.python.launcher import kernel

_UNUSED: Final = (0x70000000, 1 << 22)
"""The first of the user ids that nobody uses, and how many: no fewer than there can be processes."""

_UNUSED_IN_CONTAINERS: Final = (61_184, 4_336)
"""The same where a container has no others than the first 65,536: the range for passing service users."""


def own_user(folder: str) -> int:
    """A user id that no other script has for as long as this process lives; `folder` is made over to it."""
    first, count = _UNUSED
    uid = first + os.getpid() % count
    if not _mapped(first + count):
        first, count = _UNUSED_IN_CONTAINERS
        candidates = (first + (os.getpid() + step) % count for step in range(count))
        uid = next(candidate for candidate in candidates if not tasks_of(candidate))
    for path in ("work", "work/out", "work/tmp"):
        os.chown(f"{folder}/{path}", uid, uid)
    os.chmod(folder, 0o711)  # noqa: S103 - passed through, not listed: what is inside belongs to the script's user
    return uid


def enter_new_users() -> None:
    """Become the same user in a new user namespace, with the right to make other namespaces there."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.NEW_USERS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(fd, text.encode())
        os.close(fd)


def tasks_of(uid: int) -> int:
    """How many threads the user has already: the kernel counts them all."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError):  # it ended meanwhile
                if os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
    return count


def _mapped(uid: int) -> bool:
    with open("/proc/self/uid_map", encoding="ascii") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    return any(inside < uid <= inside + count for inside, _, count in ranges)
