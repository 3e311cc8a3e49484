"""A bell that any thread rings, heard by one that waits for file handles."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

_RINGS: Final = 4096  # heard at once


class Bell:
    """Its handle can be read from when it is rung until that is heard. Once closed it is rung in vain."""

    def __init__(self) -> None:
        self._ear, self._button = socket.socketpair()
        for end in (self._ear, self._button):
            end.settimeout(0)

    def fileno(self) -> int:
        """The handle to wait for."""
        return self._ear.fileno()

    def ring(self) -> None:
        """Have whoever waits come back, now or when it waits the next time."""
        with suppress(OSError):  # it is full of rings, or closed
            self._button.send(b"\0")

    def heard(self) -> bool:
        """Whether it was rung since the last call."""
        rung = False
        with suppress(BlockingIOError):
            while self._ear.recv(_RINGS):
                rung = True
        return rung

    def close(self) -> None:
        """Let go of the handles."""
        self._ear.close()
        self._button.close()
