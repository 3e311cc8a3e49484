"""An exception, turned into the answer that goes on record."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reportbus.core.errors import ReportbusError
from reportbus.core.events import Failed, Kind, failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_FRAMES: Final = 40
_MOST_CAUSES: Final = 5


def failure(error: Exception, redact: Callable[[str], str]) -> Failed:
    """The answer that says what went wrong, redacted.

    What is no ReportbusError is a fault of the program itself: SYS_INTERNAL, with the places it came through.
    The exception's own message stays out, since it may hold anything, report content above all.
    """
    if isinstance(error, ReportbusError):
        answer = failed(error)
        return replace(answer, text=redact(answer.text))
    causes = list(_causes(error))
    where = _places(causes[-1])[-1:] or ["no place"]
    text = f"{type(causes[-1]).__name__} at {where[0]}"
    trace = "\ncaused\n".join(
        "\n".join([*_places(cause), type(cause).__name__]) for cause in reversed(causes)
    )
    return Failed(Kind.PERMANENT, "SYS_INTERNAL", redact(text), trace=redact(trace))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it came of."""
    following: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if following is None:
            return
        yield following
        following = following.__cause__ or following.__context__


def _places(error: BaseException) -> list[str]:
    """Where the exception passed, its origin last. No file is opened to show the lines of code."""
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__), limit=-_MOST_FRAMES, lookup_lines=False
    )
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
