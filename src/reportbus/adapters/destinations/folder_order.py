"""Of two requests for one file name the newer one's file stays, in whatever order and by whomever they come.

A delivered file carries the time of its request as an extended attribute, set before it gets its name. Who
renames looks at the mark of what stands there, alone in the folder by a lock on it. A filesystem that has no
such attributes or locks goes without, and so does an account that may not use them: that a file arrives is
worth more than the order of two.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reportbus.adapters.lock_files import lock_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportbus.adapters.destinations.folder_tree import OpenFolder

MARK: Final = "user.reportbus.requested_at"
"""The name of the attribute; its value is a time in ISO 8601, with its zone."""

LOCK_SECONDS: Final = 2.0
"""How long to wait for a lock that is held for milliseconds: somebody stands still, or it is not ours."""


def mark(fd: int, requested_at: datetime) -> None:
    """Mark an open file with the time of its request, where that can be done."""
    with contextlib.suppress(OSError):
        os.setxattr(fd, MARK, requested_at.isoformat().encode())


def marked(folder: OpenFolder, name: str) -> datetime | None:
    """The time that the file under this name is marked with; None where there is no file or no mark."""
    if not os.access(name, os.F_OK, dir_fd=folder.fd):  # the usual case, at a tenth of the cost
        return None
    try:
        text = os.getxattr(f"/proc/self/fd/{folder.fd}/{name}", MARK, follow_symlinks=False).decode()
        at = datetime.fromisoformat(text)
    except (OSError, ValueError):
        return None
    return at if at.tzinfo else None


@contextmanager
def alone(folder: OpenFolder) -> Iterator[None]:
    """Rename in this folder while nobody else does who asks the same."""
    try:
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder.fd)
    except OSError:  # a folder that one may write into and not read
        yield
        return
    try:
        with contextlib.suppress(OSError):  # no locks on folders here, as on NFS
            lock_within(fd, LOCK_SECONDS)
        yield
    finally:
        os.close(fd)
