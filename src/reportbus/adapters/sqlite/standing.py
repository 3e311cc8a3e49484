"""Which SQLite file stands under a name; and what is left of one that was removed or replaced.

SQLite finds the write-ahead log by the name of its file. The log of a file that is not there any more would
be taken for the new file's, and its pages written over that: so it goes before the new one is opened.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

from reportbus.adapters.lock_files import lock_within
from reportbus.core.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Standing(NamedTuple):
    """The device and number of a database file and of its write-ahead log; None for what is not there."""

    file: tuple[int, int] | None
    log: tuple[int, int] | None

    @classmethod
    def at(cls, path: Path) -> Self:
        """What stands there now."""
        return cls(identity(path), identity(log_of(path)))

    def remove_stale_log(self, path: Path) -> None:
        """Remove the log that stands at `path` if it is still this one, whose file is gone."""
        if self.log is not None and identity(log_of(path)) == self.log:
            log_of(path).unlink(missing_ok=True)
            path.with_name(f"{path.name}-shm").unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands under this name."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return (about.st_dev, about.st_ino)


def log_of(path: Path) -> Path:
    """The write-ahead log of a database file."""
    return path.with_name(f"{path.name}-wal")


@contextmanager
def alone(folder: Path, seconds: float) -> Iterator[None]:
    """One process at a time. Transient where the others take longer than so many seconds."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not lock_within(handle, seconds):
            raise Transient("TemporaryFailure", f"another process keeps the lock of {folder}")
        yield
    finally:
        os.close(handle)
