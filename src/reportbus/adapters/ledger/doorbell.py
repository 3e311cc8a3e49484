"""Hearing that there may be work: a hint only, since each worker also looks for itself now and then."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Protocol

from reportbus.adapters.sqlite.changes import Changes

if TYPE_CHECKING:
    from pathlib import Path


class Doorbell(Protocol):
    """Where workers listen."""

    def ring(self) -> None:
        """There may be work, says this process."""

    def wait(self, timeout: float) -> bool:
        """Wait for a ring, from any process, up to `timeout` seconds."""

    def close(self) -> None:
        """Stop listening; whoever waits comes back."""


class FileChanges:
    """SQLite: each commit by anybody, of this process or another, is a ring."""

    def __init__(self, path: Path) -> None:
        self._changes = Changes(path, "SYS_LEDGER")

    def ring(self) -> None:
        """What there is to do was committed, and that has been heard."""

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
