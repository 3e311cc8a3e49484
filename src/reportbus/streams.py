"""Text streams that somebody else reads, or does not.

A pipe that nobody reads takes some 64 KB and then holds up whoever writes, and with a log that is everybody.
So a write that would wait is not begun: what a stream says it takes, it takes at once, up to `PIPE_BUF`
bytes (pipe(7), poll(2)).
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

_PIECE: Final = select.PIPE_BUF
_LONGEST_CHARACTER: Final = 4
"""Bytes, in UTF-8."""


def write(stream: TextIO, text: str, patience: float) -> int:
    """Write the text and flush it; how many characters were written.

    Fewer than there are where the stream takes nothing more within `patience` seconds, waited once. The
    pieces end with a line where they can. Raises OSError where the reader is gone, ValueError where the
    stream is closed.
    """
    written = 0
    longest = _PIECE if text.isascii() else _PIECE // _LONGEST_CHARACTER
    while written < len(text) and _takes(stream, patience):
        end = text.rfind("\n", written, written + longest) + 1 or written + longest
        piece = text[written:end]
        stream.write(piece)
        stream.flush()
        written += len(piece)
    return written


def _takes(stream: TextIO, patience: float) -> bool:
    """Whether a piece can be written without a wait; what is no file of the system's always takes it."""
    try:
        number = stream.fileno()
    except OSError:  # io.UnsupportedOperation
        return True
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    return bool(poll.poll(patience * 1000))
