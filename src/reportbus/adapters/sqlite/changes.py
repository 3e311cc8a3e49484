"""News of what other connections commit to an SQLite file.

SQLite counts the commits of all other connections (`PRAGMA data_version`). To wake up 50 times a second and
read that count takes 0.8 % of a core, for each file. So it is read when the kernel tells that somebody
wrote to the write-ahead log, and otherwise once a second. What was written becomes a commit a little
later (with `synchronous=FULL` after an fsync), and nothing tells when: so after a write the count is read
again after 1, 2, 4 … milliseconds. Where the kernel tells nothing, it is read every 50 milliseconds.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from reportbus.adapters.bell import Bell
from reportbus.adapters.sqlite.database import LOCK_SECONDS
from reportbus.adapters.sqlite.errors import our_errors
from reportbus.adapters.sqlite.file_writes import FileWrites
from reportbus.adapters.sqlite.standing import Standing, identity, log_of

if TYPE_CHECKING:
    from pathlib import Path

FIRST_PAUSE: Final = 0.001
LONGEST_PAUSE: Final = 1.0
LONGEST_PAUSE_UNTOLD: Final = 0.05


class Changes:
    """Commits by anybody to a database file, which is in WAL mode and open elsewhere in this process.

    Once the file is replaced, and whoever has it open has followed, those to the new one.

    `code` is the code of its errors; `writes` is what tells of writes to its write-ahead log.
    """

    def __init__(self, path: Path, code: str, writes: FileWrites | None = None) -> None:
        self._path = path
        self._code = code
        self._waiting = threading.Lock()
        self._bell = Bell()
        self._closed = False
        self._open(writes)

    def wait(self, timeout: float) -> bool:
        """Whether somebody has committed since the last call, or does within `timeout` seconds from now.

        True also after a `ring`. False also where another thread waits here all that time, and after `close`.
        Raises Transient or Permanent `code` where the file cannot be looked at.
        """
        deadline = time.monotonic() + timeout
        if not self._waiting.acquire(timeout=max(0.0, timeout)):
            return False
        try:
            with our_errors(self._path, self._code):
                return self._wait(deadline)
        finally:
            self._waiting.release()

    def ring(self) -> None:
        """Have `wait` come back as if somebody had committed."""
        self._bell.ring()

    def close(self) -> None:
        """Let go of the file. A waiting thread is sent away first."""
        self._closed = True
        self._bell.ring()
        with self._waiting:
            self._writes.close()
            self._connection.close()
            self._bell.close()

    def _open(self, writes: FileWrites | None = None) -> None:
        with our_errors(self._path, self._code):
            file = identity(self._path)
            connection = sqlite3.connect(
                self._path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._version = _version(connection)
            except BaseException:
                connection.close()
                raise
        self._file, self._connection = file, connection
        self._writes = writes or FileWrites(log_of(self._path))
        self._writes.interrupted_by(self._bell.fileno())
        self._longest_pause = LONGEST_PAUSE if self._writes.told else LONGEST_PAUSE_UNTOLD

    def _replaced(self) -> bool:
        """Whether another file has come to stand there, and somebody writes to it; then that one is heard."""
        if identity(self._path) == self._file or None in Standing.at(self._path):
            return False
        writes, connection = self._writes, self._connection
        self._open()
        writes.close()
        connection.close()
        return True

    def _wait(self, deadline: float) -> bool:
        pause = self._longest_pause
        while not self._closed:
            if self._replaced():
                return True
            version = _version(self._connection)
            if version != self._version:
                self._version = version
                return True
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            written = self._writes.wait(min(pause, remaining))
            if not written and self._bell.heard():
                return not self._closed
            pause = FIRST_PAUSE if written else min(2 * pause, self._longest_pause)
        return False


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version
