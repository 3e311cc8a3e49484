"""What a script prints: read to its end, kept in part."""

from __future__ import annotations

from typing import Final

KEPT_HEAD: Final = 4_096
KEPT_TAIL: Final = 8_192


class Capture:
    """The first and the last bytes of a stream of any length."""

    def __init__(self) -> None:
        self.size = 0
        self._head = b""
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        room = KEPT_HEAD - len(self._head)
        self._head += data[:room]
        if len(data) > room:
            self._tail = (self._tail + data[max(room, 0) :][-KEPT_TAIL:])[-KEPT_TAIL:]

    def text(self) -> str:
        """What was kept, with a mark where something is missing."""
        mark = b"\n[... %d bytes in all ...]\n" % self.size if self.size > KEPT_HEAD + KEPT_TAIL else b""
        return (self._head + mark + self._tail).decode(errors="replace")
