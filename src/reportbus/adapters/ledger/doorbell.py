"""Hearing that there may be work: a hint only, since each worker also looks for itself now and then.

A transaction that makes jobs due rings everywhere when it is committed; nobody needs to ring for it.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Protocol

from reportbus.adapters.sqlite.changes import Changes

if TYPE_CHECKING:
    from pathlib import Path


class Doorbell(Protocol):
    """Where workers listen."""

    def ring(self) -> None:
        """Wake whoever waits in this process, though nothing was committed."""

    def wait(self, timeout: float) -> bool:
        """Wait for a commit by any process, or a ring in this one, up to `timeout` seconds."""

    def close(self) -> None:
        """Stop listening; whoever waits comes back."""


class FileChanges:
    """SQLite: each commit by anybody, of this process or another, is heard."""

    def __init__(self, path: Path) -> None:
        self._changes = Changes(path, "SYS_LEDGER")

    def ring(self) -> None:
        self._changes.ring()

    def wait(self, timeout: float) -> bool:
        return self._changes.wait(timeout)

    def close(self) -> None:
        self._changes.close()


class Silence:
    """No wake-ups at all: what is due is found by the workers' own rounds."""

    def __init__(self) -> None:
        self._closed = Event()

    def ring(self) -> None:
        """Nobody is told."""

    def wait(self, timeout: float) -> bool:
        self._closed.wait(timeout)
        return False

    def close(self) -> None:
        self._closed.set()
