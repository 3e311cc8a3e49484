"""Notices as JSON, one line each."""

from __future__ import annotations

import json
import threading
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from reportbus import streams
from reportbus.core.errors import Transient
from reportbus.core.model import Receipt
from reportbus.ports import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from reportbus.core.model import JsonValue
    from reportbus.ports import Attempt, Notice

_EVENT: Final = "request.ended"
_PATIENCE_SECONDS: Final = 5.0


class LogChannel:
    """Writes each notice as one line of JSON to `stream`, which stays open when the channel is closed."""

    def __init__(self, stream: TextIO, *, patience: float = _PATIENCE_SECONDS) -> None:
        self._stream = stream
        self._patience = patience
        self._lock = threading.Lock()
        self._torn = False

    def send(self, notices: Sequence[Notice]) -> Sequence[Attempt]:
        lines = [f"{json.dumps(_record(notice))}\n" for notice in notices]
        text = "".join(lines)
        problem = f"nobody read the log of notices within {self._patience:g} seconds"
        written = 0
        with self._lock:
            try:
                written = self._write(text)
            except (OSError, ValueError) as error:  # ValueError: somebody closed it
                problem = f"the log of notices cannot be written: {error}"
        ends = accumulate(len(line) for line in lines)
        return [
            _receipt(notice) if end <= written else Transient("TemporaryFailure", problem)
            for notice, end in zip(notices, ends, strict=True)
        ]

    def _write(self, text: str) -> int:
        """As much of the text as is read; after a line that was not written whole on a line of its own."""
        if self._torn and not streams.write(self._stream, "\n", self._patience):
            return 0
        written = streams.write(self._stream, text, self._patience)
        self._torn = bool(written) and text[written - 1] != "\n"
        return written

    def test(self) -> Verdict:
        try:
            self._stream.writable()
        except ValueError as error:  # somebody closed it
            return Verdict(ok=False, text=f"the log of notices cannot be written: {error}")
        return Verdict(ok=True, text="notices are lines in the log")

    def close(self) -> None:
        """Nothing to let go of: the stream is its owner's."""


def _receipt(notice: Notice) -> Receipt:
    return Receipt(location="log", verified="reply", possible_duplicate=notice.possible_duplicate)


def _record(notice: Notice) -> dict[str, JsonValue]:
    request, outcome = notice.request, notice.outcome
    return {
        "event": _EVENT,
        "notice_id": notice.notice_id,
        "at": notice.at.isoformat(),
        "request_id": request.request_id,
        "report_type": request.report_type,
        "report_name": request.report_name,
        "status": outcome.status.value,
        "code": outcome.code,
        "text": outcome.text,
        "delivered": list(notice.delivered),
        "missing": list(notice.missing),
        "files": [
            {"name": each.file_name, "format": each.format, "size": each.size} for each in notice.artifacts
        ],
        "to": list(notice.to),
        "possible_duplicate": notice.possible_duplicate,
    }
