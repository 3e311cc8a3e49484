"""The log: one line a record on standard error, for programs or for people, with secrets masked.

A record carries what it is about where it was logged with `extra`: `request_id`, `stage` and `job` (its
number), as `core.jobs.about` gives them. Of an exception only where it passed is logged, not its message,
which may hold report content; ours say what they say by code and sentence.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reportbus import streams
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


_MOST_WAITING: Final = 5_000
_LAST_SECONDS: Final = 0.5
"""How long the end of the program waits for a reader."""


class _StandardError(logging.Handler):
    """Writes each record to whatever standard error is by then, and never waits for who reads it.

    Lines that it does not take at once wait for the next one; those that come when 5,000 wait are left out,
    and their number is told.
    """

    def __init__(self, render: Callable[[Mapping[str, str | int]], str], redactor: Redactor) -> None:
        super().__init__()
        self._render = render
        self._redact = redactor.redact
        self._waiting: deque[str] = deque()
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record. Where standard error is gone, so is the only place to say so."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(f"{self._line(record)}\n")
        else:
            self._left_out += 1
        self._write(0)

    def flush(self) -> None:
        """Write what waits, where it is read within half a second."""
        with self.lock or nullcontext():
            self._write(_LAST_SECONDS)

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self._render(fields(record, self._redact))
        except Exception as error:  # noqa: BLE001 - a line that cannot be made may not end what it tells of
            place = f"{record.filename}:{record.lineno}"
            return f"{record.levelname} {record.name}: {type(error).__name__} in the log's line at {place}"

    def _write(self, patience: float) -> None:
        try:
            while self._waiting:
                line = self._waiting[0]
                written = streams.write(sys.stderr, line, patience)
                if written < len(line):
                    self._waiting[0] = line[written:]
                    return
                self._waiting.popleft()
                if self._left_out and not self._waiting:
                    self._waiting.append(self._line(_left_out(self._left_out)))
                    self._left_out = 0
        except (OSError, ValueError):
            self._waiting.clear()


def _left_out(count: int) -> logging.LogRecord:
    text = "%d lines were left out here: nobody read standard error"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (count,), None)
