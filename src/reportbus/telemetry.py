"""The log: one line a record on standard error, for programs or for people, with secrets masked.

A record carries what it is about where it was logged with `extra`: `request_id`, `stage` and `job` (its
number), as `core.jobs.about` gives them. Of an exception only where it passed is logged, not its message,
which may hold report content; ours say what they say by code and sentence.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reportbus.core.failure import failure
from reportbus.core.text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reportbus.core.redact import Redactor

_ABOUT: Final = ("request_id", "stage", "job")
"""What a record may be about, from the whole to its part."""


def configure(level: str, format_: str, redactor: Redactor) -> None:
    """Log our records from `level` up, and the libraries' warnings, in the format "json" or "text".

    A repeat replaces what was set before.
    """
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _StandardError)]:
        root.removeHandler(handler)
    root.addHandler(_StandardError(json_line if format_ == "json" else text_line, redactor))
    root.setLevel(logging.WARNING)
    logging.getLogger(__package__).setLevel(level)


def fields(record: logging.LogRecord, redact: Callable[[str], str]) -> dict[str, str | int]:
    """What a line says: time, level, logger and message.

    And where given: request_id, stage and job; code, text and trace.
    """
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    found: dict[str, str | int] = {
        "time": at.replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "message": redact(clean(record.getMessage())),
    }
    for name in _ABOUT:
        value = getattr(record, name, None)
        if value is not None:
            found[name] = value if isinstance(value, int) else redact(one_line(str(value)))
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, Exception):
        answer = failure(error, redact)
        found |= {"code": answer.code, "text": answer.text, "trace": answer.trace}
    return found


def json_line(line: Mapping[str, str | int]) -> str:
    """The line for programs."""
    return json.dumps(line, ensure_ascii=False)


def text_line(line: Mapping[str, str | int]) -> str:
    """The line for people; what it is about stands in brackets, a trace follows on lines of its own."""
    head = f"{line['time']} {line['level']:<7} {line['logger']}: {one_line(str(line['message']))}"
    words = [str(line[name]) for name in _ABOUT if name in line]
    about = f" [{' '.join(words)}]" if words else ""
    fault = f" ({line['code']}: {one_line(str(line['text']))})" if "code" in line else ""
    trace = "".join(f"\n    {place}" for place in str(line.get("trace", "")).splitlines())
    return head + about + fault + trace


class _StandardError(logging.Handler):
    """Writes each record in one piece to whatever standard error is by then."""

    def __init__(self, render: Callable[[Mapping[str, str | int]], str], redactor: Redactor) -> None:
        super().__init__()
        self._render = render
        self._redact = redactor.redact

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record. Where standard error is gone, so is the only place to say so."""
        line = self._render(fields(record, self._redact))
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
