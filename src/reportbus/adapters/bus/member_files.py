"""Members of consumer groups as locked files: the kernel lets go of a lock when its process ends.

A file that is missing or not locked is a member that is gone. No name is used again: a file that is taken for
left over between its making and its lock is made anew under another one.
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
        self._handle: int | None = None
        while self._handle is None:
            self.name = uuid.uuid4().hex
            self._path = folder / self.name
            self._handle = _locked(self._path)

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


def _locked(path: Path) -> int | None:
    """A new file's handle, which has its lock; None where somebody removed the file before that."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


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
    for path in folder.iterdir():
        is_gone(folder, path.name)
