"""Folders for what is needed for a while, removed also where their process was killed before it could."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

_PARENT: Final = os.O_RDONLY | os.O_DIRECTORY
_FOLDER: Final = _PARENT | os.O_NOFOLLOW
_STALE_SECONDS: Final = 60.0
"""A folder that is younger may be on its way to its lock."""


class ScratchFolder:
    """A new folder below `root`, the system's folder for temporary files if none is given.

    It is locked through the open descriptor `lock`. Whoever makes the next one with the same prefix there
    sweeps those that nobody holds any more.
    """

    def __init__(self, prefix: str, root: Path | None = None) -> None:
        root = root or Path(tempfile.gettempdir())
        _sweep(root, prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
        self.lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the folder with everything in it. Removing it twice is harmless."""
        if self.lock >= 0:
            parent = os.open(self.path.parent, _PARENT)
            try:
                _remove(parent, self.path.name)
            finally:
                os.close(parent)
            os.close(self.lock)
            self.lock = -1


def _sweep(root: Path, prefix: str) -> None:
    """Remove what nobody holds any more of the folders that are this user's own."""
    parent = os.open(root, _PARENT)
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(prefix)]
        for name in names:
            with suppress(OSError):  # in use, or no folder, or gone meanwhile
                _sweep_one(parent, name)
    finally:
        os.close(parent)


def _sweep_one(parent: int, name: str) -> None:
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        found = os.fstat(folder)
        if found.st_uid == os.geteuid() and time.time() - found.st_mtime >= _STALE_SECONDS:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(parent, name)
    finally:
        os.close(folder)


def _remove(parent: int, name: str) -> None:
    """Remove the folder of this name in `parent`; no link is followed, whoever puts one there meanwhile."""
    shutil.rmtree(name, ignore_errors=True, dir_fd=parent)
    with suppress(OSError):  # gone, as it should be
        folder = os.open(name, _FOLDER, dir_fd=parent)
        try:  # a script took away its own right to change a folder
            _open_up(folder)
        finally:
            os.close(folder)
        shutil.rmtree(name, ignore_errors=True, dir_fd=parent)


def _open_up(folder: int) -> None:
    """Give the owner all rights to every folder below this one."""
    for _, names, _, inner in os.fwalk(dir_fd=folder):
        for name in names:
            with suppress(OSError):  # a link to a folder, which is no folder here
                handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inner)
                try:
                    Path(f"/proc/self/fd/{handle}").chmod(stat.S_IRWXU)
                finally:
                    os.close(handle)
