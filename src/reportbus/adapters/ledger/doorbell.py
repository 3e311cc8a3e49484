"""Hearing that there may be work: a hint only, since the sweep finds all of it."""

from __future__ import annotations

import sqlite3
import time
from threading import Condition, Lock
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS: Final = 0.02
"""How often SQLite's data version is looked at: 3 microseconds each."""


class Doorbell(Protocol):
    """Where workers listen."""

    def ring(self) -> None:
        """There is work, from this process."""

    def wait(self, timeout: float) -> bool:
        """Wait for a ring, from any process, up to `timeout` seconds."""

    def close(self) -> None:
        """Stop listening; whoever waits comes back."""


class Bell:
    """Rings within this process; `look`, asked now and then, hears those of others."""

    def __init__(self, look: Callable[[], bool] | None = None) -> None:
        self._look = look
        self._condition = Condition()
        self._rings = 0
        self._heard = 0
        self._closed = False

    def ring(self) -> None:
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, timeout: float) -> bool:
        until = time.monotonic() + timeout
        while True:
            with self._condition:
                if self._heard != self._rings:
                    self._heard = self._rings
                    return True
                left = until - time.monotonic()
                if left <= 0 or self._closed:
                    return False
                self._condition.wait(min(left, POLL_SECONDS) if self._look else left)
            if self._look and self._look():
                return True

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()


class DataVersion:
    """SQLite: the file's data version changes with each commit of another connection."""

    def __init__(self, path: str) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(path, timeout=1, check_same_thread=False, isolation_level=None)
        self._seen = self._read()
        self._bell = Bell(self._changed)

    def ring(self) -> None:
        self._bell.ring()

    def wait(self, timeout: float) -> bool:
        return self._bell.wait(timeout)

    def close(self) -> None:
        self._bell.close()
        with self._lock:
            self._connection.close()

    def _changed(self) -> bool:
        with self._lock:
            try:
                version = self._read()
            except sqlite3.Error:
                return False
            changed = version != self._seen
            self._seen = version
        return changed

    def _read(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
