"""Members of consumer groups as locked files: the kernel lets go of a lock when its process ends.

A file that is missing or not locked is a member that is gone. No name is used again: a file that is taken for
left over between its making and its lock is made anew under another one.
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from reportbus.adapters.lock_files import is_left, locked, remove

if TYPE_CHECKING:
    from pathlib import Path


class Member:
    """This process's lock on a new file in `folder`, until `close`."""

    def __init__(self, folder: Path) -> None:
        self._handle: int | None = None
        while self._handle is None:
            self.name = uuid.uuid4().hex
            self._path = folder / self.name
            self._handle = locked(self._path)

    @property
    def closed(self) -> bool:
        """Whether this member has left."""
        return self._handle is None

    def close(self) -> None:
        """Leave; a second call does nothing."""
        if self._handle is not None:
            remove(self._path)
            os.close(self._handle)
            self._handle = None


def is_gone(folder: Path, name: str) -> bool:
    """Whether that member has closed its file or lost its process; what the latter left is removed."""
    return is_left(folder / name)


def remove_gone(folder: Path) -> None:
    """Remove what members left whose process ended before it could."""
    for path in folder.iterdir():
        is_left(path)
