"""Members of consumer groups as locked files: the kernel lets go of a lock when its process ends.

A file gets its name once it is locked, and no name is used again. So a file that is missing or not locked
is a member that is gone.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Member:
    """This process's lock on a new file in `folder`, until `close`."""

    def __init__(self, folder: Path) -> None:
        self.name = uuid.uuid4().hex
        self._path = folder / self.name
        unlocked = folder / f".{self.name}"
        self._handle: int | None = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(self._path)

    @property
    def closed(self) -> bool:
        """Whether this member has left."""
        return self._handle is None

    def close(self) -> None:
        """Leave; a second call does nothing."""
        if self._handle is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


def is_gone(folder: Path, name: str) -> bool:
    """Whether that member has closed its file or lost its process; what the latter left is removed."""
    path = folder / name
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that look must not see one another
    except BlockingIOError:
        return False
    else:
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(handle)


def remove_gone(folder: Path) -> None:
    """Remove what members left whose process ended before it could."""
    for path in folder.glob("[!.]*"):
        is_gone(folder, path.name)
